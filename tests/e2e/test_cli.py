"""Exit statuses, JSON, the calculator, help."""
import pathlib
import re
import subprocess

from harness import User, check, equal, story, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAN = ROOT / "man"


@story(short=True)
def exit_statuses(hall):
    anna = hall.user("anna")
    anna.run("whoami", status=0)
    anna.run("say", "#nowhere", "x", status=1)
    anna.run("nonsense", status=2)
    anna.run("say", "--nonsense", "x", status=2)
    anna.run("read", "#x", "--since", "the day after never", status=2)
    anna.run("edit", "no-id", "x", status=2)
    User(hall, "nobody").run("whoami", status=4, env={"ROOST_PASSWORD": None})
    stranger = User(hall, "ben")
    stranger.run("-s", "127.0.0.1:1", "whoami", status=3)


@story
def calculator(hall):
    anna = hall.user("anna")

    def calc(text):
        done = anna.run("calc", text, json=False, status=None)
        return done.out.strip() if done.status == 0 else done.status

    big = "9" * 1000
    for text, result in (("7 % 3", "1"), ("2+3", "5"), ("2 - 5", "-3"), ("6*7", "42"), ("-7 / 2", "-3 remainder -1"),
                         ("7 / -2", "-3 remainder 1"), ("8/2", "4"), ("-7 % 3", "-1"), (f"{big} + 1", "1" + "0" * 1000),
                         (f"{big} * {big}", str(int(big) ** 2)), ("1 / 0", 1), ("1 % 0", 1), ("junk", 1), ("1 +", 1),
                         ("1 ** 2", 1), (f"1{big} + 1", 1), ("", 1)):
        got = calc(text)
        check(got == result or (result == 1 and got == 2), text[:40], "gave", str(got)[:60], "not", str(result)[:60])
    names = {t: anna.run("calc", t, status=1).rows[-1]["name"] for t in ("1/0", "what", f"1{big}+1")}
    equal(list(names.values()), ["division-by-zero", "bad-number", "number-too-long"])


@story
def ping_and_help(hall):
    anna = hall.user("anna")
    *rows, path = anna.rows("ping", "--count", "2", "--interval", "10")
    check(len(rows) == 2 and all(r["event"] == "pong" and 0 < r["ms"] < 5000 for r in rows), rows)
    check(all(r["way"] == "udp" and 0 < r["way_ms"] < 5000 for r in rows), rows)
    check(path["event"] == "path" and path["way"] == "udp" and path["asked"] == 2 and path["lost"] == 0, path)
    check(path["least_ms"] <= path["mean_ms"] <= path["most_ms"] and ":" in path["address"], path)
    for words in (["--help"], ["say", "--help"], ["room", "--help"], ["admin", "log", "--help"], ["--version"]):
        done = anna.run(*words, json=False)
        check(len(done.out) > 5, done)
    check("roost say" in anna.run("say", "--help", json=False).out)


@story
def passwords_never_in_argv(hall):
    file = hall.dir / "password"
    file.write_text("a file's secret\n")
    anna = User(hall, "anna")
    anna.run("--password-file", str(file), "register", "anna", env={"ROOST_PASSWORD": None})
    anna.run("logout", env={"ROOST_PASSWORD": None})
    anna.run("login", "anna", env={"ROOST_PASSWORD": "a file's secret"})
    check((anna.home.stat().st_mode & 0o077) == 0, "the home is for its owner only")


def documented():
    """The keys of each event in roost-json(5): rows of its tables, or words in bold."""
    text = (MAN / "roost-json.5.scd").read_text()
    return set(re.findall(r"[*_]([a-z_]+(?:-[a-z]+)?)[*_]", text))


@story
def every_json_key_is_documented(hall):
    if not (MAN / "roost-json.5.scd").exists():
        check(False, "man/roost-json.5.scd is not there")
    admin = hall.admin()
    anna, ben = hall.users("anna", "ben")
    rows = []
    rows += anna.rows("room", "new", "lobby", "ben")
    said = anna.rows("say", "#lobby", "hi @ben")
    rows += said + ben.rows("react", said[-1]["id"], "\U0001f44d")
    for words in (("who",), ("rooms",), ("sessions",), ("whoami",), ("calc", "1+1"), ("ping", "--count", "1"),
                  ("room", "members", "lobby"), ("read", "#lobby"), ("say", "#nowhere", "x")):
        rows += anna.run(*words, status=None).rows
    for words in (("users",), ("rooms",), ("sessions",), ("log",), ("block",), ("invite",)):
        rows += admin.run("admin", *words, status=None).rows
    known = documented()
    unknown = sorted({f"{row.get('event')}.{key}" for row in rows for key in row if key not in known})
    check(not unknown, "not in roost-json(5):", unknown)


@story
def every_figure_and_every_act_is_documented(hall):
    figures = hall.admin().rows("admin", "stats")[-1]
    unknown = sorted(set(figures) - documented())
    check(not unknown, "not in roost-json(5):", unknown)
    anna = hall.user("anna")
    advice = anna.run("meet", "host", "204816", "dance", status=2).error["advice"]
    acts = advice.removeprefix("one of: ").split()
    check(len(acts) > 40, advice)
    page = (MAN / "roost.1.scd").read_text()
    page = page[page.index("*meet host*"):page.index("## Tools")]
    for place, text in (("roost(1)", page), ("roost-json(5)", (MAN / "roost-json.5.scd").read_text())):
        missing = [act for act in acts if f"*{act}*" not in text]
        check(not missing, "not in", place, missing)
    for name in ("roost.bash", "_roost"):
        text = (ROOT / "completion" / name).read_text()
        offered = re.search(r"_roost_actions=[('](.*?)[)']", text, re.DOTALL).group(1).split()
        equal(sorted(offered), sorted(acts), name)


def completed(user, *words):
    """What bash offers for the last word."""
    script = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _roost; printf "%s\n" "${COMPREPLY[@]}"'
    argv = user.argv(*words, json=False)
    done = subprocess.run(["bash", "-c", script, ROOT / "completion/roost.bash", *argv], env=user.env(),
                          capture_output=True, text=True, timeout=20)
    equal(done.returncode, 0, done.stderr)
    return done.stdout.split()


@story
def completion_knows_commands_names_and_open_rooms(hall):
    anna, ben = hall.users("anna", "ben")
    check({"maths", "music"}.isdisjoint(completed(anna, "read", "m")), "nothing is there yet")
    for name in ("maths", "music"):
        anna.run("room", "new", name, "ben")
    # it has two seconds, so that nobody waits at a prompt: on a busy machine it is asked again
    until(lambda: sorted(completed(anna, "read", "m")) == ["maths", "music"], "both rooms")
    equal(completed(ben, "room", "jo"), ["join"])
    anna.run("room", "close", "maths")
    until(lambda: completed(anna, "read", "m") == ["music"], "what is left")
    until(lambda: completed(ben, "read", "m") == ["music"], "what is left, for the other")


@story
def what_is_wrong_is_said_plainly(hall):
    anna = hall.user("anna")
    for words in (("say", "@anna", "buy bread"), ("ignore", "anna"), ("read", "@anna")):
        done = anna.run(*words, json=False, status=1)
        check("this cannot be done with oneself" in done.err and "for notes" in done.err, words, done.err)
    done = anna.run("read", "--search", "x" * 5000, json=False, status=1)
    check("too long" in done.err, done.err)
    done = User(hall, "ben").run("-s", "no where", "whoami", json=False, status=None)
    check("this is no HOST[:PORT]: no where" in done.err and "request" not in done.err, done.err)
    done = User(hall, "ben").run("--password-file", "/nowhere/at-all", "login", "ben", json=False, status=2)
    check("/nowhere/at-all" in done.err, done.err)
