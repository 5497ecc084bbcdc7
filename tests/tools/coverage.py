"""coverage.py BUILD FOLDER PERCENT: what the tests that ran in BUILD reached of src/FOLDER.

BUILD was made by clang with -fprofile-instr-generate -fcoverage-mapping, and its
programs left BUILD/profiles/*.profraw. Prints a line for each source file, and fails
when fewer than PERCENT of all lines were reached, or when a refusal was not: a refusal
is each place in the text that names an error as -ROOST_... (other than that memory is
short), not each line: of `a ? -ROOST_X : b ? -ROOST_Y : 0` both must have been said.
"""
import json
import pathlib
import re
import subprocess
import sys

REFUSAL = re.compile(r"-ROOST_(?!NOMEM\b)[A-Z_]+")
# Refusals that no test can come to, and why they stay.
UNREACHED = {
    ("guest.c", "return -ROOST_NO_SUCH_MEETING;"): "the code has led to a meeting; a guard",
    ("resolve.c", "outcome = -ROOST_NO_SUCH_MEETING;"): "nobody has the empty code; a guard",
}
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def segments(build, folder):
    """Of each source file: where, in order, the count of what follows changes."""
    ran = sorted(pathlib.Path(build, "profiles").glob("*.profraw"))
    whole = pathlib.Path(build, "profiles", "whole")
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", whole, *ran], check=True)
    programs = {test["cmd"][0] for test in json.loads(
        subprocess.check_output(["meson", "introspect", "--tests", build]))}
    programs = sorted(p for p in programs if pathlib.Path(p).is_relative_to(pathlib.Path(build).resolve()))
    objects = [word for p in programs for word in ("-object", p)][1:]
    out = subprocess.check_output(["llvm-cov", "export", *objects, "-instr-profile", whole],
                                  stderr=subprocess.DEVNULL)
    home = pathlib.Path("src", folder).resolve()
    for f in sorted(json.loads(out)["data"][0]["files"], key=lambda f: f["filename"]):
        path = pathlib.Path(f["filename"])
        if path.resolve().parent == home and path.suffix == ".c":
            yield path, f["segments"]


def lines(segs, n_lines):
    """Line -> how often it ran, for those with code: the most that a region which
    begins on it ran, else what the region does that it is in."""
    ran, over, at = {}, None, 0
    for n in range(1, n_lines + 1):
        starts = []
        before = over
        while at < len(segs) and segs[at][0] == n:
            _, _, count, counted, entry, gap = segs[at]
            over = count if counted else None
            if counted and entry and not gap:
                starts.append(count)
            at += 1
        counts = starts + ([before] if before is not None else [])
        if counts:
            ran[n] = max(counts)
    return ran


def count_at(segs, line, column):
    last = None
    for seg in segs:
        if (seg[0], seg[1]) > (line, column):
            break
        last = seg
    return last[2] if last and last[3] else None


def blank(comment):
    return re.sub(r"[^\n]", " ", comment.group())


def refusals(text):
    """Each place of a refusal: (line, column)."""
    text = COMMENT.sub(blank, text)
    for found in REFUSAL.finditer(text):
        before = text[:found.start()]
        if re.search(r"[!=]=\s*$", before):
            continue # compared with, not said
        line = before.count("\n") + 1
        yield line, found.start() - (before.rfind("\n") + 1) + 1


def look(name, path, segs):
    """Prints what was not reached of a file; its lines, those reached, refusals, those missed."""
    text = path.read_text()
    source = text.splitlines()
    ran = lines(segs, len(source))
    refused = list(refusals(text))
    silent = [(n, c) for n, c in refused if not count_at(segs, n, c)]
    missed = [(n, c) for n, c in silent if (name, source[n - 1].strip()) not in UNREACHED]
    reached = sum(1 for count in ran.values() if count)
    print(f"  {name:24} {100 * reached / len(ran):6.1f} %  of {len(ran)} lines, "
          f"{len(refused) - len(silent)} of {len(refused)} refusals")
    for n in sorted({n for n, count in ran.items() if not count} | {n for n, _ in silent}):
        where = [c for m, c in missed if m == n]
        why = UNREACHED.get((name, source[n - 1].strip()))
        place = f"{name}:{n}" + (f":{where[0]}" if where else "")
        print(f"{'FAIL' if where else '      '} {place}: not reached: {source[n - 1].strip()}"
              + (f" ({why})" if why else ""))
    return len(ran), reached, len(refused), len(silent), len(missed)


def main(build, folder, percent):
    sums = [0] * 5
    for path, segs in segments(build, folder):
        sums = [a + b for a, b in zip(sums, look(path.name, path, segs))]
    total, reached, refused, silent, failed = sums
    share = 100 * reached / max(total, 1)
    print(f"NOTE {share:.1f} % of {total} lines of src/{folder}, {refused - silent} of {refused} refusals")
    if share < percent:
        failed += 1
        print(f"FAIL {share:.1f} % is less than {percent} %")
    if not refused:
        failed += 1
        print(f"FAIL nothing was counted of src/{folder}")
    if not failed:
        print(f"ok src/{folder}: {share:.1f} %")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
