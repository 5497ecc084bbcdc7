"""send --nearby and receive --nearby: two programs on a network of their own, without a server."""
import os
import pty
import select
import shutil
import subprocess

from harness import PATIENCE, Skip, User, check, equal, story
from test_files import MB, digest, folder, make, nothing_left, tree


class Here(User):
    """A user whose programs run in a network namespace."""

    def __init__(self, hall, space):
        super().__init__(hall, None)
        self.space, self.called = space, None

    def env(self, **more):
        return super().env(**({"USER": self.called} if self.called else {}), **more)

    def argv(self, *words, json=True):
        return ["ip", "netns", "exec", self.space, str(self.hall.roost), "--home", str(self.home),
                *(["--json"] if json else []), *(str(w) for w in words)]


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


class Cables:
    """Machines of which nobody else knows, and cables between them: ("a", "b") gives each of the two an interface.
    addresses: of each end of each cable; none: what IPv6 gives itself."""

    def __init__(self, *cables, addresses=()):
        self.cables, self.addresses, self.made = cables, list(addresses), []
        self.names = {x: f"near{os.getpid()}{x}" for cable in cables for x in cable}

    def __enter__(self):
        if os.geteuid() != 0 or not shutil.which("ip"):
            raise Skip("network namespaces need root and ip")
        try:
            for name in self.names.values():
                self._space(name)
            for i, cable in enumerate(self.cables):
                self._cable(f"eth{i}", *cable)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _space(self, name):
        try:
            ip("netns", "add", name)
        except subprocess.CalledProcessError as no:
            raise Skip("no network namespace can be made: " + no.stderr.decode().strip()) from no
        self.made.append(name)
        ip("-n", name, "link", "set", "lo", "up")
        # addresses count at once, without asking the cable for a second whether somebody else has them
        ip("netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")

    def _cable(self, device, one, other):
        ip("-n", self.names[one], "link", "add", device, "type", "veth", "peer", "name", device, "netns",
           self.names[other])
        for x in (one, other):
            for address in self.addresses.pop(0) if self.addresses else ():
                ip("-n", self.names[x], "address", "add", address, "dev", device)
            ip("-n", self.names[x], "link", "set", device, "up")

    def __exit__(self, *_):
        for name in self.made:
            subprocess.run(["ip", "netns", "del", name], timeout=20, check=False)


def on_cables(*cables, addresses=()):
    """f(hall, ...): one user on each machine, in the order of their letters; no server."""
    def tells(f):
        def told(hall):
            hall.stop()
            with Cables(*cables, addresses=addresses) as made:
                f(hall, *(Here(hall, made.names[x]) for x in sorted(made.names)))
        told.__name__, told.__module__ = f.__name__, f.__module__
        return told
    return tells


on_a_cable = on_cables("ab", addresses=[["10.77.0.1/24"], ["10.77.0.2/24"]])


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


def until_asked(process, *words):
    """What it says until one of these is asked."""
    seen = b""
    while not any(w in seen for w in words):
        check(select.select([process.stderr], [], [], PATIENCE)[0], "nothing is asked after", seen)
        more = os.read(process.stderr.fileno(), 4096)
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
def one_after_another_finds_the_same_place(hall, anna, ben):
    """A program that receives is found once, at one place, from its first transfer to its last."""
    source, to, places = hall.dir / "note.txt", folder(hall, "to"), set()
    make(source, 100)
    receiving = receives(ben, to, "--count", "12")
    for _ in range(12):
        done = anna.run("send", "--nearby", source)
        found = [r["address"] for r in done.rows if r["event"] == "nearby"]
        equal(len(found), 1, done)
        places.update(found)
        receiving.event(event="received")
    equal(len({p.rpartition(":")[2] for p in places}), 1, places)
    equal(receiving.process.wait(PATIENCE), 0)
    equal(len(list(to.iterdir())), 12)


@story
@on_a_cable
def who_is_killed_and_there_again_is_sent_to(hall, anna, ben):
    """The sender found the one that was killed, and goes on looking by itself."""
    source, to = hall.dir / "note.txt", folder(hall, "to")
    wanted = make(source, 100)
    killed = receives(ben, to)
    sending = anna.follow("send", "--nearby", source)
    sending.event(event="nearby")
    killed.process.kill()
    killed.process.wait(PATIENCE)
    receiving = receives(ben, to)
    sending.event(event="sent")
    receiving.event(event="received")
    equal(digest(to / "note.txt"), wanted)


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


def by_link_alone(f):
    """IPv6 as it comes with the cable, and nothing else."""
    return on_cables("ab")(f)


@story
@by_link_alone
def over_ipv6_alone(hall, anna, ben):
    source, to = hall.dir / "notes.pdf", folder(hall, "to")
    wanted = make(source, 2 * MB)
    receiving = receives(ben, to)
    done = anna.run("send", "--nearby", source)
    check(done.rows and any(r["event"] == "nearby" and r["address"].startswith("[fe80::") for r in done.rows), done.out)
    equal((done.rows[-1]["event"], done.rows[-1]["way"]), ("sent", "LAN"))
    receiving.event(event="received")
    equal(digest(to / "notes.pdf"), wanted)
    nothing_left(to)


@story
@on_cables("ab", "bc", addresses=[["10.77.0.1/24"], ["10.77.0.2/24"], ["fd77::1/64"], ["fd77::2/64"]])
def one_with_two_interfaces_is_found_by_both(hall, anna, ben, carl):
    """Anna has IPv4 to Ben, Carl has IPv6; and Ben, when he looks, finds both."""
    source, to = hall.dir / "notes.pdf", folder(hall, "to")
    wanted = make(source, MB)
    receiving = receives(ben, to, "--count", "2")
    for sender, name in ((anna, "a.pdf"), (carl, "c.pdf")):
        equal(sender.run("send", "--nearby", source, "--name", name).rows[-1]["way"], "LAN")
        receiving.event(event="received")
        equal(digest(to / name), wanted)
    equal(receiving.process.wait(PATIENCE), 0)
    others = [receives(anna, to, name="Anna"), receives(carl, to, name="Carl")]
    for one, name in zip(others, ("Anna", "Carl")):
        equal(ben.run("send", "--nearby", "--to", name, source, "--name", name).rows[-1]["way"], "LAN")
        one.event(event="received")
        equal(digest(to / name), wanted)


three = on_cables("ab", "bc", addresses=[["10.77.0.1/24"], ["10.77.0.2/24"], ["10.77.1.2/24"], ["10.77.1.1/24"]])


@story
@three
def of_two_who_send_at_once_one_is_chosen(hall, anna, ben, carl):
    source, to = hall.dir / "notes.pdf", folder(hall, "to")
    make(source, MB)
    other = hall.dir / "film.mkv"
    wanted = make(other, 2 * MB, 7)
    receiver, there = asked(ben, "receive", "--nearby", "--dir", to)
    first = anna.follow("send", "--nearby", source)
    seen = until_asked(receiver, b"[y/N]")
    check("sends notes.pdf, 1.0 MB" in seen and first.event(event="connected")["words"] in seen, seen)
    second = carl.follow("send", "--nearby", other)
    seen = until_asked(receiver, b"or n for none:")
    for words in ("notes.pdf, 1.0 MB", "film.mkv, 2.0 MB", second.event(event="connected")["words"]):
        check(words in seen, words, "not in", seen)
    number = [line.split()[0] for line in seen.splitlines() if "film.mkv" in line][-1]
    os.write(there, b"perhaps\n")
    until_asked(receiver, b"or n for none:")
    os.write(there, number.encode() + b"\n")
    second.event(event="sent")
    check("declined" in first.event(event="error")["text"])
    check("received from" in ends(receiver, there, 0))
    equal([p.name for p in to.iterdir()], ["film.mkv"])
    equal(digest(to / "film.mkv"), wanted)


@story
@three
def two_at_once_are_both_taken_or_one_by_name(hall, anna, ben, carl):
    source, to = hall.dir / "notes.pdf", folder(hall, "to")
    wanted = make(source, 3 * MB)
    receiving = receives(ben, to, "--count", "2")
    sending = [who.follow("send", "--nearby", source, "--limit", "8M") for who in (anna, carl)]
    for one in sending:
        one.event(event="progress")  # both move, neither waits for the other
    for one in sending:
        one.event(event="sent")
        receiving.event(event="received")
    equal(sorted(digest(p) for p in to.iterdir()), [wanted, wanted])
    equal(receiving.process.wait(PATIENCE), 0)
    anna.called, carl.called = "anna", "carl"
    receiving = receives(ben, to, "--from", "Anna")
    away = carl.follow("send", "--nearby", source, "--name", "carl.pdf")
    check("declined" in away.event(event="error")["text"])
    anna.run("send", "--nearby", source, "--name", "anna.pdf")
    receiving.event(event="received")
    equal(receiving.process.wait(PATIENCE), 0)
    equal(sorted(p.name for p in to.iterdir()), ["anna.pdf", "notes (2).pdf", "notes.pdf"])
