#!/usr/bin/python3
"""flood.py BUILD [--pairs N] [--rate N] - datagrams from forged addresses, 100,000 a second by a raw socket over veth,
at whoever serves UDP. Quiet and flooded times take turns, in network namespaces of their own (a server, clients, an enemy).

Somebody's transfer (lab send, over a link of 20 Mbit/s) keeps at least 0.9 of its rate, the median of all pairs; pings of a
session of roostd are answered as before (at most 2 % more are lost); not one byte goes to a forged address; the
server's memory stays as it was. Needs root; without it (or without namespaces) it says SKIP: roam.* and path.* in ./test unit are the
same in virtual time, datagrams.addresses_that_never_answer_get_little with real programs."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import harness
from spaces import Spaces, run

SERVER, CLIENT, FRONT, ENEMY = "10.79.2.1", "10.79.2.2", "10.79.1.1", "10.79.1.2"
BYTES, LINK, MEDIA, RECEIVE, PROXY = 6_000_000, "rate=20M delay=5ms", 5601, 5700, 5800
KEPT, MEMORY_SLACK = 0.9, 8 << 20


class Net(Spaces):
    def __init__(self):
        super().__init__({who: f"roost-flood-{os.getpid()}-{who}" for who in "sce"})

    def build(self):
        self.join("c", CLIENT, SERVER)
        self.join("e", ENEMY, FRONT)
        for key in ("all", "default", "veth-e"):
            run(*self.at("s"), "sysctl", "-q", "-w", f"net.ipv4.conf.{key}.rp_filter=0")
        # what is answered to a forged address would be seen by the enemy
        run(*self.at("s"), "ip", "route", "add", "default", "via", ENEMY)

    def join(self, who, theirs, ours):
        run("ip", "link", "add", f"veth-{who}", "netns", self.names["s"], "type", "veth",
            "peer", "name", "veth-s", "netns", self.names[who])
        for space, link, address in ((self.names["s"], f"veth-{who}", ours), (self.names[who], "veth-s", theirs)):
            run("ip", "-n", space, "address", "add", f"{address}/24", "dev", link)
            run("ip", "-n", space, "link", "set", link, "up")

    def mac(self):
        return run(*self.at("s"), "cat", "/sys/class/net/veth-e/address").strip()

    def came_back(self):
        """Packets that reached the enemy, but for ARP and what IPv6 says to all."""
        out = run(*self.at("s"), "ip", "-s", "-j", "link", "show", "veth-e")
        return json.loads(out)[0]["stats64"]["tx"]["bytes"]


class Flood:
    def __init__(self, net, build, port, session, rate, seconds):
        argv = [*net.at("e"), build / "tests/tools/flood", "veth-s", net.mac(), SERVER, port, session, rate, seconds]
        self.process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True)

    def end(self):
        """How many left; it ends by itself when it is not waited for."""
        if self.process.poll() is None:
            self.process.terminate()
        out = self.process.communicate()[0].strip()
        return int(out) if out else None


def session_seen(net, hall, user):
    """What somebody on the wire reads in the clear: the number of a session."""
    listen = ("import socket, struct\n"
              "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)); s.bind(('veth-c', 0)); s.settimeout(20)\n"
              "print('ready', flush=True)\n"
              "while True:\n"
              "    p = s.recv(2000)\n"
              f"    if p[23] == 17 and p[36:38] == struct.pack('>H', {MEDIA}): print(int.from_bytes(p[43:47], 'big'), flush=True); break\n")
    ear = hall.keep(harness.Lines([*net.at("s"), sys.executable, "-c", listen]))
    ear.until("ready")
    ping = hall.keep(harness.Follow(user.argv("ping", "--datagrams", "--count", 1000, "--interval", 20), user.env()))
    return ping, int(ear.until(r"(\d+)").group(1))


def transfer(net, hall, build, flooded, rate):
    """How long it takes."""
    there = hall.keep(harness.Lines([*net.at("s"), str(build / "bin/roost"), "lab", "receive", "--listen", f"{SERVER}:{RECEIVE}",
                                     "--word", "maple", "-o", str(hall.dir / "got")], hall.plain_env(HOME=str(hall.dir))))
    file = hall.dir / "bytes"
    if not file.exists():
        file.write_bytes(os.urandom(BYTES))
    time.sleep(0.3)
    flood = Flood(net, build, RECEIVE, 7, rate, 30) if flooded else None
    began = time.monotonic()
    done = subprocess.run([*net.at("c"), str(build / "bin/roost"), "lab", "send", "--to", f"{CLIENT}:{PROXY}", "--word", "maple", str(file)],
                          env=hall.plain_env(HOME=str(hall.dir)), capture_output=True, text=True, timeout=60)
    took = time.monotonic() - began
    if flood:
        flood.end()
    harness.check(done.returncode == 0, done.stdout, done.stderr)
    there.process.wait(20)
    harness.check((hall.dir / "got").read_bytes() == file.read_bytes(), "other bytes came")
    (hall.dir / "got").unlink()
    return took


def memory(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def child_of(pid):
    out = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(out[0]) if out else pid


def pinged(ping, n):
    """Of the next n pings: how many were answered, and the median time."""
    rows = [ping.event(event="pong", patience=30) for _ in range(n)]
    times = [r["way_ms"] for r in rows if r["way"] == "udp" and "way_ms" in r]
    return len(times), statistics.median(times or [9999])


def there(net, hall, name):
    """A user in the clients' namespace."""
    user = harness.User(hall, name)
    argv = user.argv
    user.argv = lambda *w, json=True: [*net.at("c"), *(f"{SERVER}:{MEDIA - 1}" if a == hall.address else a for a in argv(*w, json=json))]
    return user


def story(build, args):
    hall = harness.Hall(build)
    failed = []

    def fact(ok, name, said):
        print(f"{'ok' if ok else 'FAIL'} {name}{'' if ok else ':'} ({said})" if ok else f"FAIL {name}: {said}", flush=True)
        if not ok:
            failed.append(name)

    try:
        with Net() as net:
            hall.port = MEDIA - 1
            hall.server = harness.Lines([*net.at("s"), str(hall.roostd), "--data", str(hall.data), "--listen", SERVER, "--port", str(hall.port),
                                         *harness.CHEAP], hall.plain_env())
            hall.server.until(harness.READY)
            user, root = there(net, hall, "anna"), there(net, hall, "root")
            user.register()
            root.run("register", "root", "--invite", hall.first_admin)
            proxy = hall.keep(harness.Lines([*net.at("c"), str(build / "bin/roost"), "lab", "link", "--listen", f"{CLIENT}:{PROXY}",
                                             "--to", f"{SERVER}:{RECEIVE}", "--link", LINK], hall.plain_env(HOME=str(hall.dir)), stdin=True))
            proxy.until(str(PROXY))
            ping, session = session_seen(net, hall, user)
            pid = hall.server.process.pid
            before, back = memory(pid), net.came_back()
            quiet = pinged(ping, args.pings)
            flood = Flood(net, build, MEDIA, session, args.rate, 60)
            began = time.monotonic()
            loud = pinged(ping, args.pings)
            took = time.monotonic() - began
            flood.end()
            stats = root.rows("admin", "stats")[0]
            stats_in = int(run(*net.at("s"), "cat", "/sys/class/net/veth-e/statistics/rx_packets"))
            fast = 0 if args.short else args.rate  # how fast this machine is at it is no question of the quick tier
            fact(stats_in / took > fast * 0.5, "flood.it_was_one", f"{stats_in / took:.0f} datagrams a second came")
            fact(stats["datagrams_forged"] > fast * took / 10 and stats["datagrams_strange"] > fast * took / 5,
                 "flood.it_was_looked_at", f"{stats['datagrams_forged']} were tried to open, {stats['datagrams_strange']} were strangers', "
                 f"{stats['datagrams_overflowed']} lost as the server was too slow")
            fact(stats["unproven_bytes_out"] <= 3 * stats["unproven_bytes_in"], "flood.three_times_at_most",
                 f"{stats['unproven_bytes_out']} bytes to unproven addresses, {stats['unproven_bytes_in']} from them")
            more = net.came_back() - back
            fact(more < 1000, "flood.nothing_goes_to_forged_addresses", f"{more} bytes, ARP among them")
            fact(memory(pid) - before < MEMORY_SLACK, "flood.memory_stays", f"{(memory(pid) - before) >> 10} KiB more")
            ratios = []
            for _ in range(args.pairs):
                q, f = transfer(net, hall, build, False, args.rate), transfer(net, hall, build, True, args.rate)
                ratios.append(q / f)
            kept = statistics.median(ratios)
            answered = f"{loud[0]} of {args.pings} pings, {quiet[0]} without; {loud[1]:.2f} ms, {quiet[1]:.2f} without"
            rate = f"{kept:.2f} of it, {args.pairs} pairs of {BYTES * 8 / q / 1e6:.1f} and {BYTES * 8 / f / 1e6:.1f} Mbit/s last"
            if args.short:
                print(f"NOTE flood: {answered}; transfers keep {rate}")
            else:
                fact(loud[0] >= quiet[0] - max(1, args.pings // 50), "flood.pings_are_answered", answered)
                fact(kept >= KEPT, "flood.transfers_keep_their_rate", rate)
    except harness.Skip as why:
        print(f"SKIP flood: {why}")
        return 0
    except harness.Failure as why:
        fact(False, "flood", str(why).replace("\n", "; ")[:600])
    finally:
        for problem in hall.close():
            fact(False, "flood.end", problem.replace("\n", "; ")[:300])
    return 1 if failed else 0


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--pings", type=int, default=100)
    parser.add_argument("--short", action="store_true", help="one pair; rates and times are printed, not judged")
    parser.add_argument("--rate", type=int, default=100_000)
    args = parser.parse_args(argv)
    if args.short:
        args.pairs, args.pings = 1, 30
    return story(args.build.resolve(), args)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
