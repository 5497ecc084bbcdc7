"""bench/run flow: one stream over each link of the table, beside kernel TCP and SRT."""
import signal
import sys
import time

from . import flow_who
from .common import LIMIT_S, machine, median, table
from .flow_net import Net

MB = 1000000
PING_MS = 50
IDLE_S = 1.0
# name: (bytes, Mbit/s, round trip in ms); the links themselves are those of `roost lab link`
LINKS = {
    "lan": (100 * MB, 900, 0.4), "wifi": (30 * MB, 100, 6), "wan": (30 * MB, 100, 40), "lossy": (15 * MB, 50, 50),
    "sat": (5 * MB, 20, 600), "bloat": (10 * MB, 10, 30), "shallow": (30 * MB, 50, 40), "policed": (15 * MB, 20, 40),
}


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else None


class Pings:
    """A datagram there and back each 50 ms, begun while the link is idle."""

    def __init__(self, bench, net):
        self.answer = net.run(1, [bench.flow, "answer", 7777])
        self.answer.ready()
        self.ask = net.run(0, [bench.flow, "ping", "10.77.0.2", 7777, PING_MS])
        self.ask.ready()
        time.sleep(IDLE_S)

    def result(self, began_ns, ended_ns):
        """Above idle, in ms; from the first byte to the last. Lost ones count as the longest."""
        self.ask.end()
        self.answer.end()
        pings = next((r["pings"] for r in self.ask.rows if "pings" in r), [])
        idle = [us for at, us in pings if at < began_ns and us >= 0]
        busy = [us for at, us in pings if began_ns <= at <= ended_ns]
        came = [us for us in busy if us >= 0]
        if not idle or not came:
            return None
        base = median(idle)
        above = [(us - base if us >= 0 else max(came) - base) / 1000 for us in busy]
        return {"idle_ms": base / 1000, "p95_ms": percentile(above, 0.95), "max_ms": max(above),
                "lost": len(busy) - len(came), "pings": len(busy)}


def transfer(bench, who, spec, size, seed, pings=False):
    """One stream over a link of its own."""
    net = Net(bench.roost, spec, seed)
    programs = []
    try:
        receiver = who.receiver(net, size)
        programs.append(receiver)
        beside = Pings(bench, net) if pings else None
        programs += [beside.ask, beside.answer] if pings else []
        bench.files.source(size)
        before, cpu_before = net.counters(), net.link.cpu_until_now()
        sender = who.sender(net, size)
        programs.append(sender)
        at_ns, got = who.wait_all(receiver, LIMIT_S)
        end_ns = at_ns or time.monotonic_ns()
        took_s = (end_ns - sender.began_ns) / 1e9
        link_cpu = net.link.cpu_until_now() - cpu_before
        after = net.counters()
        sender.wait(5 if at_ns else 0)
        run = {"all": at_ns is not None, "mbit_s": (size if at_ns else got) * 8 / took_s / 1e6, "seconds": took_s,
               "link_cpu": link_cpu / took_s, "counts": {k: after["up"][k] - before["up"][k] for k in after["up"]
                                                         if not k.startswith("queue")},
               "queue_most_bytes": after["up"]["queue_most_bytes"]}
        sender.end()
        receiver.end()
        run["again"] = who.again(sender)
        run["cpu_s_a_gb"] = (sender.cpu_s + receiver.cpu_s) / (size / 1e9)
        run["ping"] = beside.result(sender.began_ns, end_ns) if pings else None
        if not at_ns:
            bench.say(f"  {who.name}: cut off after {took_s:.0f} s with {got} bytes; "
                      f"{(sender.error + receiver.error).decode(errors='replace').strip()[-300:]}")
        return run
    finally:
        for program in programs:
            program.end()
        net.close()
        bench.files.clean()


def links(bench):
    """Every link and everybody, round by round: A B C, A B C."""
    for number in range(1, bench.rounds + 1):
        for name in bench.links:
            for who in bench.who:
                bench.cells.once(("links", name, number, who.name), who.program, lambda: one(bench, who, name, number))


def one(bench, who, name, number):
    size = LINKS[name][0]
    run = transfer(bench, who, name, size, 100 * number + len(name), pings=name == "bloat")
    bench.say(f"round {number} of {bench.rounds}: {name:8} {who.name:10} {run['mbit_s']:7.1f} Mbit/s"
              f"  link {100 * run['link_cpu']:.0f} % of a core")
    return {"round": number, "link": name, "who": who.name, "bytes": size, **run}


def of(runs, name, who, key):
    return median([r[key] for r in runs if r["link"] == name and r["who"] == who and r[key] is not None])


def links_of(runs):
    return [n for n in LINKS if any(r["link"] == n for r in runs)]


def names_of(runs):
    return sorted({r["who"] for r in runs}, key=lambda n: (n.startswith("roost"), n == "srt", n))


def show(runs):
    names = names_of(runs)
    print("\nMbit/s, median; the clock runs from the sender's start to the receiver's having all")
    table(["link", "of"] + names, [[n, float(LINKS[n][1])] + [of(runs, n, w, "mbit_s") for w in names]
                                   for n in links_of(runs)])
    print("\nshare of bytes sent twice, %")
    table(["link"] + names, [[n] + [percent(of(runs, n, w, "again")) for w in names] for n in links_of(runs)])
    pinged = [r for r in runs if r["ping"]]
    if pinged:
        print("\nping beside it, ms above idle: p95 / max")
        table(["link"] + names, [["bloat"] + [" / ".join(
            f"{median([r['ping'][k] for r in pinged if r['who'] == w] or [0]):.0f}" for k in ("p95_ms", "max_ms"))
            for w in names]])


def percent(share):
    return None if share is None else 100 * share


def run(bench):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # nothing stays behind
    try:
        return measure(bench)
    finally:
        bench.files.close()


def measure(bench):
    from . import flow_check, flow_picture, flow_share
    m = machine(bench.out)
    print(f"{m['cpu']}, {m['cores']} cores; {m['system']}, Linux {m['kernel']}; "
          f"{', '.join(w.name for w in bench.who)}")
    if "links" in bench.parts:
        links(bench)
    for name, part in flow_share.PARTS.items():
        if name in bench.parts:
            part(bench)
    result = {"checks": [], "runs": bench.cells.all("links")}
    if result["runs"]:
        show(result["runs"])
        flow_picture.draw(bench, result["runs"])
        result["checks"] += flow_check.links(result["runs"])
    for name in flow_share.PARTS:
        result[name] = bench.cells.all(name)
        if result[name]:
            result["checks"] += flow_check.shares(name, result[name])
    bench.write("flow", m, result)
    return 0
