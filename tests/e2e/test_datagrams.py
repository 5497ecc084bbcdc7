"""Sessions of datagrams between real programs: UDP blocked, back, moved, and control lost."""
import contextlib
import time

from harness import User, check, equal, story
from way import HOST, Way


class Ping:
    """A ping of the way alone, whose answers come one by one."""

    def __init__(self, user, count=300, interval=100):
        self.lines = user.follow("ping", "--datagrams", "--count", count, "--interval", interval)

    def pong(self):
        return self.lines.event(event="pong", patience=30)

    def by(self, way, patience=30.0):
        """Until it is answered that way: how many were not answered, and how long it took."""
        began, lost = time.monotonic(), 0
        while True:
            row = self.pong()
            if row["way"] == way and "way_ms" in row:
                return lost, time.monotonic() - began
            lost += "way_ms" not in row
            check(time.monotonic() < began + patience, "not by", way, "but", row)


@contextlib.contextmanager
def between(hall, **more):
    way = Way(hall, **more)
    try:
        yield way
    finally:
        way.close()


def bent(hall, name="anna"):
    """A user whose packets go through the Way."""
    user = hall.user(name)
    argv = user.argv
    user.argv = lambda *words, json=True: [w if w != hall.address else f"{HOST}:{hall.port}" for w in argv(*words, json=json)]
    user.run("login", user.name)
    return user


@story(short=True)
def udp_is_used_where_it_works(hall):
    with between(hall) as way:
        anna = bent(hall)
        *pongs, path = anna.rows("ping", "--count", "5", "--interval", "20")
        check(all(p["way"] == "udp" for p in pongs), pongs)
        check(path["way"] == "udp" and path["lost"] == 0 and way.passed >= 10, path, way.passed)
        said = anna.run("ping", "--count", "1", json=False).out
        check("by udp in" in said and "seen at 127.0.0.1:" in said and "tunnel" not in said, said)


@story(short=True)
def a_tunnel_is_used_where_udp_is_blocked(hall):
    with between(hall) as way:
        anna = bent(hall)
        way.udp_open = False
        *pongs, path = anna.rows("ping", "--count", "5", "--interval", "20")
        check(all(p["way"] == "tunnel" and "way_ms" in p for p in pongs), pongs)
        check(path["way"] == "tunnel" and path["lost"] == 0 and way.stopped > 0 and not way.passed, path)
        said = anna.run("ping", "--count", "1", json=False).out
        check("by tunnel in" in said and "UDP is blocked" in said, said)


@story
def the_tunnel_is_left_when_udp_returns(hall):
    with between(hall) as way:
        ping = Ping(bent(hall))
        way.udp_open = False
        ping.by("tunnel")
        way.udp_open = True
        lost, took = ping.by("udp", 25)  # tried again every 15 s
        check(lost == 0 and took < 25, lost, took)


@story
def udp_that_falls_silent_is_left(hall):
    with between(hall) as way:
        ping = Ping(bent(hall))
        ping.by("udp")
        way.udp_open = False
        lost, _ = ping.by("tunnel")
        check(lost <= 3, lost)
        way.udp_open = True
        ping.by("udp", 25)


@story
def a_tunnel_that_breaks_is_made_again(hall):
    with between(hall) as way:
        ping = Ping(bent(hall))
        way.udp_open = False
        ping.by("tunnel")
        for _ in range(3):
            way.cut(control=False)
            ping.by("tunnel")


@story
def who_moves_is_followed(hall):
    with between(hall) as way:
        anna = bent(hall)
        ping = Ping(anna, count=60)
        ping.by("udp")
        for _ in range(5):
            way.move()
            lost, _ = ping.by("udp")
            check(lost <= 1, lost)
        while "way" in (row := ping.lines.event(patience=30)) and row["event"] == "pong":
            check(row["way"] == "udp", row)
        check(row["event"] == "path" and row["lost"] <= 5 and row["changes"] == 1, row)
        root = hall.admin()
        stats = root.rows("admin", "stats")[0]
        check(0 < stats["unproven_bytes_out"] <= 3 * stats["unproven_bytes_in"], stats)
        equal(stats["datagrams_forged"], 0)


@story
def addresses_that_never_answer_get_little(hall):
    with between(hall) as way:
        anna = bent(hall)
        ping = Ping(anna, count=200, interval=10)
        ping.by("udp")
        way.scatter = []
        began = time.monotonic()
        ping.by("tunnel")  # all that comes is from somebody else, who is not believed
        took = time.monotonic() - began
        way.scatter, seen = None, way.scatter
        check(len(seen) > 10 and any(sent for _, sent in seen), seen)
        for came, sent in seen:
            check(sent <= 3 * came, "three times what it sent at most:", came, sent)
        asked = sum(sent > 0 for _, sent in seen)
        check(asked <= 3 * (took + 1) + 3, "three questions a second at most:", asked, took)
        stats = hall.admin().rows("admin", "stats")[0]
        check(stats["unproven_bytes_out"] <= 3 * stats["unproven_bytes_in"], stats)


@story
def it_outlives_its_connection_of_control(hall):
    with between(hall) as way:
        ping = Ping(bent(hall), count=80)
        ping.by("udp")
        way.tcp_open = False
        way.cut()
        for _ in range(40):  # four seconds without control
            row = ping.pong()
            check(row["way"] == "udp" and "way_ms" in row, row)
        way.tcp_open = True
        while (row := ping.lines.event(patience=30))["event"] == "pong":
            check(row["way"] == "udp" and "way_ms" in row, row)
        check(row["changes"] == 1 and row["lost"] == 0, row)  # it was kept, not replaced


@story
def some_loss_is_counted(hall):
    with between(hall) as way:
        anna = bent(hall)
        anna.rows("ping", "--count", "1")
        way.lose = 9
        *pongs, path = anna.rows("ping", "--datagrams", "--count", "30", "--interval", "1", patience=150)
        lost = sum("way_ms" not in p for p in pongs if p["way"] == "udp")
        check(path["way"] == "udp" and 0 < path["lost"] < 20, path)
        check(path["lost"] >= lost, path, lost)


@story
def who_logs_out_elsewhere_is_cut_off(hall):
    anna = hall.user("anna")
    ping = Ping(anna)
    ping.by("udp")
    again = hall.dir / "again"
    other = User(hall, "anna", home=again, password=anna.password)
    other.login()
    rows = other.rows("sessions")
    for row in rows:
        if row.get("session") and not row.get("own", row.get("current")):
            other.run("sessions", "end", row["session"])
    ping.lines.event(event="pong", way="none")
    root = hall.admin()
    equal(root.rows("admin", "stats")[0]["datagram_sessions"], 0)


@story
def a_server_without_a_free_port_has_tunnels(hall):
    import socket
    hall.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", hall.port + 1))
        hall.start()
        anna = hall.user("anna")
        path = anna.rows("ping", "--count", "2")[-1]
        check(path["way"] == "tunnel" and path["lost"] == 0, path)
        check(any("cannot use UDP port" in line for line in hall.server.seen), hall.server.seen)
