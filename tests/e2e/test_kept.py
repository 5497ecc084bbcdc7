"""Files that the server keeps for a room: sent, fetched, cut off and gone on with."""
import pathlib
import random
import shutil
import signal
import subprocess
import sys

from harness import Skip, check, equal, story
from parcels import MB, digest, folder, make, tree


def class_of_two(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    return anna, ben


def last(done):
    return done.rows[-1]


@story(short=True)
def to_a_room_and_back(hall):
    anna, ben = class_of_two(hall)
    source, to = hall.dir / "notes.pdf", folder(hall, "ben")
    wanted = make(source, 3 * MB + 17)
    watching = ben.follow("read", "#maths", "--follow")
    sent = last(anna.run("send", source, "#maths"))
    equal((sent["event"], sent["name"], sent["bytes"], sent["total"]), ("sent", "notes.pdf", 3 * MB + 17, 3 * MB + 17))
    row = watching.event(event="filed")
    equal((row["name"], row["size"], row["from"], row["file"]), ("notes.pdf", 3 * MB + 17, "anna", sent["file"]))
    listed = [r for r in ben.rows("files", "#maths") if r["event"] == "file"]
    equal([(r["file"], r["name"], r["stage"]) for r in listed], [(sent["file"], "notes.pdf", "done")])
    got = last(ben.run("get", str(sent["file"]), "-o", to))
    equal((got["event"], got["bytes"], got["path"]), ("received", 3 * MB + 17, str(to / "notes.pdf")))
    equal(digest(to / "notes.pdf"), wanted)
    # the second does not write over the first
    again = last(ben.run("get", str(sent["file"]), "-o", to))
    check(again["path"] != got["path"] and digest(pathlib.Path(again["path"])) == wanted, again)
    equal([str(p) for p in to.glob(".roost-parts*")], [], "what is left behind")


@story(short=True)
def an_empty_file_and_a_text(hall):
    anna, ben = class_of_two(hall)
    to = folder(hall, "ben")
    (hall.dir / "empty").write_bytes(b"")
    sent = last(anna.run("send", hall.dir / "empty", "#maths"))
    ben.run("get", str(sent["file"]), "-o", to)
    equal((to / "empty").read_bytes(), b"")
    sent = last(anna.run("send", "--text", "the door code is 4711", "#maths"))
    equal(ben.run("get", str(sent["file"]), "-o", "-").out, "the door code is 4711")


@story
def a_folder_of_two_thousand(hall):
    anna, ben = class_of_two(hall)
    source, to = folder(hall, "photos"), folder(hall, "ben")
    for i in range(2000):
        part = source / f"day {i % 40}"
        part.mkdir(exist_ok=True)
        (part / f"{i}.jpg").write_bytes(random.Random(i).randbytes(i % 900))
    (source / "nothing in it").mkdir()
    (source / "link").symlink_to("/etc/passwd")
    sent = last(anna.run("send", source, "#maths"))
    equal((sent["event"], sent["files"]), ("sent", 2000))
    got = last(ben.run("get", str(sent["file"]), "-o", to))
    equal((got["event"], got["files"]), ("received", 2000))
    wanted = tree(source)
    del wanted["link"]
    equal(tree(to / "photos"), wanted)


@story
def through_pipes(hall):
    anna, ben = class_of_two(hall)
    text = "line after line\n" * 100000
    sent = last(anna.run("send", "-", "--name", "lines.txt", "#maths", input=text))
    equal((sent["name"], sent["bytes"]), ("lines.txt", len(text)))
    equal(ben.run("get", str(sent["file"]), "-o", "-").out, text)


@story
def the_same_is_not_sent_twice(hall):
    anna, ben = class_of_two(hall)
    source, to = hall.dir / "notes.pdf", folder(hall, "ben")
    make(source, 2 * MB)
    anna.run("send", source, "#maths")
    again = last(anna.run("send", source, "#maths"))
    equal((again["event"], again["had"]), ("sent", 2 * MB))
    wanted = digest(source)
    ben.run("get", str(again["file"]), "-o", to)
    equal(digest(to / "notes.pdf"), wanted)


def killed_at(user, words, fraction, total):
    """Runs it until so much has moved, then kill -9; the last progress."""
    running = user.follow(*words)
    while True:
        row = running.event(patience=60)
        check(row["event"] not in ("sent", "received"), "too fast to be killed", row)
        if row["event"] == "progress" and row["bytes"] >= fraction * total:
            running.end(signal.SIGKILL)
            return row


SLOW = ("--link", "rate=20M delay=5ms queue=128K")


@story
def killed_senders_and_receivers_go_on(hall):
    anna, ben = class_of_two(hall)
    size, source, to = 12 * MB, hall.dir / "film.mkv", folder(hall, "ben")
    wanted = make(source, size)
    was = killed_at(anna, (*SLOW, "send", source, "#maths"), 0.3, size)
    sent = last(anna.run("send", source, "#maths"))
    equal((sent["event"], sent["file"]), ("sent", was["file"]), "it is the same file")
    check(sent["had"] >= was["bytes"] * 0.9, "sent again:", was, sent)
    was = killed_at(ben, (*SLOW, "get", str(sent["file"]), "-o", to), 0.5, size)
    got = last(ben.run("get", str(sent["file"]), "-o", to))
    check(got["had"] >= was["bytes"] * 0.5, "fetched again:", was, got)
    equal(digest(to / "film.mkv"), wanted)


@story
def a_killed_server_goes_on(hall):
    anna, ben = class_of_two(hall)
    size, source, to = 8 * MB, hall.dir / "film.mkv", folder(hall, "ben")
    wanted = make(source, size)
    sending = anna.follow(*SLOW, "send", source, "#maths")
    while sending.event(event="progress", patience=60)["bytes"] < size * 0.3:
        pass
    hall.kill()
    hall.start()
    sent = sending.event(event="sent", patience=60)
    equal(sending.end(), 0)
    ben.run("get", str(sent["file"]), "-o", to)
    equal(digest(to / "film.mkv"), wanted)


@story
def many_at_once_beside_talk(hall):
    anna, ben = class_of_two(hall)
    sources = [hall.dir / f"{i}.bin" for i in range(4)]
    wanted = [make(s, MB, i) for i, s in enumerate(sources)]
    chat, watching, to = anna.follow("chat", "#maths", stdin=True), ben.follow("read", "#maths", "--follow"), folder(hall, "ben")
    for source in sources[:2]:
        chat.type(f"/send {source}\n")
    chat.type("and words go on\n")
    watching.event(event="message", text="and words go on")
    for source in sources[2:]:
        chat.type(f"/send {source} #maths\n")
    files = {}
    while len(files) < 4:
        row = watching.event(event="filed", patience=60)
        files[row["name"]] = row["file"]
    for i, source in enumerate(sources):
        ben.run("get", str(files[source.name]), "-o", to)
        equal(digest(to / source.name), wanted[i])




PLAYER = """
import subprocess, sys, urllib.request
log, at, url = sys.argv[1:4]
def ask(range):
    return urllib.request.urlopen(urllib.request.Request(url, headers={"Range": range}), timeout=60)
with ask("bytes=0-") as first, open(log, "w", buffering=1) as out:
    print("first", first.read(1).hex(), file=out)
    with ask(f"bytes={at}-{int(at) + 99999}") as far:
        print("far", far.status, far.read().hex(), file=out)
"""


def film(hall, seconds):
    """Pictures as they are, 1.15 MB a second."""
    if not shutil.which("ffmpeg"):
        raise Skip("there is no ffmpeg")
    path = hall.dir / "film.avi"
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=duration={seconds}:size=320x240:rate=10",
                    "-c:v", "rawvideo", "-pix_fmt", "yuv420p", str(path)], check=True, timeout=60, stdin=subprocess.DEVNULL)
    return path


@story
def played_while_it_comes(hall):
    anna, ben = class_of_two(hall)
    source, log, player = film(hall, 60), hall.dir / "log", hall.dir / "player.py"
    player.write_text(PLAYER)
    wanted, at = source.read_bytes(), source.stat().st_size * 9 // 10
    sent = last(anna.run("send", source, "#maths"))
    played = last(ben.run(*SLOW, "play", str(sent["file"]), "--player", f"{sys.executable} {player} {log} {at}"))
    equal(played["event"], "played")
    first, far = (line.split() for line in log.read_text().splitlines())
    equal(first, ["first", wanted[:1].hex()])
    equal(far, ["far", "206", wanted[at:at + 100000].hex()])
    check(played["bytes"] < played["total"] * 0.5, "a seek waits for what it does not need", played)


@story(short=True)
def played_to_the_end_and_from_the_disk(hall):
    anna, ben = class_of_two(hall)
    source, out = hall.dir / "song.bin", hall.dir / "out"
    make(source, MB + 17)
    wanted = source.read_bytes()
    sent = last(anna.run("send", source, "#maths"))
    played = last(ben.run("play", str(sent["file"]), "--player", f"curl -sS -o {out}"))
    equal((played["event"], played["bytes"], out.read_bytes() == wanted), ("played", MB + 17, True))
    equal([str(p) for p in pathlib.Path(ben.home).rglob(".roost-parts*")], [], "what is left behind")
    ben.run("play", source, "--player", f"sh -c 'cp \"$1\" {out}2' sh")
    equal(pathlib.Path(f"{out}2").read_bytes() == wanted, True)
    # a player that is not there, a file that is not there
    check("player" in ben.run("play", str(sent["file"]), "--player", "no-such-player", status=1).error["text"])
    equal(ben.run("play", "99", status=1).error["name"], "no-such-file")
    ben.run("play", "nowhere.mkv", status=2)
