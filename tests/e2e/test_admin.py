"""The log of every interaction, the export, what only admins may do."""
import re

from harness import check, equal, story


@story
def only_for_admins(hall):
    anna = hall.user("anna")
    for words in (("users",), ("log",), ("sessions",), ("rooms",), ("invite",), ("block", "anna"), ("user", "role", "anna", "admin")):
        done = anna.run("admin", *words, status=1)
        equal(done.rows[-1]["name"], "not-allowed", str(words))


@story(short=True)
def the_log_has_everything_but_texts(hall):
    admin = hall.admin()
    anna = hall.user("anna")
    anna.run("room", "new", "lobby")
    anna.run("say", "#lobby", "hush hush words")
    anna.run("read", "#lobby")
    anna.run("login", "anna", status=4, env={"ROOST_PASSWORD": "wrong wrong"})
    rows = admin.rows("admin", "log")
    kinds = {row.get("kind") for row in rows}
    check({"say", "login"} <= kinds, sorted(map(str, kinds)))
    check(any(str(k).startswith("room") or "room" in str(k) for k in kinds), kinds)
    check("hush" not in str(rows) and "wrong wrong" not in str(rows))
    failed = [row for row in rows if row["kind"] == "login" and row.get("outcome") != "ok"]
    check(failed and failed[-1]["address"].startswith("127."), failed)
    numbers = [row["n"] for row in rows]
    equal(numbers, sorted(numbers))
    only = admin.rows("admin", "log", "--user", "anna", "--kind", "say")
    check(only and all(r["kind"] == "say" and r["name"] == "anna" for r in only), only)


@story
def the_log_is_followed(hall):
    admin = hall.admin()
    anna = hall.user("anna")
    watching = admin.follow("admin", "log", "--follow")
    anna.run("room", "new", "lobby")
    anna.run("say", "#lobby", "x")
    watching.event(kind="say", name="anna")


@story
def the_three_classic_files(hall):
    admin = hall.admin()
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    anna.run("say", "#lobby", "in the room")
    anna.run("say", "@ben", "in private")
    admin.run("say", "--everyone", "to all")
    out = hall.dir / "export"
    admin.run("admin", "export", str(out))
    files = {p.name: p.read_text() for p in out.rglob("*") if p.is_file()}
    everything = "".join(files.values())
    check(len(files) >= 3, files.keys())
    check("in the room" in everything and "to all" in everything, files)
    check("in private" not in everything, "private words are not exported")
    room = next(text for text in files.values() if "in the room" in text)
    check(re.search(r"(?m)^1\b.*", room), room)


@story
def a_message_is_one_line_of_one_file(hall):
    admin = hall.admin()
    anna = hall.user("anna")
    nasty = "one\n2; 2030-01-01T00:00:00.000Z; root; forged\r\nthree\u2028four\u0085five\x1b[2Jsix\x07\u202eseven\t\x9beight"
    anna.run("room", "new", "lobby")
    anna.run("room", "topic", "lobby", "a\nb")
    anna.run("say", "#lobby", input=nasty)
    edited = anna.rows("say", "#lobby", "x")[-1]["id"]
    anna.run("edit", edited, nasty)
    anna.run("room", "close", "lobby")
    anna.run("room", "new", "lobby")  # the name is free again; the file of before stays whole
    anna.run("say", "#lobby", "of the second lobby")
    out = hall.dir / "export"
    exported = {r["file"]: r["lines"] for r in admin.rows("admin", "export", str(out)) if r["event"] == "exported"}
    equal(sorted(exported), sorted(p.name for p in out.iterdir()))
    for name, lines in exported.items():
        text = (out / name).read_bytes().decode()
        rows = text.split("\n")[:-1]
        equal([int(r.split("; ")[0]) for r in rows], list(range(1, lines + 1)), name)
        equal(len(text.splitlines()), lines, "and nothing else ends a line")
        check(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]", text), name, repr(text))
    (closed,) = [p.read_text() for p in out.glob("room-lobby-*.log")]
    check("forged" in closed and "second" not in closed, closed)
    check("second" in (out / "room-lobby.log").read_text(), "the open one has the plain name")


@story
def roles_of_the_server(hall):
    admin = hall.admin()
    anna = hall.user("anna")
    equal(admin.run("admin", "user", "role", "root", "user", status=1).rows[-1]["name"], "last-admin")
    admin.run("admin", "user", "role", "anna", "admin")
    anna.run("admin", "users")
    names = {u["name"] for u in anna.rows("admin", "users")}
    equal(names, {"root", "anna"})
    admin.run("admin", "user", "new", "carl", env={"ROOST_NEW_PASSWORD": "secret of carl"}, status=None)
