"""Several streams on one link: who gets how much of it."""
import concurrent.futures
import random
import time

from . import flow_who

FAIR_RATE, FAIR_RTT_MS = 20, 40
PRODUCT_BYTES = FAIR_RATE * 1000000 // 8 * FAIR_RTT_MS // 1000
QUEUES = (0.5, 1, 4)
PACKET, PAYLOAD = 1500, 1448  # of the kernel's TCP
AT_ONCE = 3  # quiet links beside each other, to take an hour rather than three
TEN_PORT = 7100


def shape(bench):
    """Seconds until all are steady, and of the measurement; how often."""
    if bench.quick:
        return {"settle": 8, "window": 15, "starts": 1}
    return {"settle": 20, "window": 60, "starts": 5}


def passed(net):
    """Bytes of packets that arrived on the way up."""
    return net.counters()["up"]["arrived_bytes"]


def received(program):
    """Bytes that a receiver of roost-flow has told."""
    rows = [r for r in program.rows if "bytes" in r]
    return rows[-1]["bytes"] * PACKET / PAYLOAD if rows else 0


def against(bench, who, cc, spec, o, seed):
    """The share of the bytes that pass, of ours and of one TCP, in the window."""
    from .flow_net import Net
    net = Net(bench.roost, spec, seed)
    programs, dice = [], random.Random(seed)
    try:
        tcp = flow_who.tcp(bench, cc)
        order = [lambda: programs.extend(who.endless(net)), lambda: programs.extend(tcp.endless(net, flow_who.PORT + 1))]
        first = dice.randrange(2)
        order[first]()
        time.sleep(dice.uniform(0, 3))
        order[1 - first]()
        receiver = next(p for p in programs if "tcp-receive" in p.argv and str(flow_who.PORT + 1) in p.argv)
        time.sleep(o["settle"])
        link0, tcp0 = passed(net), received(receiver)
        time.sleep(o["window"])
        link1, tcp1 = passed(net), received(receiver)
        share = min(1.0, (tcp1 - tcp0) / max(1, link1 - link0))
        return {"share": 1 - share, "tcp_share": share, "mbit_s": (link1 - link0) * 8 / o["window"] / 1e6,
                "ours_first": first == 0}
    finally:
        for program in programs:
            program.end()
        net.close()


def ours(bench, names=("roost",)):
    return flow_who.chosen(bench, names)


def several(bench, part, one, cells):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda cell: bench.cells.once((part, *cell), bench.roost, lambda: one(*cell)), cells))


def beside(bench):
    """One cubic TCP beside ours where a queue is shallow and where a policer stands."""
    o = shape(bench)
    who = ours(bench)[0]

    def one(number, link):
        run = against(bench, who, "cubic", link, o, number)
        bench.say(f"{link}: cubic TCP keeps {100 * run['tcp_share']:.0f} % of {run['mbit_s']:.1f} Mbit/s"
                  f"{', ours began' if run['ours_first'] else ''}")
        return {"link": link, "start": number, **run}

    several(bench, "beside", one, [(number, link) for number in range(o["starts"]) for link in ("shallow", "policed")])


def fair(bench):
    """One of ours against one cubic TCP, at three lengths of the queue."""
    o = shape(bench)

    def one(name, queue, number):
        who = ours(bench, (name,))[0]
        spec = f"rate={FAIR_RATE}M rtt={FAIR_RTT_MS}ms queue={int(queue * PRODUCT_BYTES)}"
        run = against(bench, who, "cubic", spec, o, 1000 + number)
        bench.say(f"start {number + 1}: {who.name:12} beside cubic TCP, queue {queue:g}: {100 * run['share']:.0f} % of "
                  f"{run['mbit_s']:.1f} Mbit/s")
        return {"who": who.name, "queue": queue, "start": number, **run}

    several(bench, "fair", one, [(name, queue, number) for number in range(o["starts"]) for queue in QUEUES
                                 for name in ("roost", "roost-cubic", "roost-reno")])


def told(sender, at_ns):
    """Bytes that a sender of ours had told by then."""
    rows = [r for r in sender.rows if r.get("event") == "progress" and r["came_ns"] <= at_ns]
    return rows[-1]["bytes"] if rows else 0


def ten(bench):
    """Ten of ours share 100 Mbit/s, 40 ms, a queue of one product."""
    o = shape(bench)
    for number in range(o["starts"]):
        bench.cells.once(("ten", number), bench.roost, lambda: one_of_ten(bench, o, number))


def one_of_ten(bench, o, number):
    from .flow_net import Net
    who = ours(bench)[0]
    net = Net(bench.roost, "rate=100M rtt=40ms queue=500000", 2000 + number)
    programs = []
    try:
        for i in range(10):
            programs += who.endless(net, TEN_PORT + i)
        time.sleep(o["settle"])
        t0 = time.monotonic_ns()
        time.sleep(o["window"] + 1)
        t1 = time.monotonic_ns()
        got = [told(p, t1) - told(p, t0) for p in programs[1::2]]
        jain = sum(got) ** 2 / (len(got) * sum(g * g for g in got)) if any(got) else 0.0
        rates = [g * 8e9 / (t1 - t0) / 1e6 for g in got]
        bench.say("ten of ours: " + " ".join(f"{r:.1f}" for r in rates) + f" Mbit/s, Jain's index {jain:.3f}")
        return {"start": number, "mbit_s": rates, "jain": jain}
    finally:
        for program in programs:
            program.end()
        net.close()


PARTS = {"beside": beside, "ten": ten, "fair": fair}
