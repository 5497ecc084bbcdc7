#!/usr/bin/python3
"""Is docs/PROTOCOL.md true? Its error table against src/base/err.h, its tables
of requests against proto/roost.proto, the marks of what changes something and who
may send it against src/hub/rules.c, and its limits against the constants. Argument: the source directory.
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


# The first number of a row of section 12, and the constant that it is, in units of the row.
LIMITS = [
    ("unanswered requests of a connection", "src/hub/internal.h", "CONN_PENDING_MAX", 1),
    ("rooms that a connection follows", "src/hub/internal.h", "CONN_SUBS_MAX", 1),
    ("people named in one request", "src/hub/internal.h", "NAMES_MAX", 1),
    ("topic of a room", "src/hub/internal.h", "TOPIC_MAX", 1),
    ("what one says of being away", "src/hub/internal.h", "AWAY_MAX", 1),
    ("members of a room, with those who are banned", "src/store/store.h", "ROOM_MEMBERS_MAX", 1),
    ("pins of a room", "src/store/store.h", "STORE_PINS_MAX", 1),
    ("people in a meeting", "src/hub/meeting.h", "MEET_IN_MAX", 1),
    ("people in its lobby", "src/hub/meeting.h", "MEET_WAITING_MAX", 1),
    ("people whom a meeting knows, also those who left", "src/store/store.h", "MEET_ATTENDEES_MAX", 1),
    ("guests of a meeting, also those who only knocked", "src/store/batch.h", "GUESTS_MAX", 1),
    ("title", "src/hub/meeting.h", "MEET_TITLE_MAX", 1),
    ("message to the lobby (`MESSAGE`)", "src/hub/meeting.h", "MEET_TEXT_MAX", 1),
    ("reaction", "src/hub/meet_talk.c", "BYTES_MAX", 1),
    ("meetings made by an account, or by guests of one source", "src/hub/meet_new.c", "MEETINGS_A_DAY", 1),
    ("guests of one source", "src/hub/hub.c", "guests_hour", 1),
    ("time from now to `starts_ms`", "src/hub/meeting.h", "MEET_AHEAD_MS", 86400000),
    ("a code that nobody uses", "src/hub/meeting.h", "MEET_CODE_MS", 3600000),
    ("wrong bare codes of a source", "src/hub/hub.c", "code_tries", 1),
    ("wrong bare codes of all", "src/hub/hub.c", "code_tries_all", 1),
    ("place of a host, or of one who waits", "src/hub/meeting.h", "MEET_HOST_GRACE_US", 1000000),
    ("place of a host, or of one who waits", "src/hub/meeting.h", "MEET_LOBBY_GRACE_US", 1000000),
    ("place of others after a lost connection", "src/hub/meeting.h", "MEET_GRACE_US", 1000000),
    ("one who was denied", "src/hub/meeting.h", "MEET_DENIED_MS", 1000),
    ("time in which nobody asks about it", "src/server/keeper.h", "KEEPER_IDLE_MS", 1000),
    ("a piece of a file", "src/server/keeper.h", "KEEPER_PIECE", 1),
]


def constant(path, name):
    found = re.search(rf"\b{name}\s*=?\s*\(?([0-9][0-9ULu* ]*)", text(path))
    value = 1
    for factor in re.sub("[ULu ]", "", found.group(1)).split("*") if found else [0]:
        value *= int(factor)
    return value


def limits(doc):
    section = re.search(r"^## 12\. .*?(?=^## )", doc, re.M | re.S).group(0)
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", section, re.M)
    for what, path, name, unit in LIMITS:
        row = next((limit for first, limit in rows if first.startswith(what)), "")
        number = re.search(r"(?<![a-z_])\d[\d,]*", row)
        said = int(number.group(0).replace(",", "")) if number else None
        if said is None or said * unit != constant(path, name):
            wrong.append(f"limits: '{what}' is {said} in the page, {name} is {constant(path, name) / unit:g}")
    return len(LIMITS)


page = text("docs/PROTOCOL.md")
n_errors, n_requests, n_limits = errors(page), requests(page), limits(page)
for line in wrong:
    print("FAIL", line)
print(f"{n_errors} errors, {n_requests} requests and {n_limits} limits compared, {len(wrong)} differences")
sys.exit(1 if wrong else 0)
