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
def roles_of_the_server(hall):
    admin = hall.admin()
    anna = hall.user("anna")
    equal(admin.run("admin", "user", "role", "root", "user", status=1).rows[-1]["name"], "last-admin")
    admin.run("admin", "user", "role", "anna", "admin")
    anna.run("admin", "users")
    names = {u["name"] for u in anna.rows("admin", "users")}
    equal(names, {"root", "anna"})
    admin.run("admin", "user", "new", "carl", env={"ROOST_NEW_PASSWORD": "secret of carl"}, status=None)
