#!/usr/bin/python3
"""Do the commands of docs/LAB.md exist as they are written there? Each `roost ...` in its blocks is taken apart by roost itself (with
--help); races, which need nobody else, are run. Argument: the source directory. Exit status 1 and a line for each that is refused."""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
roost = root / os.environ.get("ROOST_BUILD", "build") / "bin" / "roost"
page = (root / "docs/LAB.md").read_text()
wrong, taken, ran = [], 0, 0


def commands():
    """The words of each, as a shell would hand them over."""
    for block in re.findall(r"^```\n(.*?)^```$", page, re.M | re.S):
        for line in re.findall(r"^\$ (.*)$", block, re.M):
            lex = shlex.shlex(line, posix=True, punctuation_chars=True)
            lex.whitespace_split = True
            words = []
            for word in [*lex, ";"]:
                if word and all(c in "();<>|&" for c in word):
                    if words[:1] == ["roost"]:
                        yield line, words[1:]
                    words = []
                else:
                    words.append(word)


def run(folder, *words):
    return subprocess.run([str(roost), *words], cwd=folder, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


with tempfile.TemporaryDirectory() as folder:
    for line, words in commands():
        taken += 1
        done = run(folder, *words, "--help")
        if done.returncode:
            wrong.append(f"{line}: {done.stderr.strip()}")
        if "race" in words:
            ran += 1
            done = run(folder, *words)
            if done.returncode or not done.stdout.startswith("FLOW"):
                wrong.append(f"{line}: {done.stdout}{done.stderr}")
if len(re.findall(r"^## \d\. ", page, re.M)) != 8:
    wrong.append("there are not eight exercises")
if taken < 30 or not ran:
    wrong.append(f"only {taken} commands were found, {ran} of them races")
for line in wrong:
    print("FAIL", line)
print(f"{taken} commands taken apart, {ran} of them run, {len(wrong)} refused")
sys.exit(1 if wrong else 0)
