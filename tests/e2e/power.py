#!/usr/bin/python3
"""power.py BUILD [CUTS] [SEED] - the power goes at the real programs that receive files: roost receive, and the server that
keeps one. Their disk (tests/power/faultos.c) loses what was not synced, or half of it, in the middle of any call.

After each cut: what was said to be verified is there and does not come again; under a final name there is nothing, or the whole
file. In the end all is there, also when the power goes once more right after that was said."""
import random
import sys

import harness
from harness import check, equal, until
from ordeal import ordeal
from parcels import MB, digest, make, tree

POWER_OFF = 9
SLOW = ("--link", "rate=60M delay=2ms queue=128K")
PATIENCE = 60


class Hall(harness.Hall):
    """Its server's disk may be one that loses power."""
    power = "0:0"

    def plain_env(self, **more):
        return super().plain_env(ROOST_POWER=self.power, ROOST_POWER_BIN=str(self.bin_of_power()), **more)

    def bin_of_power(self):
        folder = self.dir / "bin"
        folder.mkdir(exist_ok=True)
        return folder


class Ben(harness.User):
    """Who receives; his program and his disk."""
    power, deaf = "0:0", ""

    def argv(self, *words, json=True):
        argv = super().argv(*words, json=json)
        return [str(self.hall.bin.parent / "tests/power/roost-power")] + argv[1:]

    def env(self, **more):
        return super().env(ROOST_POWER=self.power + self.deaf, ROOST_POWER_BIN=str(self.hall.bin_of_power()), **more)


class Told:
    """What who sends hears of verified bytes: never less than before."""

    def __init__(self, process):
        self.process, self.verified, self.sent = process, 0, None

    def hear(self):
        while self.process.coming.qsize():
            line = self.process.next()
            row = line and harness.parse(line)
            if line is None:
                return
            if row and row.get("event") in ("progress", "sent") and row["bytes"]:
                check(row["bytes"] >= self.verified, f"{self.verified} bytes were verified, and now:", line)
                self.verified = row["bytes"]
            if row and row.get("event") == "sent":
                self.sent = row


def ends(process, told):
    """Its exit status, when it has ended."""
    end = harness.time.monotonic() + PATIENCE
    while process.process.poll() is None:
        told.hear()
        check(harness.time.monotonic() < end, "it does not end:", process.seen[-5:], told.process.seen[-5:])
        harness.time.sleep(0.02)
    return process.process.returncode


def receives(hall, source, whole, cuts, dice):
    """A person receives, and the power goes CUTS times."""
    anna, ben = hall.user("anna"), Ben(hall, "ben").register()
    to = hall.dir / "to"
    to.mkdir()
    told, happened = None, 0
    for i in range(cuts + 1):
        ben.power = f"{dice.randrange(1 << 30)}:{dice.randrange(1, 150) if i < cuts else 0}"
        receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
        if not told:
            until(lambda: any(row.get("name") == "ben" for row in anna.rows("who")) or receiving.process.poll() is not None, "ben to be on")
            told = Told(anna.follow(*SLOW, "send", source, "@ben"))
        status = ends(receiving, told)
        receiving.drain()
        check(status in (0, POWER_OFF), f"exit status {status}:", receiving.seen[-5:])
        happened += status == POWER_OFF
        check(not (to / source.name).exists() or whole(to / source.name), "another file has its name")
        if status == 0:
            break
    equal(ends(told.process, told), 0, told.process.seen[-3:])
    check(whole(to / source.name), "it is not whole")
    return happened, told.process.seen and harness.parse(told.process.seen[-1])["sent_bytes"]


def a_file(hall, cuts, dice):
    source = hall.dir / "film.mkv"
    wanted = make(source, (4 + 2 * cuts) * MB, dice.randrange(1 << 30))
    return receives(hall, source, lambda p: p.exists() and digest(p) == wanted, cuts, dice)


def a_disk_that_ignores_syncs(hall, cuts, dice):
    """Or the others would prove nothing."""
    Ben.deaf = ":deaf"
    try:
        a_file(hall, max(cuts, 4), dice)
    except harness.Failure:
        return 0, 0
    finally:
        Ben.deaf = ""
    check(False, "nobody noticed")


def a_folder(hall, cuts, dice):
    source = hall.dir / "photos"
    for i in range(60 + 20 * cuts):
        make(source / f"day {i % 7}" / f"{i}.jpg", dice.randrange(60000), i)
    wanted = tree(source)
    return receives(hall, source, lambda p: p.exists() and tree(p) == wanted, cuts, dice)


def begun(hall):
    """Starts the server, again when its power goes at once."""
    try:
        hall.start()
    except harness.Failure:
        check(hall.server.process.wait(20) == POWER_OFF, "the server did not start")
        return False
    return True


def the_depot(hall, cuts, dice):
    """The server keeps a file, and the power goes CUTS times, and when all was said."""
    hall.stop()
    hall.roostd = hall.bin.parent / "tests/power/roostd-power"
    begun(hall)
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    source, out = hall.dir / "film.mkv", hall.dir / "out"
    wanted = make(source, (4 + 2 * cuts) * MB, dice.randrange(1 << 30))
    told, happened = None, 0
    hall.stop()
    for i in range(cuts + 1):
        hall.power = f"{dice.randrange(1 << 30)}:{dice.randrange(1, 150) if i < cuts else 0}"
        if begun(hall):
            if not told or told.process.process.poll() is not None:
                told = Told(anna.follow(*SLOW, "send", source, "#maths"))
            while told.process.process.poll() is None and hall.server.process.poll() is None:
                told.hear()
                harness.time.sleep(0.02)
            told.hear()
        if told and told.sent:
            break
        if hall.server.process.poll() is None and told.process.process.poll():
            check(any('"unreachable"' in line for line in told.process.seen[-1:]), "it failed:", told.process.seen[-5:])
            hall.server.end()
        happened += hall.server.process.wait(20) == POWER_OFF
    check(told.sent, "it does not end")
    if hall.server.process.poll() is None:
        hall.server.end()  # and the power goes with it
    hall.power = "1:0"
    hall.start()
    rows = [r for r in ben.rows("files", "#maths") if r.get("event") == "file"]
    equal(len(rows), 1, "what is in the room")
    ben.run("get", rows[0]["file"], "-o", out)
    equal(digest(out), wanted)
    return happened, told.sent["sent_bytes"]


def cuts_of(build, f, cuts, seed):
    hall = Hall(build)

    def story():
        hall.start()
        n, crossed = f(hall, cuts, random.Random(f"{f.__name__} {seed}"))
        problems = hall.close()
        check(not problems, problems)
        print(f"NOTE {f.__name__}: the power went {n} times, and at the end; {crossed} bytes were sent by the last sender")

    return ordeal(f"power.{f.__name__}", hall, story, seed)


def main(build, cuts="4", seed=None, *names):
    seed = seed or random.randrange(10 ** 6)
    return sum([cuts_of(build, f, int(cuts), seed) for f in (a_file, a_folder, the_depot, a_disk_that_ignores_syncs) if not names or f.__name__ in names]) > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
