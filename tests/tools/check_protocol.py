#!/usr/bin/python3
"""Is docs/PROTOCOL.md true? Its error table against src/base/err.h, its tables
of requests against proto/roost.proto, and the marks of what changes something
and who may send it against src/hub/rules.c. Argument: the source directory.
Exit status 1 and a line for each difference."""
import re
import sys

root = sys.argv[1] if len(sys.argv) > 1 else "."
wrong = []


def text(path):
    with open(f"{root}/{path}", encoding="utf-8") as f:
        return f.read()


def errors(doc):
    code = {(n, name, what, todo) for n, name, what, todo in re.findall(
        r'X\(\w+, (\d+), "([^"]+)",\s*"([^"]+)",\s*"([^"]+)"\)',
        text("src/base/err.h").replace("\\\n", ""))}
    page = set(re.findall(r"^\| (\d+) \| `([^`]+)` \| (.+?) \| (.+?) \|$", doc, re.M))
    wrong.extend(f"not in the page, or other words: error {e}" for e in sorted(code - page))
    wrong.extend(f"not in src/base/err.h: error {e}" for e in sorted(page - code))
    return len(code)


def snake(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper()


def requests(doc):
    body = re.search(r"message ToServer \{.*?oneof body \{(.*?)\}", text("proto/roost.proto"), re.S)
    schema = set(re.findall(r"^\s*(\w+) \w+ = \d+;", body.group(1), re.M))
    rows = {name: (mark.strip() == "x", who) for name, mark, who in re.findall(
        r"^\| `(\w+)` \|( x | )\| ([^|]+) \|", doc, re.M)}
    wrong.extend(f"no row for request {n}" for n in sorted(schema - set(rows)))
    wrong.extend(f"no such request: {n}" for n in sorted(set(rows) - schema))
    rules = {name: (right, "CHANGES" in flags or "BARRIER" in flags) for name, right, flags in
             re.findall(r"ROW\((\w+),\s*\w+,\s*(\w+),\s*([^,]+),", text("src/hub/rules.c"))}
    for name in sorted(schema & set(rows)):
        changes, who = rows[name]
        right, really = rules.get(snake(name), ("?", None))
        if changes != really:
            wrong.append(f"{name}: the page says {'x' if changes else 'no x'}, the rules do not")
        if (right == "ADMIN") != (who == "admin") or (right == "NONE") != (who == "anyone"):
            wrong.append(f"{name}: the page says '{who}', the rules say {right}")
    return len(schema)


page = text("docs/PROTOCOL.md")
n_errors, n_requests = errors(page), requests(page)
for line in wrong:
    print("FAIL", line)
print(f"{n_errors} errors and {n_requests} requests compared, {len(wrong)} differences")
sys.exit(1 if wrong else 0)
