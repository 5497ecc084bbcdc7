#!/usr/bin/python3
"""Is docs/SECURITY.md true to the tree? Each promise in a table with a column "tested by" names
at least one test, each test that is named exists, and so does each file in backquotes.
Argument: the source directory. Exit status 1 and a line for each that does not."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
PAGE = "docs/SECURITY.md"


def text(path):
    return path.read_text(encoding="utf-8")


def stories_of(path):
    """Functions behind a line that begins with @story; decorators may follow."""
    return re.findall(r"^@story\b.*\n(?:(?:@|[ \t]).*\n)*def (\w+)", text(path), re.M)


def cases_of(path):
    """What a test program in C lists: { "name", function } or T(name), in its TEST_MAIN or a table."""
    code = text(path)
    return re.findall(r'\{\s*"(\w+)",', code) + re.findall(r"\bT\((\w+)\)", code)


def programs_of(path):
    return re.findall(r"^test\('([\w-]+)'", text(path), re.M)


def all_tests():
    """Every name as ./test prints it, or as docs/SECURITY.md explains it."""
    names = set(re.findall(r"^suite_(\w+)\(\)", text(root / "test"), re.M))
    for path in (root / "tests/unit").glob("test_*.c"):
        names |= {f"{path.stem[5:]}.{n}" for n in cases_of(path)}
    for path in (root / "tests/e2e").glob("test_*.py"):
        names |= {f"{path.stem[5:]}.{n}" for n in stories_of(path)}
    names |= {f"cheats.{n}" for n in stories_of(root / "tests/e2e/cheats.py")}
    for path in (root / "tests/power").glob("*.c"):
        names |= {f"{path.stem.removeprefix('test_')}.{n}" for n in cases_of(path)}
    names |= set(programs_of(root / "tests/power/meson.build"))
    names |= {f"sim/{n}" for n in programs_of(root / "sim/meson.build")}
    names |= {path.stem for path in (root / "fuzz").glob("fuzz_*.c")}
    names |= {f"mutants/{path.stem}" for path in (root / "tests/mutants").glob("*.patch")}
    names |= {path.stem for path in (root / "tests/tools").glob("check_*.py")}
    return names


def rows_of(page):
    """(line number, cells) of each row of a table whose last column is "tested by"."""
    inside = False
    for number, line in enumerate(page.splitlines(), 1):
        cells = [c.strip() for c in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[-1] == "tested by":
            inside = True
        elif inside and not set(line) <= set("|-"):
            yield number, cells


def main():
    page, tests, wrong, n, promises = text(root / PAGE), all_tests(), [], 0, 0
    for number, cells in rows_of(page):
        named = re.findall(r"`([^`]+)`", cells[-1])
        promises += 1
        n += len(named)
        if not named:
            wrong.append(f"{PAGE}:{number}: nothing tests this: {cells[0]}")
        wrong += [f"{PAGE}:{number}: there is no test {name}" for name in named if name not in tests]
    for file in sorted(set(re.findall(r"`((?:src|systemd|tests|docs)/[\w./-]+)`", page))):
        if not (root / file).is_file():
            wrong.append(f"{PAGE}: there is no file {file}")
    if promises < 30:
        wrong.append(f"{PAGE}: only {promises} promises were found in its tables")
    for line in wrong:
        print("FAIL", line)
    print(f"{promises} promises, {n} names of tests")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
