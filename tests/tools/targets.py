#!/usr/bin/python3
"""targets.py BUILD SUITE - the Meson tests of a suite, one a line: name, then the command.
targets.py BUILD --target NAME - the program of the test of this name, as Ninja calls it."""
import json
import os
import subprocess
import sys

build, suite = sys.argv[1:3]
tests = json.loads(subprocess.check_output(["meson", "introspect", "--tests", build]))
if suite == "--target":
    programs = [test["cmd"][0] for test in tests if test["name"] == sys.argv[3]]
    if not programs:
        sys.exit(f"FAIL there is no program {sys.argv[3]}")
    print(os.path.relpath(programs[0], os.path.realpath(build)))
else:
    for test in tests:
        if suite in (name.split(":")[-1] for name in test["suite"]):
            print(test["name"], *test["cmd"], sep="\t")
