"""From person to person through real address translators: straight where that can be, by the relay elsewhere."""
import contextlib
import pathlib
import tempfile

from harness import Lines, check, story, until
from nats import PORT, SERVER, Nats

FOUND_MS = 15000  # a way is found in less; how much less is told in virtual time (sim/paths)


class Ends:
    """A relay and two ends in their places."""

    def __init__(self, hall, nets, folder):
        tool = str(hall.bin.parent / "tests" / "tools" / "reacher")
        socket = str(pathlib.Path(folder) / "signals")
        env = hall.plain_env()
        self.relay = Lines([*nets.at("net"), tool, "relay", SERVER, str(PORT)], env, stdin=True)
        self.relay.until("ready")
        self.b = Lines([*nets.at("b"), tool, "answers", socket, SERVER, str(PORT)], env, stdin=True)
        self.b.until("ready")
        self.a = Lines([*nets.at("a"), tool, "calls", socket, SERVER, str(PORT)], env, stdin=True)

    def found(self):
        """How, and after how many milliseconds, as both say."""
        rows = [end.until("found ").string.split() for end in (self.a, self.b)]
        check(rows[0][1] == rows[1][1], "both by the same way", rows)
        check(all(int(row[2]) < FOUND_MS for row in rows), "in time", rows)
        return rows[0][1]

    def straight(self):
        """The relay may be found first: they do not stop there."""
        for end in (self.a, self.b):
            while end.until("^(found|path) ").string.split()[1] != "direct":
                pass

    def bytes(self):
        return int(self.a.until("bytes ").string.split()[1])

    def grows(self):
        """More arrives."""
        before = self.bytes()
        until(lambda: self.bytes() > before + 100000, "more")

    def end(self):
        for lines in (self.a, self.b, self.relay):
            lines.end()


@contextlib.contextmanager
def ends(hall, a, b):
    with Nats(a=a, b=b) as nets, tempfile.TemporaryDirectory() as folder:
        both = Ends(hall, nets, folder)
        try:
            yield nets, both
        finally:
            both.end()


@story
def straight_where_probing_succeeds(hall):
    for a, b in (("port", "port"), ("symmetric", "full")):
        with ends(hall, a, b) as (_, both):
            both.straight()
            both.grows()


@story
def by_the_relay_elsewhere(hall):
    for a, b in (("symmetric", "symmetric"), ("port", "symmetric")):
        with ends(hall, a, b) as (_, both):
            way = both.found()
            check(way == "relay", a, b, way)
            both.grows()


@story
def a_better_way_is_taken_under_way(hall):
    """Straight packets are lost for a while: the stream goes on by the relay, and comes back."""
    with ends(hall, "port", "port") as (nets, both):
        both.straight()
        both.grows()
        nets.cut_straight()
        check(both.a.until("path ").string.split()[1] == "relay")
        both.grows()
        nets.cut_straight(False)
        check(both.a.until("path ").string.split()[1] == "direct")
        both.grows()
