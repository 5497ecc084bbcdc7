"""The link that one can bend: a proxy of UDP and TCP, and between two network namespaces."""
import os
import random
import socket
import subprocess
import time

from harness import Follow, Skip, check, equal, story, until

BYTES = 1000


class Link:
    """`roost lab link`, told by lines of its standard input."""

    def __init__(self, hall, *words):
        argv = [str(hall.roost), "--json", "lab", "link", *map(str, words)]
        self.lines = hall.keep(Follow(argv, hall.plain_env(), stdin=True))
        self.ready = self.lines.event(event="ready")
        self.bent = self.lines.event(event="bent")

    @property
    def port(self):
        return int(self.ready["listen"].rpartition(":")[2])

    def bend(self, words):
        self.lines.type(words + "\n")
        return self.lines.event(event="bent")

    def counters(self):
        self.lines.type("counters\n")
        return self.lines.event(event="counters")

    def end(self):
        equal(self.lines.end(), 0, "exit status")
        while (line := self.lines.next()) is not None:
            last = line
        return last


class Echo:
    """Somebody at a UDP port whom we ask, and who answers what he heard."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(10)
        self.port = self.sock.getsockname()[1]

    def answer(self):
        data, who = self.sock.recvfrom(65536)
        self.sock.sendto(data, who)
        return data

    def heard(self):
        """All that came."""
        self.sock.setblocking(False)
        got = []
        try:
            while True:
                got.append(self.sock.recv(65536))
        except BlockingIOError:
            return got


def settled(link, way, pushed):
    """The counters when so many were pushed that way and nothing is inside any more."""
    def ask():
        row = link.counters()
        n = row[way]
        gone = sum(n[k] for k in ("arrived", "lost", "policed", "dropped", "early", "cut"))
        return row if n["pushed"] == pushed and gone == pushed + n["duplicated"] else None
    return until(ask, f"{pushed} packets {way}")


@story(short=True)
def datagrams_take_their_time(hall):
    echo = Echo()
    link = Link(hall, "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{echo.port}", "--only", "udp", "--link",
                "delay=30ms up.delay=50ms")
    equal(link.bent["up"], "rate=none delay=50ms")
    equal(link.bent["down"], "rate=none delay=30ms")
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(10)
    client.connect(("127.0.0.1", link.port))
    began = time.monotonic()
    client.send(b"hello")
    echo.answer()
    check(time.monotonic() - began >= 0.050, "up is 50 ms")
    equal(client.recv(100), b"hello")
    check(time.monotonic() - began >= 0.080, "there and back are 80 ms")
    n = link.counters()
    equal((n["flows"], n["up"]["arrived_bytes"], n["down"]["arrived_bytes"], n["unsent"]), (1, 5, 5, 0))


@story
def a_crowd(hall):
    """The 257th program that sends datagrams, and the 257th connection: said once, and counted."""
    import contextlib
    echo = Echo()
    with contextlib.ExitStack() as all_of_them:
        link = Link(hall, "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{echo.port}", "--only", "udp", "--link", "delay=1ms")
        clients = [all_of_them.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(258)]
        for i, s in enumerate(clients):
            s.connect(("127.0.0.1", link.port))
            s.send(b"hello")
            if i % 20 == 19 or i >= 255:
                settled(link, "up", i + 1)
            if i == 255:
                equal(link.counters()["crowded"], 0)
        equal(link.counters()["crowded"], 2)


@story(short=True)
def the_counters_are_true(hall):
    echo = Echo()
    share = random.randint(10, 40)
    link = Link(hall, "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{echo.port}", "--only", "udp", "--link",
                f"loss={share}% dup=10% corrupt=10%")
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", link.port))
    got = []
    for i in range(400):
        client.send(i.to_bytes(4, "big") * (BYTES // 4))
        if i % 20 == 19:  # the kernel's queues are no subject here
            n = settled(link, "up", i + 1)["up"]
            got += echo.heard()
    equal(len(got), n["arrived"], "what arrived")
    equal(sum(map(len, got)), n["arrived_bytes"])
    damaged = [d for d in got if d != d[:4] * (BYTES // 4) or int.from_bytes(d[:4], "big") >= 400]
    check(0 < n["corrupted"] <= len(damaged) <= 2 * n["corrupted"], n, "but damaged:", len(damaged))
    chance = (400 * share / 100 * (1 - share / 100)) ** 0.5  # a standard deviation; seven of them never happen
    check(abs(n["lost"] - 4 * share) < 7 * chance, f"{share} % lost:", n)
    check(n["duplicated"] > 0 and n["reordered"] == 0, n)


@story
def bent_while_it_runs(hall):
    echo = Echo()
    link = Link(hall, "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{echo.port}", "--only", "udp")
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", link.port))

    def send(n):
        for _ in range(n):
            client.send(bytes(BYTES))

    equal(link.bend("wan loss=100%")["down"], "rate=100M delay=20ms loss=100% queue=256K")
    send(10)
    equal(settled(link, "up", 10)["up"]["lost"], 10)
    link.bend("loss=0 delay=0")
    check(link.bend("cut")["cut"], "cut")
    send(10)
    equal(settled(link, "up", 20)["up"]["cut"], 10)
    link.bend("mend")
    send(10)
    equal(settled(link, "up", 30)["up"]["arrived"], 10)
    link.bend("rate=none police=1K/5000")  # five at once, and then one in eight seconds
    send(10)
    n = settled(link, "up", 40)["up"]
    check(n["policed"] > 0 and n["arrived"] >= 15, n)
    link.lines.type("loss=2\n")
    wrong = link.lines.event(event="error")
    check("a share" in wrong["text"], wrong)
    check('"counters"' in link.end(), "the last word is the counters")


@story
def the_same_seed_the_same_losses(hall):
    fates = []
    for _ in range(2):
        echo = Echo()
        link = Link(hall, "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{echo.port}", "--only", "udp", "--link",
                    "loss=50%", "--seed", 7)
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.connect(("127.0.0.1", link.port))
        for i in range(40):
            client.send(bytes([i]))
        settled(link, "up", 40)
        fates.append([d[0] for d in echo.heard()])
        link.end()
    check(0 < len(fates[0]) < 40, fates[0])
    equal(fates[0], fates[1])


@story(short=True)
def a_conversation_with_the_server(hall):
    """Through a link that loses much, TCP loses nothing; and the round trip is the link's."""
    link = Link(hall, "--listen", "127.0.0.1:0", "--to", hall.address, "--link", "delay=40ms loss=5%")
    anna = hall.user("anna")
    rows = anna.rows("-s", f"localhost:{link.port}", "ping", "--count", "3")
    check(all(r["ms"] >= 80 for r in rows), rows)
    anna.rows("-s", f"localhost:{link.port}", "say", "*", "x" * 2000)
    until(lambda: link.counters()["flows"] == 0, "the end of both conversations")
    n = link.counters()["up"]
    check(n["arrived_bytes"] > 2000 and n["arrived"] + n["cut"] == n["pushed"] and n["cut"] <= 2, n)


@story
def much_through_a_narrow_connection(hall):
    target = socket.create_server(("127.0.0.1", 0))
    target.settimeout(20)
    link = Link(hall, "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{target.getsockname()[1]}", "--only", "tcp", "--link",
                "rate=40M delay=5ms jitter=2ms loss=1% queue=32K")
    client = socket.create_connection(("127.0.0.1", link.port), timeout=20)
    there, _ = target.accept()
    there.settimeout(20)
    sent = random.randbytes(600000)
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:  # who sends does not wait for who reads
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        os._exit(0)
    got = b""
    while piece := there.recv(65536):
        got += piece
    took = time.monotonic() - began
    os.waitpid(pid, 0)
    check(got == sent, "all of it, in order:", len(got))
    check(took >= 600000 * 8 / 40e6, "not faster than the link:", took)
    there.sendall(b"thanks")
    there.close()
    client.settimeout(20)
    equal(client.recv(100), b"thanks")
    equal(client.recv(100), b"")
    until(lambda: link.counters()["flows"] == 0, "the end of the connection")
    check(link.counters()["down"]["arrived_bytes"] == 6, "six bytes back")


@story
def between_two_namespaces(hall):
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        raise Skip("needs root and /dev/net/tun")
    spaces = [f"roost-{os.getpid()}-{i}" for i in "ab"]
    made = []
    try:
        for space in spaces:
            done = subprocess.run(["ip", "netns", "add", space], capture_output=True, text=True)
            if done.returncode:
                raise Skip(f"no network namespaces here: {done.stderr.strip()}")
            made.append(space)
        link = Link(hall, "--between", ",".join(spaces), "--link", "rate=20M delay=25ms loss=5%")
        serve = ("import socket; s = socket.create_server(('0.0.0.0', 7000)); s.settimeout(20); print('ready', flush=True)\n"
                 "c, _ = s.accept(); n = 0\n"
                 "while piece := c.recv(65536): n += len(piece)\n"
                 "c.sendall(b'%d' % n)")
        ask = ("import socket, time; began = time.monotonic()\n"
               "c = socket.create_connection(('10.77.0.2', 7000), timeout=20)\n"
               "took = time.monotonic() - began; c.sendall(bytes(200000)); c.shutdown(socket.SHUT_WR)\n"
               "print(took, c.recv(100).decode())")
        server = hall.keep(Follow(["ip", "netns", "exec", spaces[1], "python3", "-c", serve], hall.plain_env()))
        server.until("ready")
        done = subprocess.run(["ip", "netns", "exec", spaces[0], "python3", "-c", ask], capture_output=True, text=True,
                              timeout=60)
        took, got = done.stdout.split()
        check(float(took) >= 0.050, "a round trip is 50 ms:", took)
        equal(got, "200000")
        n = link.counters()
        check(n["up"]["arrived_bytes"] > 200000 and n["down"]["arrived"] > 0, n)
        equal(n["unsent"], 0)
        link.end()
    finally:
        for space in made:
            subprocess.run(["ip", "netns", "del", space], check=False)


@story
def wrong_words_of_the_lab(hall):
    somebody = hall.user("anna")
    for words, says in ((("--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--link", "speed=5"), "no such setting"),
                        (("--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--only", "sctp"), "udp or tcp"),
                        (("--listen", "127.0.0.1:0",), "--to"),
                        (("--listen", "nowhere", "--to", "127.0.0.1:1"), "--listen"),
                        (("--listen", "127.0.0.1:0", "--between", "a,b"), "one of"),
                        (("--listen", "127.0.0.1:6199", "--to", "127.0.0.1:6199"), "--to is where"),
                        (("--listen", ":6199", "--to", "127.0.0.1:6199"), "--to is where"),
                        (("--between", "a"), "two network namespaces"),
                        (("--between", "a,a"), "two different"),
                        ((), "one of")):
        error = somebody.run("lab", "link", *words, status=2).error
        check(says in error["text"], words, error)
    error = somebody.run("lab", "link", "--between", "no-such-a,no-such-b", status=1).error
    check("no-such-a" in error["text"], error)
