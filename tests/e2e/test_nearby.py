"""send --nearby and receive --nearby: two programs on a network of their own, without a server."""
import os
import pty
import shutil
import subprocess

from harness import PATIENCE, Skip, User, check, equal, story
from test_files import MB, digest, folder, make, nothing_left, tree


class Here(User):
    """A user whose programs run in a network namespace."""

    def __init__(self, hall, space):
        super().__init__(hall, None)
        self.space = space

    def argv(self, *words, json=True):
        return ["ip", "netns", "exec", self.space, str(self.hall.roost), "--home", str(self.home),
                *(["--json"] if json else []), *(str(w) for w in words)]


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


def on_a_cable(f):
    """f(hall, here, there): two machines of which nobody else knows, on one network; no server."""
    def told(hall):
        if os.geteuid() != 0 or not shutil.which("ip"):
            raise Skip("network namespaces need root and ip")
        hall.stop()
        spaces = [f"near{os.getpid()}{x}" for x in "ab"]
        made = []
        try:
            for space in spaces:
                try:
                    ip("netns", "add", space)
                except subprocess.CalledProcessError as no:
                    raise Skip("no network namespace can be made: " + no.stderr.decode().strip())
                made.append(space)
            ip("-n", spaces[0], "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", spaces[1])
            for i, space in enumerate(spaces):
                ip("-n", space, "address", "add", f"10.77.0.{i + 1}/24", "dev", "eth0")
                ip("-n", space, "link", "set", "eth0", "up")
                ip("-n", space, "link", "set", "lo", "up")
            f(hall, *(Here(hall, space) for space in spaces))
        finally:
            for space in made:
                subprocess.run(["ip", "netns", "del", space], timeout=20, check=False)
    told.__name__, told.__module__ = f.__name__, f.__module__
    return told


def receives(user, to, *options, name="Ben's laptop"):
    receiving = user.follow("receive", "--nearby", "--name", name, "--accept", "all", "--dir", to, *options)
    receiving.event(event="transfer", stage="waiting")
    return receiving


@story(short=True)
@on_a_cable
def a_file_a_folder_a_text_and_a_pipe(hall, anna, ben):
    source, photos, to = hall.dir / "notes.pdf", folder(hall, "photos"), folder(hall, "to")
    wanted = make(source, 2 * MB + 17)
    for i in range(20):
        make(photos / f"day {i % 3}" / f"{i}.jpg", i * 100, i)
    receiving = receives(ben, to, "--count", "4")
    done = anna.run("send", "--nearby", source)
    there = [r for r in done.rows if r["event"] == "connected"][0]
    here = receiving.event(event="connected")
    equal((there["peer"], there["words"]), ("Ben's laptop", here["words"]))
    equal(len(here["words"].split()), 3)
    equal((done.rows[-1]["event"], done.rows[-1]["way"]), ("sent", "LAN"))
    equal(receiving.event(event="received")["bytes"], 2 * MB + 17)
    equal(digest(to / "notes.pdf"), wanted)
    anna.run("send", "--nearby", "--to", "ben's laptop", photos)
    receiving.event(event="received")
    equal(tree(to / "photos"), tree(photos))
    anna.run("send", "--nearby", "--text", "the door code is 4711")
    receiving.event(event="received")
    equal((to / "text.txt").read_text(), "the door code is 4711")
    anna.run("send", "--nearby", "-", "--name", "lines.txt", input="line after line\n" * 3000)
    receiving.event(event="received")
    equal((to / "lines.txt").read_text(), "line after line\n" * 3000)
    equal(receiving.process.wait(PATIENCE), 0)
    nothing_left(to)


@story
@on_a_cable
def a_killed_receiver_gets_only_the_rest(hall, anna, ben):
    source, to = hall.dir / "film.mkv", folder(hall, "to")
    wanted = make(source, 30 * MB)
    receiving = receives(ben, to)
    sending = anna.follow("send", "--nearby", source, "--limit", "2MB")
    sending.event(event="progress")
    while sending.event(event="progress")["bytes"] < 2 * MB:
        pass
    receiving.process.kill()
    check("not there any more" in sending.event(event="error")["text"])
    check(sending.process.wait(PATIENCE) != 0)
    check(not (to / "film.mkv").exists())
    receiving = receives(ben, to)
    anna.run("send", "--nearby", source)
    got = receiving.event(event="received")
    check(MB <= got["had"] < 30 * MB, got)
    equal(digest(to / "film.mkv"), wanted)
    nothing_left(to)


def asked(user, *words):
    """A program with a terminal to answer at: the process, the terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(user.argv(*words, json=False), env=user.env(), stdin=theirs, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    os.close(theirs)
    return process, ours


def until_asked(process, words):
    seen = b""
    while words not in seen:
        more = process.stderr.read1(4096)
        check(more, "it ended after", seen)
        seen += more
    return seen.decode()


def ends(process, terminal, status):
    try:
        out, err = process.communicate(timeout=20)
        equal(process.returncode, status, out + err)
        return (out + err).decode()
    finally:
        process.kill()
        os.close(terminal)


@story(short=True)
@on_a_cable
def people_are_asked(hall, anna, ben):
    source, to = hall.dir / "notes.pdf", folder(hall, "to")
    wanted = make(source, 100000)
    # declined by who would receive
    receiver, there = asked(ben, "receive", "--nearby", "--dir", to)
    sending = anna.follow("send", "--nearby", source)
    question = until_asked(receiver, b"[y/N]")
    check("notes.pdf" in question and sending.event(event="connected")["words"] in question, question)
    os.write(there, b"n\n")
    check("declined" in sending.event(event="error")["text"])
    equal(sending.process.wait(PATIENCE), 1)
    ends(receiver, there, 1)
    equal(list(to.iterdir()), [])
    # the words are not those: nothing is told, and who receives waits on
    receiver, there = asked(ben, "receive", "--nearby", "--dir", to)
    sender, here = asked(anna, "send", "--nearby", source)
    until_asked(sender, b"[y/N]")
    os.write(here, b"n\n")
    ends(sender, here, 1)
    sender, here = asked(anna, "send", "--nearby", source)
    until_asked(sender, b"[y/N]")
    os.write(here, b"y\n")
    until_asked(receiver, b"[y/N]")
    os.write(there, b"y\n")
    check("sent to" in ends(sender, here, 0))
    check("received from" in ends(receiver, there, 0))
    equal(digest(to / "notes.pdf"), wanted)


@story
@on_a_cable
def nobody_or_several_are_there(hall, anna, ben):
    source, to = hall.dir / "notes.pdf", folder(hall, "to")
    make(source, 1000)
    error = anna.run("send", "--nearby", source, status=3).error
    check("nobody was found" in error["text"] and "receive --nearby" in error["advice"], error)
    one, other = receives(ben, to), receives(ben, to, name="Carl")
    error = anna.run("send", "--nearby", source, status=2).error
    check("--to" in error["advice"], error)
    check("of that name" in anna.run("send", "--nearby", "--to", "Dora", source, status=3).error["text"])
    anna.run("send", "--nearby", "--to", "Carl", source)
    other.event(event="received")
    check(one.process.poll() is None)
    one.end()
    ben.run("receive", "--nearby", status=2)
    ben.run("receive", "--name", "Ben", "--accept", "all", status=None)
    anna.run("send", "--nearby", "--code", source, status=2)
