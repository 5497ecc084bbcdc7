#!/usr/bin/python3
"""targets.py BUILD SUITE - the Meson tests of a suite, one a line: name, then the command."""
import json
import subprocess
import sys

build, suite = sys.argv[1:3]
tests = json.loads(subprocess.check_output(["meson", "introspect", "--tests", build]))
for test in tests:
    if suite in (name.split(":")[-1] for name in test["suite"]):
        print(test["name"], *test["cmd"], sep="\t")
