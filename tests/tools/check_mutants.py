#!/usr/bin/python3
"""check_mutants.py ROOT - every planted fault (tests/mutants) still fits the tree, so that ./test --mutants can plant it,
and says which suites find it."""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
wrong = []
patches = sorted(root.glob("tests/mutants/*.patch"))
for path in patches:
    done = subprocess.run(["patch", "-p1", "--dry-run", "--silent", "--force", "-d", str(root)], stdin=path.open(), capture_output=True, text=True)
    if done.returncode:
        wrong.append(f"{path.name} no longer applies")
    if not re.match(r"# suites: \w", path.read_text()):
        wrong.append(f"{path.name} does not name the suites that find it")
print("\n".join(f"FAIL {line}" for line in wrong) or f"ok {len(patches)} faults can be planted")
sys.exit(bool(wrong))
