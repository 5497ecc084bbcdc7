"""Sessions of datagrams between real programs: UDP blocked, back, moved, and control lost."""
import contextlib
import os
import pathlib
import subprocess
import threading
import time

from harness import CHEAP, PATIENCE, READY, Lines, Skip, User, check, equal, story
from raw import PING, Raw, message
from way import HOST, Way


class Ping:
    """A ping of the way alone, whose answers come one by one."""

    def __init__(self, user, count=300, interval=100):
        self.lines = user.follow("ping", "--datagrams", "--count", count, "--interval", interval)

    def pong(self):
        return self.lines.event(event="pong")

    def by(self, way, patience=PATIENCE):
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


@story(long=True)
def the_tunnel_is_left_when_udp_returns(hall):
    with between(hall) as way:
        ping = Ping(bent(hall))
        way.udp_open = False
        ping.by("tunnel")
        way.udp_open = True
        lost, _ = ping.by("udp", 4 * PATIENCE)  # tried again every 15 s
        equal(lost, 0)


@story
def udp_that_falls_silent_is_left(hall):
    with between(hall) as way:
        ping = Ping(bent(hall))
        ping.by("udp")
        way.udp_open = False
        lost, _ = ping.by("tunnel")
        check(lost <= 3, lost)


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
        while "way" in (row := ping.lines.event()) and row["event"] == "pong":
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
        way.scatter, seen = None, way.scatter
        took = time.monotonic() - began
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
        while (row := ping.lines.event())["event"] == "pong":
            check(row["way"] == "udp" and "way_ms" in row, row)
        check(row["changes"] == 1 and row["lost"] == 0, row)  # it was kept, not replaced


@story
def some_loss_is_counted(hall):
    with between(hall) as way:
        anna = bent(hall)
        anna.rows("ping", "--count", "1")
        way.lose = 5
        *pongs, path = anna.rows("ping", "--datagrams", "--count", "15", "--interval", "1", patience=150)
        lost = sum("way_ms" not in p for p in pongs if p["way"] == "udp")
        check(path["way"] == "udp" and 0 < path["lost"] < 25, path)
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


def cpu_s(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@story
def a_tunnel_alone_that_breaks_costs_nothing(hall):
    """A server without UDP is gone: who waits for it sleeps."""
    import socket
    hall.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", hall.port + 1))
        hall.start()
        ping = Ping(hall.user("anna"), count=1000)
        ping.by("tunnel")
        hall.kill()
        pid = ping.lines.process.pid
        before, began = cpu_s(pid), time.monotonic()
        time.sleep(3)  # whoever spins would use all of it
        check(cpu_s(pid) - before < 0.3 * (time.monotonic() - began), "it used", cpu_s(pid) - before, "s of processor")
        hall.start()
        ping.by("tunnel")
        ping.lines.end()


def namespace(*argv):
    done = subprocess.run(["ip", *map(str, argv)], capture_output=True, text=True, timeout=20)
    if done.returncode:
        raise Skip(f"ip {' '.join(map(str, argv))}: {done.stderr.strip()}")


@contextlib.contextmanager
def two_ways(hall):
    """A server in a namespace, a client in another, and two cables between them."""
    if os.geteuid():
        raise Skip("needs root for network namespaces")
    names = [f"roost-ways-{os.getpid()}-{i}" for i in "sc"]
    made = []
    try:
        for name in names:
            namespace("netns", "add", name)
            made.append(name)
            namespace("-n", name, "link", "set", "lo", "up")
        namespace("-n", names[0], "address", "add", "10.80.0.1/32", "dev", "lo")
        for i in (1, 2):
            namespace("link", "add", f"way-{i}", "netns", names[0], "type", "veth", "peer", "name", f"way-{i}", "netns", names[1])
            for side, name in enumerate(names, 1):
                namespace("-n", name, "address", "add", f"10.80.{i}.{side}/24", "dev", f"way-{i}")
                namespace("-n", name, "link", "set", f"way-{i}", "up")
            namespace("-n", names[1], "route", "add", "10.80.0.1", "via", f"10.80.{i}.1", "metric", i)
        hall.stop()
        hall.server = Lines(["ip", "netns", "exec", names[0], str(hall.roostd), "--data", str(hall.data), "--listen", "10.80.0.1",
                             "--port", str(hall.port), *CHEAP], hall.plain_env())
        hall.server.until(READY)
        user = User(hall, "anna")
        argv = user.argv
        user.argv = lambda *words, json=True: ["ip", "netns", "exec", names[1], *(w if w != hall.address else f"10.80.0.1:{hall.port}"
                                                                                for w in argv(*words, json=json))]
        user.register()
        yield user, names[1]
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "del", name], check=False)


@story
def a_cable_is_pulled(hall):
    """The client goes on over the other one, and says so by itself: it hears of it from the kernel."""
    with two_ways(hall) as (anna, space):
        ping = Ping(anna, count=150, interval=50)
        ping.by("udp")
        for _ in range(10):
            check("way_ms" in ping.pong(), "a quiet network")
        namespace("-n", space, "link", "set", "way-1", "down")
        began = time.monotonic()
        lost, _ = ping.by("udp")
        check(lost <= 1, "answered over the other cable:", lost, time.monotonic() - began)
        namespace("-n", space, "link", "set", "way-1", "up")
        namespace("-n", space, "route", "add", "10.80.0.1", "via", "10.80.1.1", "metric", 1)
        lost, _ = ping.by("udp")
        check(lost <= 1, lost)
        while (row := ping.lines.event())["event"] == "pong":
            pass
        check(row["way"] == "udp" and row["changes"] == 1 and row["lost"] <= 4, row)
        check(row["address"].startswith("10.80.1.2:"), row)


@story
def a_client_bends_its_own_way(hall):
    anna = hall.user("anna")
    path = anna.rows("--link", "delay=20ms", "ping", "--count", "5", "--interval", "10")[-1]
    check(path["way"] == "udp" and 40 <= path["least_ms"] <= path["mean_ms"], path)
    path = anna.rows("--link", "delay=1ms up.loss=100%", "ping", "--count", "3", "--interval", "10")[-1]
    check(path["way"] == "tunnel" and path["lost"] == 0 and path["least_ms"] >= 2, path)
    wrong = anna.run("--link", "bananas", "ping", status=None, json=False)
    check(wrong.status != 0 and "link" in wrong.err, wrong)


@story
def a_session_that_is_over_leaves_its_tunnel(hall):
    hall.users("anna")
    anna = Raw(hall, "anna")
    keys = anna.keys()
    tunnel = anna.tunnel(keys)
    check(tunnel.answers(), "it is a tunnel")
    tunnel.send(message(b"\xff\xff\xff"))
    check(tunnel.next()[:1] == b"\x0f", "it says why")
    check(tunnel.is_closed(), "and goes")
    check(anna.tunnel(keys).is_closed(), "there is nothing for another one")


def flood(tunnel, over):
    """As fast as it is read, until it is over."""
    many = message(PING) * 3000
    with contextlib.suppress(OSError):
        while not over.is_set():
            tunnel.send(many)


@story(short=True)
def a_flood_in_tunnels_cuts_nobody_off(hall):
    """It waits for its worker, by TCP; others' words come between."""
    hall.users("anna", "ben")
    ben, *annas = Raw(hall, "ben"), Raw(hall, "anna"), Raw(hall, "anna")
    quiet = ben.tunnel(ben.keys())
    over = threading.Event()
    floods = [anna.tunnel(anna.keys()) for anna in annas]
    threads = [threading.Thread(target=flood, args=(t, over)) for t in floods]
    try:
        check(quiet.answers() and all(t.answers() for t in floods), "before")
        for t in threads:
            t.start()
        for asked in range(10):
            check(quiet.answers(), "cut off after", asked)
        check(all(t.is_alive() for t in threads), "nobody is cut off")
    finally:
        over.set()
        for t in threads:
            t.join()
    check(all(t.answers() for t in floods), "they are heard behind all they said")
