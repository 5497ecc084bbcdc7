#!/usr/bin/python3
"""Are all figures of `roost admin stats` in man/roost-json.5.scd, and no others? Argument: the
source directory. Exit status 1 and a line for each difference."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
told = re.findall(r'^ +\{ "(\w+)", ', (root / "src/server/figures.c").read_text(), re.M)
page = (root / "man/roost-json.5.scd").read_text()
part = re.search(r"^\*stats\* \(admin stats\)\n((?:\t.*\n)+)", page, re.M)
named = set(re.findall(r"\*(\w+)\*", part.group(1))) if part else set()
wrong = [f"not in man/roost-json.5.scd: {name}" for name in told if name not in named]
wrong += [f"no such figure: {name}" for name in sorted(named - set(told))]
if len(told) < 2:
    wrong.append("no figures were found in src/server/figures.c")
for line in wrong:
    print("FAIL", line)
print(f"{len(told)} figures, {len(wrong)} differences")
sys.exit(1 if wrong else 0)
