#!/usr/bin/python3
"""kills.py BUILD [KILLS] [SEED] [KIND...] - kill -9 of who sends, who receives and the server, each so many times at random
moments of one transfer, over a link that counts what crosses it.

    left -- roost lab link -- right, where the server is

direct   from left to right, from person to person
relay    the same by the server's relay
up       from left to a room
down     from a room to left

It ends whole, and nothing that was acknowledged as verified crosses the link again: (1) who sends never hears of less
verified bytes than it heard of before, killed or not; (2) what arrived at the far end of the link is the file, once, and for
each kill at most what was not verified by then. That is, with SYNC the time after which a receiver syncs what it has:
    a sender     what was in the link, and the block that it was a part of
    a receiver   what the link carries in SYNC and the time of a sync, and what was in the link
    the server   nothing, when the way is direct; by the relay what was in the link; up and down as who plays its part there
Packets have heads, and a lost one is sent again: HEADS more of all that."""
import random
import sys

import harness
from harness import check, equal, until
from ordeal import ordeal
from parcels import MB, digest
from spaces import Spaces

RATE = 16 * MB // 8     # bytes a second of the link
IN_LINK = 64 * 1024 + RATE // 100 + 8 * 65536  # queue, delay, and the blocks that a sender has read ahead
SYNC, SYNCING = 1.0, 1.5  # s; the second with a busy machine and its disk
PATIENCE = 60  # s, for the end of it
HEADS, CALLS = 1.10, 60000  # CALLS: bytes of connections, certificates, questions of a program that begins anew
KINDS = {"direct": ("sender", "receiver", "server"), "relay": ("sender", "receiver", "server"),
         "up": ("sender", "server"), "down": ("receiver", "server")}


class Sides(Spaces):
    """Left (0) and right (1), and the link between them."""

    def __init__(self, hall):
        super().__init__({side: f"roost-kill-{hall.dir.name[-8:]}-{'lr'[side]}" for side in (0, 1)})
        self.hall = hall

    def build(self):
        self.link = self.hall.keep(harness.Follow(
            [str(self.hall.roost), "--json", "lab", "link", "--between", ",".join(self.names.values()), "--link",
             f"rate={RATE * 8} delay=5ms queue=64K"], self.hall.plain_env(), stdin=True))
        self.link.event(event="ready")

    def arrived(self, way):
        self.link.type("counters\n")
        return self.link.event(event="counters")[way]["arrived_bytes"]

    def bend(self, words):
        self.link.type(words + "\n")


class Follow(harness.Follow):
    def drain_now(self):
        while self.coming.qsize() and self.next() is not None:
            pass
        return self.seen


class FarHall(harness.Hall):
    """Its server is on the right."""

    @property
    def address(self):
        return f"10.77.0.2:{self.port}"


class Somebody(harness.User):
    def at(self, where):
        self.where = where
        return self

    def argv(self, *words, json=True):
        return self.where + super().argv(*words, json=json)

    def follow(self, *words):
        return self.hall.keep(Follow(self.argv(*words), self.env()))


class Ordeal:
    """One transfer, and those who can be killed."""

    def __init__(self, hall, sides, kind, kills, dice):
        self.hall, self.kind, self.dice, self.sides = hall, kind, dice, sides
        self.kills = [who for who in KINDS[kind] for _ in range(kills)]
        dice.shuffle(self.kills)
        self.to = hall.dir / f"to-{kind}"
        self.to.mkdir()
        # as much as can cross before the last kill, and then some
        self.waits = [(dice.random() >= 0.2, dice.uniform(0.01, 2.2)) for _ in self.kills]
        self.size = int(RATE * sum(seconds + 0.3 for _, seconds in self.waits)) + 4 * MB
        self.source = hall.dir / f"{kind}.bin"
        with open(self.source, "wb") as f:
            left = self.size
            while left:
                left -= f.write(dice.randbytes(min(left, 4 * MB)))
        self.sender = self.receiver = None
        self.verified, self.tolerance, self.told = 0, 0, 0
        self.begin_again = {who: {"sender": self.send, "receiver": self.receive}[who] for who in KINDS[kind] if who != "server"}
        self.way = "down" if kind == "down" else "up"

    # -- who takes part

    def prepare(self, anna, ben):
        self.anna, self.ben = anna, ben
        if self.kind in ("up", "down"):
            anna.run("room", "new", self.kind, "ben")
        if self.kind == "down":
            self.sides.bend("rate=none")
            ben.run("send", self.source, "#down")  # who is on the right
            self.number = until(lambda: [r for r in anna.rows("files", "#down") if r.get("event") == "file"], "the file")[0]["file"]
            self.sides.bend(f"rate={RATE * 8}")

    def send(self):
        target = "#up" if self.kind == "up" else "@ben"
        via = ("--via", "relay") if self.kind == "relay" else ()
        self.sender = self.anna.follow("send", self.source, target, *via)

    def receive(self):
        if self.kind == "down":
            self.receiver = self.anna.follow("get", self.number, "-o", self.to / self.source.name)
        else:
            self.receiver = self.ben.follow("receive", "--accept", "all", "--dir", self.to, "--count", "1")

    def begin(self):
        if "receiver" in KINDS[self.kind]:
            self.receive()
        if self.kind in ("direct", "relay"):
            until(lambda: any(row.get("name") == "ben" for row in self.anna.rows("who")), "ben to be on")
        if "sender" in KINDS[self.kind]:
            self.send()
        self.first = self.sides.arrived(self.way)

    # -- what they say

    def hear(self):
        """(1): who sends never hears of less."""
        while self.sender and self.sender.coming.qsize():
            line = self.sender.next()
            if line is None:
                break
            row = harness.parse(line)
            if not row or row.get("event") not in ("progress", "sent"):
                continue
            if row["bytes"]:
                check(row["bytes"] >= self.verified, f"{self.verified} bytes were verified, and now {row['bytes']} are:", line)
                self.verified = row["bytes"]

    # -- what happens

    def allowed(self, who):
        """How much crosses again after such a kill, at most."""
        if who == "server" and self.kind == "direct":
            return CALLS
        if who == "receiver" or (who == "server" and self.kind == "up"):
            return int(RATE * (SYNC + SYNCING)) + IN_LINK + CALLS
        return IN_LINK + 65536 + CALLS

    def last_words(self):
        return ["\n" + line for p in (self.sender, self.receiver) if p for line in p.drain_now()[-6:]]

    def go_on(self, who):
        """Who found no server says so and ends: people say the same once more."""
        p = getattr(self, who)
        if p.process.poll() is None:
            return
        check('"unreachable"' in "".join(p.drain_now()[-1:]), f"the {who} had ended:", p.seen[-5:])
        self.begin_again[who]()

    def kill(self, who):
        for other in self.begin_again:
            self.go_on(other)
        if who == "server":
            self.hall.kill()
            self.hall.start()
        elif who == "sender":
            self.sender.end(9)
            self.hear()
            self.send()
        else:
            self.receiver.end(9)
            self.receive()
        self.tolerance += self.allowed(who)

    def wait(self, seconds):
        end = harness.time.monotonic() + seconds
        while (left := end - harness.time.monotonic()) > 0:
            harness.time.sleep(min(0.05, left))
            self.hear()

    def moves(self):
        """Until it goes on; how long that took."""
        mark, began = self.sides.arrived(self.way), harness.time.monotonic()
        while self.sides.arrived(self.way) < mark + 200000:
            check(harness.time.monotonic() < began + PATIENCE, "it does not go on:", *self.last_words())
            self.wait(0.05)
            for who in self.begin_again:
                self.go_on(who)
        return harness.time.monotonic() - began

    def run(self):
        self.begin()
        for who, (moves, seconds) in zip(self.kills, self.waits):
            took = self.moves() if moves else 0
            self.wait(seconds if moves else seconds / 4)
            if "-v" in sys.argv:
                print(f"moved after {took:.2f} s; after {seconds:.2f} s the {who} is killed, {self.verified} bytes are verified")
            self.kill(who)
        self.wait(1)
        for who in self.begin_again:
            self.go_on(who)
        self.sides.bend("rate=400M")
        ends = [p for p in (self.sender, self.receiver) if p]
        for _ in range(PATIENCE * 2):
            self.wait(0.5)
            if all(p.process.poll() is not None for p in ends):
                break
        else:
            check(False, "it does not end:", *self.last_words())
        self.judge()

    def judge(self):
        for p in (self.sender, self.receiver):
            equal(p.process.returncode if p else 0, 0, p and p.seen[-5:])
        if self.kind == "up":
            number = until(lambda: [r for r in self.ben.rows("files", "#up") if r.get("event") == "file"], "the file")[0]["file"]
            self.ben.run("get", number, "-o", self.to / self.source.name)
        equal(digest(self.to / self.source.name), digest(self.source), "its SHA-256")
        equal([p.name for p in self.to.iterdir()], [self.source.name], "what is there")
        crossed = self.sides.arrived(self.way) - self.first
        allowed = int(HEADS * (self.size + self.tolerance))
        check(crossed <= allowed, f"{crossed} bytes crossed the link for {self.size}: more than {allowed}")
        n = len(self.kills)
        print(f"NOTE {self.kind}: {n} kills in {self.size} bytes, {crossed} crossed: {(crossed / 1.035 - self.size) / n:.0f} again for each, "
              f"{self.tolerance // n} allowed")


def kills_of(build, kind, kills, seed):
    hall = FarHall(build, "--listen", "10.77.0.2")

    def story():
        with Sides(hall) as sides:
            hall.wrap = sides.at(1)
            hall.start()
            anna, ben = (Somebody(hall, name).at(sides.at(side)).register() for side, name in enumerate(("anna", "ben")))
            story = Ordeal(hall, sides, kind, kills, random.Random(f"{kind} {seed}"))
            story.prepare(anna, ben)
            try:
                story.run()
            finally:
                problems = hall.close()
            check(not problems, problems)

    return ordeal(f"kills.{kind}", hall, story, seed)


def main(build, kills="2", seed=None, *kinds):
    seed = seed or random.randrange(10 ** 6)
    return sum([kills_of(build, kind, int(kills), seed) for kind in kinds or KINDS]) > 0


if __name__ == "__main__":
    sys.exit(main(*[a for a in sys.argv[1:] if a != "-v"]))
