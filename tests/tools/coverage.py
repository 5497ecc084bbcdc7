"""coverage.py BUILD FOLDER PERCENT: what the tests that ran in BUILD reached of src/FOLDER.

BUILD was made with -Db_coverage=true. Prints a line for each source file, and
fails when fewer than PERCENT of all lines were reached, or when a line that
refuses something (it names an error, other than that memory is short) was not.
"""
import json
import pathlib
import re
import subprocess
import sys

REFUSAL = re.compile(r"-ROOST_(?!NOMEM)\w+")
# Refusals that no test can come to, and why they stay.
UNREACHED = {
    ("guest.c", "return -ROOST_NO_SUCH_MEETING;"): "the code has led to a meeting; a guard",
    ("resolve.c", "outcome = -ROOST_NO_SUCH_MEETING;"): "nobody has the empty code; a guard",
}
COMMENT = re.compile(r"/\*.*?\*/")


def counts(build, folder):
    """Of each source file: line number -> how often it ran."""
    files = {}
    for note in sorted(pathlib.Path(build, "src").rglob("*.gcno")):
        if f"lib{folder}." not in str(note):
            continue
        out = subprocess.run(["gcov", "--json-format", "--stdout", str(note)], check=True,
                             capture_output=True).stdout
        for text in out.splitlines():
            for f in json.loads(text)["files"]:
                name = pathlib.Path(f["file"]).as_posix()
                if f"src/{folder}/" not in name or not name.endswith(".c"):
                    continue
                lines = files.setdefault(name.split(f"src/{folder}/")[1], {})
                for line in f["lines"]:
                    n = line["line_number"]
                    lines[n] = lines.get(n, 0) + line["count"]
    return files


def main(build, folder, percent):
    files = counts(build, folder)
    total = reached = failed = 0
    for name, lines in sorted(files.items()):
        hit = sum(1 for n in lines.values() if n)
        total += len(lines)
        reached += hit
        print(f"  {name:24} {100 * hit / len(lines):6.1f} %  of {len(lines)} lines")
        source = pathlib.Path("src", folder, name).read_text().splitlines()
        for n, ran in sorted(lines.items()):
            if ran:
                continue
            text = source[n - 1].strip()
            refuses = REFUSAL.search(COMMENT.sub("", text))
            why = UNREACHED.get((name, text))
            failed += bool(refuses and not why)
            mark = "FAIL" if refuses and not why else "      "
            print(f"{mark} {name}:{n}: not reached: {text}" + (f" ({why})" if why else ""))
    share = 100 * reached / max(total, 1)
    print(f"NOTE {share:.1f} % of {total} lines of src/{folder}")
    if share < percent:
        failed += 1
        print(f"FAIL {share:.1f} % is less than {percent} %")
    if not failed:
        print(f"ok src/{folder}: {share:.1f} %")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
