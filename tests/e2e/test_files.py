"""Files from person to person: accepted and declined, cut off and gone on with."""
import os
import pathlib
import random
import re
import signal
import subprocess
import time

from harness import PATIENCE, User, check, equal, parse, story, until
from parcels import MB, digest, folder, make, tree


def passes(anna, ben, source, to, *options, sent=(), **more):
    """Anna sends, Ben takes it; what each said last."""
    receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
    until(lambda: any(row.get("name") == "ben" for row in anna.rows("who")), "ben to be on")
    done = anna.run("send", *(source if isinstance(source, tuple) else (source,)), "@ben", *options, **more)
    got = receiving.event(event="received")
    equal(receiving.process.wait(PATIENCE), 0)
    return done.rows[-1], got


def nothing_left(to):
    equal([str(p) for p in to.glob(".roost-parts*")], [], "what is left behind")


@story(short=True)
def to_a_person(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "notes.pdf", folder(hall, "to")
    wanted = make(source, 3 * MB + 17)
    sent, got = passes(anna, ben, source, to)
    equal((sent["event"], sent["name"], sent["bytes"], sent["total"], sent["peer"]), ("sent", "notes.pdf", 3 * MB + 17, 3 * MB + 17, "@ben"))
    equal((got["bytes"], got["path"], got["file"], got["peer"]), (3 * MB + 17, str(to / "notes.pdf"), sent["file"], "@anna"))
    check(sent["way"] in ("LAN", "direct"), sent)
    equal(digest(to / "notes.pdf"), wanted)
    nothing_left(to)
    # the second does not write over the first
    _, again = passes(anna, ben, source, to)
    check(again["path"] != got["path"] and digest(pathlib.Path(again["path"])) == wanted, again)
    equal([r for r in anna.rows("transfers") if r["event"] == "file"], [])


@story(short=True)
def an_empty_file_a_text_and_a_pipe(hall):
    anna, ben = hall.users("anna", "ben")
    to = folder(hall, "to")
    (hall.dir / "empty").write_bytes(b"")
    passes(anna, ben, hall.dir / "empty", to)
    equal((to / "empty").read_bytes(), b"")
    watching = ben.follow("chat", stdin=True)
    watching.event(event="person")
    sending = anna.follow("send", "--text", "the door code is 4711", "@ben")
    offer = watching.event(event="offer")
    equal((offer["kind"], offer["from"]), ("text", "anna"))
    equal(ben.run("accept", offer["file"], "-o", "-").out, "the door code is 4711")
    sending.event(event="sent")
    text = "line after line\n" * 3000
    sending = anna.follow("send", "-", "--name", "lines.txt", "@ben", stdin=True)
    sending.type(text)
    sending.process.stdin.close()
    offer = watching.event(event="offer")
    equal((offer["name"], offer["size"]), ("lines.txt", None))
    equal(ben.run("accept", offer["file"], "-o", "-").out, text)
    equal(sending.process.wait(PATIENCE), 0)


@story(short=True)
def a_text_is_shown(hall):
    anna, ben = hall.users("anna", "ben")
    to, here = folder(hall, "to"), folder(hall, "here")
    wicked = "the door code\nis \x1b[31m4711"
    for options, json in (((), True), ((), False), (("--dir", to), True)):
        argv = [str(a) for a in ben.argv("receive", "--accept", "all", "--count", "1", *options, json=json)]
        receiving = subprocess.Popen(argv, cwd=here, env=ben.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        anna.run("send", "--text", wicked, "@ben")
        out, _ = receiving.communicate(timeout=20)
        equal(receiving.returncode, 0, out)
        told = [r for r in map(parse, out.splitlines()) if r["event"] == "text"] if json else None
        if options:
            equal(([p.read_text() for p in to.iterdir()], told), ([wicked], []))
        elif json:
            equal([(r["from"], r["text"]) for r in told], [("anna", wicked)])
        else:
            check("the door code\nis " in out and "[31m4711" in out and "\x1b" not in out, out)
        equal(list(here.iterdir()), [], "a text was written to a file")


@story
def a_folder_of_two_thousand(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = folder(hall, "photos"), folder(hall, "to")
    for i in range(2000):
        part = source / f"day {i % 40}"
        part.mkdir(exist_ok=True)
        (part / f"{i}.jpg").write_bytes(random.Random(i).randbytes(i % 900))
    (source / "nothing in it").mkdir()
    (source / "link").symlink_to("/etc/passwd")
    sent, got = passes(anna, ben, source, to)
    equal((sent["files"], got["files"]), (2000, 2000))
    wanted = tree(source)
    del wanted["link"]
    equal(tree(to / "photos"), wanted)
    nothing_left(to)


@story
def names_that_could_do_harm(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = folder(hall, "odd"), folder(hall, "to")
    for name in ("CON", "a:b", "x\x1b[31m", ".hidden", "ends.", "A.txt", "a.txt"):
        (source / name).write_text(name)
    passes(anna, ben, source, to)
    got = {p.name: p.read_text() for p in (to / "odd").iterdir()}
    equal(sorted(got.values()), sorted(p.name for p in source.iterdir()), "all came")
    for name in got:
        check(not set(name) & set('\x1b:"<>|?*\\') and not name.endswith("."), "not safe:", name)
    check("CON" not in got, got)
    equal(len({name.lower() for name in got}), len(got), "some differ by case only")


@story(short=True)
def played_from_a_friend(hall):
    anna, ben = hall.users("anna", "ben")
    source, out = hall.dir / "song.bin", hall.dir / "out"
    wanted = make(source, MB + 17)
    watching = ben.follow("chat", stdin=True)
    watching.event(event="person")
    sending = anna.follow("send", source, "@ben")
    file = watching.event(event="offer")["file"]
    ben.run("play", str(file), "--player", f"curl -sS -o {out}")
    equal(digest(out), wanted)
    equal(sending.process.wait(PATIENCE), 0)


@story(short=True)
def declined_and_cancelled(hall):
    anna, ben = hall.users("anna", "ben")
    source = hall.dir / "notes.pdf"
    make(source, 100000)
    chat = ben.follow("chat", stdin=True)
    chat.event(event="person")
    sending = anna.follow("send", source, "@ben")
    offer = chat.event(event="offer")
    chat.type(f"/decline {offer['file']}\n")
    sending.event(event="error")
    equal(sending.process.wait(PATIENCE), 1)
    sending = anna.follow("send", source, "@ben")
    offer = chat.event(event="offer")
    anna.run("cancel", offer["file"])
    equal(sending.process.wait(PATIENCE), 1)
    check(ben.run("accept", offer["file"], status=1).error["name"] in ("file-over", "no-such-file", "cancelled", "refused"))


SLOW = ("--link", "rate=20M delay=5ms queue=128K")


def begun(anna, ben, source, to, bytes_, *, slow=True):
    """A transfer that has come so far: who sends and who receives."""
    receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
    until(lambda: any(row.get("name") == "ben" for row in anna.rows("who")), "ben to be on")
    sending = anna.follow(*(SLOW if slow else ()), "send", source, "@ben")
    row = sending.event(event="progress", patience=60)
    while row["bytes"] < bytes_:
        row = sending.event(event="progress", patience=60)
    return sending, receiving, row


@story
def others_see_how_far_it_is(hall):
    """Programs of both that have no part in it: from person to person, and to a room."""
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "film.mkv", folder(hall, "to")
    make(source, 60 * MB)

    def moves(who, sending):
        def some():
            check(sending.process.poll() is None, "it ended before anybody saw how far it was")
            rows = [r for r in who.rows("transfers") if r["event"] == "file"]
            return rows and rows[0]["bytes"] and rows[0]
        first = until(some, "how far it is")
        check(0 < first["bytes"] <= 60 * MB and first["size"] == 60 * MB, first)
        check(until(lambda: some()["bytes"] > first["bytes"], "more of it"))
        return first["way"]

    sending, receiving, row = begun(anna, ben, source, to, MB)
    equal([moves(who, sending) for who in (anna, ben)], ["LAN", "LAN"])
    watching = ben.follow("transfers", "--watch")
    check(watching.event(event="file")["bytes"])
    watching.end()
    anna.run("cancel", row["file"])
    sending.event(event="error")
    receiving.event(event="error")
    anna.run("room", "new", "maths", "ben")
    sending = anna.follow(*SLOW, "send", source, "#maths", "--name", "other.mkv")
    equal(moves(anna, sending), "server")
    sending.end()


@story
def several_have_a_name_that_says_so(hall):
    anna, ben = hall.users("anna", "ben")
    to, things = folder(hall, "to"), [hall.dir / f"{i} holiday.jpg" for i in range(12)]
    for i, path in enumerate(things):
        make(path, 1000 + i, i)
    sending = anna.follow("send", *things, "@ben")
    offered = until(lambda: [r for r in ben.rows("transfers") if r["event"] == "file"], "the offer")[0]
    equal((offered["name"], offered["files"]), ("0 holiday.jpg and 11 more", 12))
    check("0 holiday.jpg and 11 more, 12 files" in ben.run("transfers", json=False).out)
    ben.run("accept", offered["file"], "--dir", to)
    sending.event(event="sent")
    equal(sorted(p.name for p in to.iterdir() if p.name != ".roost-parts"), sorted(p.name for p in things))
    long = hall.dir / ("ö" * 125 + ".txt")
    make(long, 10)
    anna.run("room", "new", "maths")
    anna.run("send", long, things[0], "#maths")
    name = [r for r in anna.rows("files", "#maths") if r["event"] == "file"][0]["name"]
    check(name.startswith("ööö") and name.endswith("ö and 1 more") and len(name.encode()) <= 255, name)


@story
def paused_and_resumed(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "film.mkv", folder(hall, "to")
    wanted = make(source, 12 * MB)
    sending, receiving, row = begun(anna, ben, source, to, MB)
    for one, other in ((ben, anna), (anna, ben)):  # either side, and either goes on
        one.run("pause", row["file"])
        sending.event(event="transfer", stage="paused")
        receiving.event(event="transfer", stage="paused")
        equal([r["stage"] for r in other.rows("transfers")], ["paused"])
        other.run("resume", row["file"])
        sending.event(event="transfer", stage="going")
        equal([r["stage"] for r in one.rows("transfers")], ["going"])
    sending.event(event="sent", patience=60)
    receiving.event(event="received", patience=60)
    equal(digest(to / "film.mkv"), wanted)


@story
def cancelled_by_who_receives(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "film.mkv", folder(hall, "to")
    make(source, 12 * MB)
    sending, receiving, row = begun(anna, ben, source, to, MB)
    ben.run("cancel", row["file"])
    for p in (sending, receiving):
        p.event(event="error")
        equal(p.process.wait(PATIENCE), 1)
    equal(list(to.iterdir()), [], "what was cancelled is over, and leaves nothing")


@story
def a_killed_sender_goes_on(hall):
    anna, ben = hall.users("anna", "ben")
    size, source, to = 16 * MB, hall.dir / "film.mkv", folder(hall, "to")
    wanted = make(source, size)
    sending, receiving, row = begun(anna, ben, source, to, 5 * MB)
    sending.end(signal.SIGKILL)
    sent = anna.run("send", source, "@ben").rows[-1]
    got = receiving.event(event="received", patience=60)
    equal((sent["event"], sent["file"], got["file"]), ("sent", row["file"], row["file"]), "it is the same transfer")
    check(sent["had"] >= row["bytes"], "what was verified is not sent again:", row, sent)
    check(sent["sent_bytes"] < 1.1 * (size - sent["had"]) + 100000, "more than the rest went out:", sent)
    equal(digest(to / "film.mkv"), wanted)


@story
def a_killed_receiver_goes_on(hall):
    anna, ben = hall.users("anna", "ben")
    size, source, to = 16 * MB, hall.dir / "film.mkv", folder(hall, "to")
    wanted = make(source, size)
    sending, receiving, row = begun(anna, ben, source, to, 5 * MB)
    receiving.end(signal.SIGKILL)
    receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
    got = receiving.event(event="received", patience=60)
    sent = sending.event(event="sent", patience=60)
    check(got["had"] >= row["bytes"], "what was verified is not sent again:", row, got)
    check(sent["sent_bytes"] < 1.1 * size + 3 * MB, "more than the rest went out:", sent)
    equal(digest(to / "film.mkv"), wanted)
    nothing_left(to)


@story
def a_killed_server_is_not_missed(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "film.mkv", folder(hall, "to")
    wanted = make(source, 12 * MB)
    sending, receiving, row = begun(anna, ben, source, to, 3 * MB)
    hall.kill()
    hall.start()
    sent = sending.event(event="sent", patience=60)
    receiving.event(event="received", patience=60)
    equal(sent["had"], 0, "the way from person to person did not break")
    equal(digest(to / "film.mkv"), wanted)


def cpu_s(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@story
def who_waits_for_a_server_sleeps(hall):
    """The other side and the server have gone: until one can ask again there is nothing to do."""
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "film.mkv", folder(hall, "to")
    wanted = make(source, 12 * MB)
    sending, receiving, _ = begun(anna, ben, source, to, 3 * MB)
    hall.kill()
    sending.end(signal.SIGTERM)
    receiving.event(event="transfer", stage="waiting", patience=60)
    before, began = cpu_s(receiving.process.pid), time.monotonic()
    time.sleep(20)  # the other side is given up after 15; whoever spins would use all of the rest
    used, took = cpu_s(receiving.process.pid) - before, time.monotonic() - began
    hall.start()
    sent = anna.run("send", source, "@ben").rows[-1]
    receiving.event(event="received", patience=60)
    check(used < 0.05 * took, f"it used {used:.2f} s of processor in {took:.2f}")
    equal((sent["event"], digest(to / "film.mkv")), ("sent", wanted))


@story
def by_way_of_the_relay(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "film.mkv", folder(hall, "to")
    wanted = make(source, 2 * MB)
    sent, _ = passes(anna, ben, source, to, "--via", "relay")
    check(sent["way"] in ("relay", "relay in TLS"), sent)
    equal(digest(to / "film.mkv"), wanted)


@story(short=True)
def by_a_phrase_without_an_account(hall):
    carl, dora = User(hall, None), User(hall, None)
    source, to = hall.dir / "notes.pdf", folder(hall, "to")
    wanted = make(source, MB)
    sending = carl.follow("send", "--code", source)
    phrase = sending.event(event="transfer", stage="waiting")["phrase"]
    check(re.fullmatch(r"\d{4,}(-[a-z]+){3}", phrase), phrase)
    got = dora.run("receive", phrase.upper().replace("-", " "), "--dir", to).rows[-1]
    equal((got["event"], got["bytes"]), ("received", MB))
    sending.event(event="sent")
    equal(digest(to / "notes.pdf"), wanted)
    # a wrong guess burns it
    sending = carl.follow("send", "--code", source)
    phrase = sending.event(event="transfer", stage="waiting")["phrase"]
    other = "acid" if not phrase.endswith("acid") else "acorn"
    words = phrase.rsplit("-", 1)[0]
    wrong = dora.run("receive", f"{words}-{other}", "--dir", to, status=None).error
    check("not right and is burnt" in wrong["text"], wrong)
    wrong = sending.event(event="error")
    check("burnt" in wrong["text"] and "another phrase" in wrong["advice"], wrong)
    equal(sending.process.wait(PATIENCE) != 0, True)
    dora.run("receive", phrase, "--dir", to, status=1)
    dora.run("receive", "maple", status=2)


@story
def beside_talk_in_a_chat(hall):
    anna, ben = hall.users("anna", "ben")
    sources = [hall.dir / f"{i}.bin" for i in range(3)]
    wanted = [make(s, MB, i) for i, s in enumerate(sources)]
    to = folder(hall, "to")
    receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "3")
    watching = ben.follow("read", "--follow")
    chat = anna.follow("chat", "@ben", "--classic", stdin=True)
    chat.event(event="person")
    chat.type(f"/send {sources[0]}\nUPD ben {sources[1]}\nand words go on\n/send {sources[2]} @ben\n")
    watching.event(event="message", text="and words go on")
    for _ in sources:
        receiving.event(event="received", patience=60)
    for i, source in enumerate(sources):
        equal(digest(to / source.name), wanted[i])
    chat.process.stdin.close()
    equal(chat.process.wait(PATIENCE), 0)


@story
def the_limit_is_kept(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "film.mkv", folder(hall, "to")
    make(source, 2 * MB)
    _, _ = passes(anna, ben, source, to)
    sending = anna.follow("send", source, "@ben", "--name", "slow.mkv", "--limit", "200kB")
    receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
    sending.event(event="progress")
    rates = [sending.event(event="progress")["bits_a_second"] for _ in range(3)]
    check(min(rates) < 1.3 * 1600000, rates)  # without a limit each is a hundred times that
    sending.end()
    receiving.end()
    # and by who receives: what the sender may not send yet it cannot have sent
    anna.run("room", "new", "maths", "ben")
    large = hall.dir / "large.mkv"
    wanted = make(large, 30 * MB)
    file = anna.run("send", large, "#maths").rows[-1]["file"]
    getting = ben.follow("get", file, "-o", to / "large.mkv", "--limit", "10MB")
    rows = [getting.event(event="progress") for _ in range(2)]
    check(rows[0]["bytes"] < 25 * MB, rows)
    getting.event(event="received")
    equal(digest(to / "large.mkv"), wanted)


@story(short=True)
def what_cannot_be_is_said(hall):
    anna, ben = hall.users("anna", "ben")
    check("No such file" in anna.run("send", "/nowhere/at/all", "@ben", status=1).error["text"])
    anna.run("send", "@ben", status=2)
    anna.run("send", hall.roost, "@ben", "--limit", "fast", status=2)
    anna.run("send", hall.roost, "@ben", "--via", "pigeon", status=2)
    anna.run("send", hall.roost, "#nowhere", status=1)
    equal(anna.run("get", "99", status=1).error["name"], "no-such-file")
    anna.run("get", "maths", status=2)
    anna.run("receive", status=2)


@story
def two_of_one_name_at_the_same_moment(hall):
    """The same contents, and others under the same name, into one folder by several programs at once: all arrive."""
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    one, other, to = hall.dir / "a" / "film.mkv", hall.dir / "b" / "film.mkv", folder(hall, "to")
    wanted = sorted([make(one, 3 * MB, 1)] * 3 + [make(other, 3 * MB, 2)] * 3)
    ids = [anna.run("send", source, "#maths").rows[-1]["file"] for source in (one, other)]
    getting = [ben.follow("get", i, "-o", to) for i in ids * 3]
    for g in getting:
        g.event(event="received", patience=60)
        equal(g.process.wait(PATIENCE), 0)
    equal(sorted(digest(p) for p in to.iterdir()), wanted)
    equal(sorted(p.name for p in to.iterdir()), sorted(["film.mkv", *(f"film ({n}).mkv" for n in range(2, 7))]))
    nothing_left(to)
