"""Whom one knows, whose files are taken unasked, and texts."""
import os
import re
import subprocess

from harness import PATIENCE, User, check, equal, parse, story, until
from parcels import MB, digest, folder, make
from test_files import passes

PRINT = r"(?:[0-9a-f]{2}:){31}[0-9a-f]{2}"


def own(user):
    return [r["fingerprint"] for r in user.rows("trust") if r["event"] == "identity"][0]


def receives(user, other, to, *more):
    """user waits for one file, and the other one sees that somebody is there."""
    receiving = user.follow("receive", "--accept", "all", "--dir", to, "--count", "1", *more)
    until(lambda: any(row.get("name") == user.name for row in other.rows("who")), f"{user.name} to be on")
    return receiving


def known(user):
    return {(r["user"], r["fingerprint"]) for r in user.rows("trust") if r["event"] == "known"}


@story(short=True)
def an_identity_is_noted_and_another_one_is_refused(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "notes.pdf", folder(hall, "to")
    wanted = make(source, MB)
    equal(known(anna), set())
    passes(anna, ben, source, to)
    first = own(ben)
    equal((known(anna), known(ben)), ({("ben", first)}, {("anna", own(anna))}))
    (ben.home / "identity").unlink()  # whoever has the account elsewhere, or a server that plays it
    (to / "notes.pdf").unlink()
    receiving = receives(ben, anna, to)
    error = anna.run("send", source, "@Ben", status=3).error
    equal(error["name"], "stranger")
    now = own(ben)
    check(first != now and first in error["text"] and now in error["text"], error)
    check("roost trust @NAME FINGERPRINT" in error["advice"], error)
    equal((known(anna), (to / "notes.pdf").exists()), ({("ben", first)}, False))
    # said by hand, it goes on by the same command
    anna.run("trust", "@ben", now.upper())
    anna.run("send", source, "@ben")
    receiving.event(event="received")
    equal(digest(to / "notes.pdf"), wanted)
    equal(known(anna), {("ben", first), ("ben", now)})
    # from the other side: who receives takes nothing of a stranger
    (anna.home / "identity").unlink()
    source.write_bytes(b"of somebody else")
    receiving = receives(ben, anna, to)
    sending = anna.follow("send", source, "@ben")
    error = receiving.event(event="error")
    equal((error["name"], receiving.process.wait(20)), ("stranger", 3))
    equal(digest(to / "notes.pdf"), wanted)
    sending.end()


@story(short=True)
def the_server_keeps_nothing_of_what_is_to_go_straight(hall):
    anna, ben = hall.users("anna", "ben")
    source = hall.dir / "notes.pdf"
    make(source, 1000)
    for via in ("direct", "relay"):
        error = anna.run("send", source, "@ben", "--via", via, status=1).error
        equal(error["name"], "away")
    equal(anna.rows("files", "@ben"), [])
    equal(anna.rows("transfers"), [])
    anna.run("send", source, "@ben")
    equal([r["kept"] for r in ben.rows("files", "@anna")], [True])


@story(short=True)
def what_is_known_is_accepted_and_forgotten(hall):
    anna, ben = hall.users("anna", "ben")
    a, b = ("ab:" * 31 + "cd"), ("01:" * 31 + "23")
    check(re.fullmatch(PRINT, own(anna)) and own(anna) == own(anna) != own(ben), "a device has one identity")
    anna.run("trust", "@ben", a)
    anna.run("trust", "ben", b)
    equal(known(anna), {("ben", a), ("ben", b)})
    check("known already" in anna.run("trust", "@BEN", a, status=1).error["text"])
    anna.run("trust", "--forget", "@ben", a)
    equal(known(anna), {("ben", b)})
    check(b in anna.run("trust", json=False).out)
    anna.run("trust", "--forget", "@ben")
    anna.run("trust", "--forget", "@ben", status=1)
    for words in (("@ben",), ("@ben", "ab:cd"), ("@ben", a + ":00"), ("@be n", a), ("--forget",)):
        anna.run("trust", *words, status=2)
    for i in range(8):
        anna.run("trust", "@ben", f"{i:02x}" + a[2:])
    anna.run("trust", "@ben", b, status=1)
    equal(len(known(anna)), 8)


@story(short=True)
def files_of_some_are_taken_unasked(hall):
    anna, ben, carl = hall.users("anna", "ben", "carl")
    small, large, to = hall.dir / "small", hall.dir / "large", folder(hall, "to")
    wanted = make(small, 1000)
    make(large, 2 * MB)
    equal(ben.rows("accept", "--list"), [])
    ben.run("accept", "--always", "@Anna", "--up-to", "1MB", "--dir", to)
    ben.run("accept", "--always", "dora")
    rows = {r["from"]: (r["up_to"], r["dir"]) for r in ben.rows("accept", "--list")}
    equal(rows, {"anna": (MB, str(to)), "dora": (None, None)})
    receiving = ben.follow("receive", "--accept", "always", "--count", "1")
    until(lambda: any(row.get("name") == "ben" for row in anna.rows("who")), "ben to be on")
    others = [carl.follow("send", small, "@ben"), anna.follow("send", large, "@ben"),
              anna.follow("send", "-", "--name", "endless", "@ben", stdin=True)]
    for other in others:
        other.event(event="transfer", stage="waiting")
    anna.run("send", small, "@ben")
    receiving.event(event="received")
    equal(receiving.process.wait(20), 0)
    equal(([p.name for p in to.iterdir()], digest(to / "small")), (["small"], wanted))
    equal({r["stage"] for r in ben.rows("transfers")}, {"waiting"}, "others are left alone, not declined")
    # in a chat as well
    chat = ben.follow("chat", stdin=True)
    chat.event(event="person")
    anna.run("send", small, "@ben", "--name", "again")
    chat.event(event="received")
    equal(digest(to / "again"), wanted)
    for other in others:
        check(other.process.poll() is None, "it waits for an answer")
    chat.type("/accept --always carl\n")
    until(lambda: len(ben.rows("accept", "--list")) == 3, "the chat to set it")
    ben.run("accept", "--ask", "@anna")
    check("again" in ben.run("accept", "--ask", "carl", json=False).out)
    equal([r["from"] for r in ben.rows("accept", "--list")], ["dora"])
    check("dora" in ben.run("accept", "--list", json=False).out)
    ben.run("accept", "--ask", "carl", status=1)
    for words in ((), ("--always", "a b"), ("--always", "carl", "17"), ("--list", "--ask", "carl"),
                  ("--always", "carl", "--up-to", "much"), ("17", "--up-to", "1MB"), ("--list", "--dir", to)):
        ben.run("accept", *words, status=2)
    ben.run("accept", "--always", "carl", "--dir", hall.dir / "nowhere", status=1)


@story
def a_chat_takes_what_comes_one_after_the_other(hall):
    """Each is taken from within an event, where nothing else wakes the program: it waited for its next ping, 15 s."""
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "small", folder(hall, "to")
    make(source, 1000)
    ben.run("accept", "--always", "@anna", "--dir", to)
    chat = ben.follow("chat", stdin=True)
    chat.event(event="person")
    for i in range(6):
        anna.run("send", source, "@ben", "--name", f"{i}", patience=PATIENCE)
        equal(chat.event(event="received")["path"], str(to / f"{i}"))


def at(user, here, *words, json=True):
    """A program that runs in a folder."""
    argv = [str(a) for a in user.argv(*words, json=json)]
    return subprocess.Popen(argv, cwd=here, env=user.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


@story(short=True)
def a_text_by_a_phrase_is_shown(hall):
    carl, dora = User(hall, None), User(hall, None)
    here = folder(hall, "here")
    wicked = "the door code\nis \x1b[31m4711"
    for options, json in (((), True), ((), False), (("-o", "-"), False), (("-o", "note"), True), (("--dir", here), True)):
        sending = carl.follow("send", "--code", "--text", wicked)
        phrase = sending.event(event="transfer", stage="waiting")["phrase"]
        receiving = at(dora, here, "receive", phrase, *options, json=json)
        out, err = receiving.communicate(timeout=30)
        equal(receiving.returncode, 0, out + err)
        sending.event(event="sent")
        there = {p.name: p.read_text() for p in here.iterdir()}
        texts = [r for r in map(parse, out.splitlines()) if r["event"] == "text"] if json else []
        if "-o" in options and "-" in options:
            equal((out, there), (wicked, {}))
        elif options:
            equal((sorted(there.values()), texts), ([wicked], []))
        elif json:
            equal(([r["text"] for r in texts], there), ([wicked], {}))
        else:
            equal(out.splitlines()[0], "the door code")
            check("[31m4711" in out and "\x1b" not in out and len(out.splitlines()) == 2, out)
        for path in here.iterdir():
            path.unlink()


@story(short=True)
def pipes_by_a_phrase(hall):
    carl, dora = User(hall, None), User(hall, None)
    here, text = folder(hall, "here"), "line after line\n" * 3000
    for options in (("-o", "-"), ("-o", here / "lines"), ("--dir", here)):
        sending = carl.follow("send", "--code", "-", "--name", "lines", stdin=True)
        sending.type(text)
        sending.process.stdin.close()
        phrase = sending.event(event="transfer", stage="waiting")["phrase"]
        receiving = at(dora, here, "receive", phrase, *options, json=False)
        out, err = receiving.communicate(timeout=30)
        equal(receiving.returncode, 0, out + err)
        equal(sending.process.wait(20), 0)
        if "-" in options:
            equal(out, text)
        else:
            equal([p.read_text() for p in here.iterdir()], [text])
            (here / "lines").unlink()
    dora.run("receive", "1-a-b-c", "-o", "-", "--dir", here, status=2)
    dora.run("receive", "1-a-b-c", "--accept", "all", status=2)
    # a folder fits no pipe
    make(here / "photos" / "a.jpg", 1000)
    sending = carl.follow("send", "--code", here / "photos")
    phrase = sending.event(event="transfer", stage="waiting")["phrase"]
    error = dora.run("receive", phrase, "-o", "-", json=False, status=1).err
    check("folder" in error, error)
    sending.end()
