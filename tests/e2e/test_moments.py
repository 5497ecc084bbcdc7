"""Programs that die at the very moment when something gets its name, and clocks that somebody sets while files are on their way.
The programs are tests/power/roost-moments and roostd-moments."""
import os
import struct

from harness import PATIENCE, User, check, equal, parse, story, until
from parcels import MB, digest, folder, make, tree

KILLED = 137
RENAMES_MOST = 40
SLOW = ("--link", "rate=20M delay=5ms queue=64K")
DAY_MS = 24 * 3600 * 1000


def program(hall, name):
    return hall.bin.parent / "tests/power" / name


class Clock:
    """A time of day of our own, beside everybody else's."""

    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, ms):
        if not self.path.exists():
            self.path.write_bytes(bytes(8))
        with open(self.path, "r+b", buffering=0) as f:
            os.pwrite(f.fileno(), struct.pack("=q", ms), 0)


class Odd(User):
    """A user of the other program."""
    dies, clock = None, None

    def argv(self, *words, json=True):
        return [str(program(self.hall, "roost-moments"))] + super().argv(*words, json=json)[1:]

    def env(self, **more):
        return super().env(ROOST_DIES=self.dies, ROOST_CLOCK=self.clock and str(self.clock.path), **more)


def nothing_half(to, name, wanted, look):
    check(not (to / name).exists() or look(to / name) == wanted, "something else has its name")


def each_rename(tell):
    """tell(dies): until one comes to its end without having died there; how often one died."""
    died = 0
    for n in range(1, RENAMES_MOST):
        for when in ("before", "after"):
            if not tell(f"{when}:{n}"):
                check(died, "nothing was renamed")
                return died
            died += 1
    raise AssertionError("there is no end of it")


@story
def who_receives_dies_at_a_rename(hall):
    """A file and a folder from a room. The first name is that of the mark that all is verified and synced: from there on nothing
    is fetched again."""
    anna, ben = hall.user("anna"), Odd(hall, "ben").register()
    anna.run("room", "new", "maths", "ben")
    one, many, to = hall.dir / "film.mkv", hall.dir / "photos", folder(hall, "to")
    make(one, 3 * MB)
    for i in range(6):
        make(many / f"{i % 2}" / f"{i}.jpg", 200_000, i)
    for source, look in ((one, digest), (many, tree)):
        file, wanted, size = anna.run("send", source, "#maths").rows[-1]["file"], look(source), 3 * MB if source == one else 1_200_000

        def tell(dies):
            ben.dies = dies
            status = ben.run("get", file, "-o", to, status=None).status
            ben.dies = None
            nothing_half(to, source.name, wanted, look)
            if status == 0:
                return False
            equal(status, KILLED)
            got = ben.run("get", file, "-o", to).rows[-1]
            equal(got["event"], "received")
            names = [p for p in to.iterdir() if p.name != ".roost-parts"]
            equal([(p.name, look(p)) for p in names], [(source.name, wanted)])
            check(got["had"] == size or dies == "before:1", "what was there came again:", got)
            os.rename(to / source.name, hall.dir / f"aside {dies} {source.name}")
            return True

        each_rename(tell)
        (to / source.name).rename(hall.dir / f"aside {source.name}")


@story
def who_is_sent_something_dies_at_a_rename(hall):
    """From person to person: the sender waits, hears it from the next program, and nothing crosses twice."""
    anna, ben = hall.user("anna"), Odd(hall, "ben").register()
    source, to, n = hall.dir / "film.mkv", folder(hall, "to"), 0
    wanted = make(source, 2 * MB)

    def tell(dies):
        ben.dies = dies
        receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
        until(lambda: any(row.get("name") == "ben" for row in anna.rows("who")), "ben to be on")
        sending = anna.follow("send", source, "@ben")
        status = receiving.process.wait(PATIENCE)
        ben.dies = None
        nothing_half(to, source.name, wanted, digest)
        if status:
            equal(status, KILLED, receiving.drain())
            ben.run("receive", "--accept", "all", "--dir", to, "--count", "1")
        sent = sending.event(event="sent")
        equal((sent["bytes"], sending.process.wait(PATIENCE)), (2 * MB, 0))
        check(dies == "before:1" or sent["sent_bytes"] < 1.5 * 2 * MB, "it crossed twice:", sent)
        equal([digest(p) for p in to.iterdir() if p.name != ".roost-parts"], [wanted])
        (to / source.name).unlink()
        return status != 0

    each_rename(tell)


@story(long=True)
def the_server_dies_at_a_rename(hall):
    """Where it keeps what comes: the sender goes on by itself, and others get the whole."""
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    hall.stop()
    hall.roostd, made = program(hall, "roostd-moments"), []

    def tell(dies, source, wanted, look, out):
        hall.more_env["ROOST_DIES"] = dies
        hall.start()
        sending = anna.follow("send", source, "#maths")
        until(lambda: sending.process.poll() is not None or hall.server.process.poll() is not None, "an end")
        del hall.more_env["ROOST_DIES"]
        died = hall.server.process.poll() is not None
        if died:
            equal(hall.server.process.returncode, KILLED)
            hall.start()
        sent = sending.event(event="sent")
        equal(sending.process.wait(PATIENCE), 0)
        ben.run("get", sent["file"], "-o", out)
        equal(look(out), wanted)
        hall.stop()
        return died

    def a_file(dies):
        source = hall.dir / f"{len(made)}.mkv"
        made.append(source)
        return tell(dies, source, make(source, 2 * MB, dies), digest, hall.dir / f"got {source.name}")

    def a_folder(dies):
        source = hall.dir / f"{len(made)} photos"
        made.append(source)
        for i in range(5):
            make(source / f"{i}.jpg", 100_000, f"{dies} {i}")
        out = folder(hall, f"got {source.name}")
        return tell(dies, source, tree(source), lambda p: tree(p / source.name), out)

    each_rename(a_file)
    each_rename(a_folder)
    hall.start()


def sane(rows, size):
    """What people are shown: no rate that nothing carries, no time left that nobody lives to see, nothing that goes back."""
    before = 0
    for row in rows:
        check(before <= row["bytes"] <= size, "bytes go wild:", row)
        check(0 <= row["bits_a_second"] < 1e9, "the rate goes wild:", row)
        check(row["left_s"] is None or 0 <= row["left_s"] < DAY_MS / 1000, "the time left goes wild:", row)
        before = row["bytes"]


def goes_on(process, clocks, settings):
    """Sets these clocks after each next second that it tells of, then waits for the end; all that it told."""
    rows = []
    for ms in settings:
        rows.append(process.event(event="progress"))
        for clock in clocks:
            clock.set(ms)
    while (line := process.next()) is not None:
        row = parse(line)
        if row and row["event"] in ("progress", "sent", "received"):
            rows.append(row)
    return rows


@story
def clocks_are_set_while_a_file_crosses(hall):
    """Back by a month, on by a year, and back where they were, on both sides, from person to person."""
    anna, ben = Odd(hall, "anna").register(), Odd(hall, "ben").register()
    anna.clock, ben.clock = Clock(hall.dir / "a"), Clock(hall.dir / "b")
    source, to, size = hall.dir / "film.mkv", folder(hall, "to"), 8 * MB
    wanted = make(source, size)
    os.utime(source, (1_500_000_000, 1_500_000_000))
    receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
    until(lambda: any(row.get("name") == "ben" for row in anna.rows("who")), "ben to be on")
    sending = anna.follow(*SLOW, "send", source, "@ben", "--limit", "16M")
    rows = goes_on(sending, (anna.clock, ben.clock), (-30 * DAY_MS, 365 * DAY_MS, 0))
    equal((rows[-1]["event"], sending.process.wait(PATIENCE)), ("sent", 0))
    sane(rows, size)
    equal(receiving.process.wait(PATIENCE), 0)
    sane([r for r in map(parse, receiving.drain()) if r and r["event"] in ("progress", "received")], size)
    equal(digest(to / "film.mkv"), wanted)
    equal((to / "film.mkv").stat().st_mtime, 1_500_000_000)
    check(rows[-1]["sent_bytes"] < 1.5 * size, "it crossed twice:", rows[-1])


@story
def the_clock_of_the_server_is_set_while_it_keeps_a_file(hall):
    """Back by a month while it comes, and on again: nothing is thought old that is new, and nothing is kept for ever."""
    hall.stop()
    hall.roostd = program(hall, "roostd-moments")
    clock = Clock(hall.dir / "clock")
    hall.more_env["ROOST_CLOCK"] = str(clock.path)
    hall.start("--set", "files.days=10", "--set", "files.reserve=0")
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    source, size = hall.dir / "film.mkv", 8 * MB
    wanted = make(source, size)
    anna.run("send", source, "#maths", "--name", "before.mkv")
    sending = anna.follow(*SLOW, "send", make_other(hall, size), "#maths", "--limit", "16M")
    rows = goes_on(sending, (clock,), (-30 * DAY_MS, -31 * DAY_MS))
    equal((rows[-1]["event"], sending.process.wait(PATIENCE)), ("sent", 0))
    sane(rows, size)
    files = {r["name"]: r for r in ben.rows("files", "#maths") if r.get("event") == "file"}
    equal(sorted(files), ["before.mkv", "other.mkv"])
    anna.run("say", "#maths", "talk goes on")
    hall.kill()
    hall.start("--set", "files.days=10", "--set", "files.reserve=0")
    for name in files:
        ben.run("get", files[name]["file"], "-o", hall.dir / f"got {name}")
    equal(digest(hall.dir / "got before.mkv"), wanted)
    clock.set(0)
    ben.run("get", files["before.mkv"]["file"], "-o", hall.dir / "again")
    equal(digest(hall.dir / "again"), wanted)


def make_other(hall, size):
    make(hall.dir / "other.mkv", size, "other")
    return hall.dir / "other.mkv"
