"""The bounds of `bench/run flow`: each is printed as reached or missed, and written down."""
from .common import cell, median

BEST, CUBIC_TIMES, BLOAT = 0.95, 10, 0.9
PING_P95_MS, PING_MAX_MS = 30, 100
AGAIN = {"shallow": 0.03, "policed": 0.08}
KEEPS = 0.20
LINK_BUSY = 0.80  # of a core: then the emulator is what is measured, and CPU a gigabyte counts
JAIN = 0.95
SHARES = {"roost cubic": (0.35, 0.65), "roost reno": (0.35, 0.65), "roost": (0.25, 0.75)}


def said(what, ours, bound, unit="", least=True):
    if ours is None or bound is None:
        return {"target": what, "ours": ours, "bound": bound, "reached": None}
    ok = ours >= bound if least else ours <= bound
    print(f"{'reached' if ok else 'MISSED '}  {what}: {cell(float(ours))}{unit}, bound {cell(float(bound))}{unit}")
    return {"target": what, "ours": ours, "bound": bound, "reached": ok}


def links(runs):
    from .flow import links_of, names_of
    names = names_of(runs)
    if "roost" not in names:
        return []
    others = [n for n in names if not n.startswith("roost")]
    print()
    checks = []
    for link in links_of(runs):
        checks += one_link(link, runs, others)
    return checks


def one_link(link, runs, others):
    def of(who, key):
        return median([r[key] for r in runs if r["link"] == link and r["who"] == who and r[key] is not None])

    checks = []
    best = max(others, key=lambda w: of(w, "mbit_s") or 0, default=None)
    busy = max([of(w, "link_cpu") or 0 for w in others + ["roost"]])
    if link == "lan" and busy > LINK_BUSY:
        print(f"lan: the emulator took {100 * busy:.0f} % of a core, so the processor's time a gigabyte is compared")
        cheapest = min(others, key=lambda w: of(w, "cpu_s_a_gb") or 1e9)
        checks.append(said(f"lan: seconds of processor a GB, {cheapest}'s at most", of("roost", "cpu_s_a_gb"),
                           of(cheapest, "cpu_s_a_gb"), " s", least=False))
    elif best:
        checks.append(said(f"{link}: 0.95 of the best of the others ({best})", of("roost", "mbit_s"),
                           BEST * of(best, "mbit_s"), " Mbit/s"))
    if link == "lossy" and "tcp cubic" in others:
        checks.append(said("lossy: 10 times cubic", of("roost", "mbit_s"), CUBIC_TIMES * of("tcp cubic", "mbit_s"),
                           " Mbit/s"))
    if link in AGAIN:
        checks.append(said(f"{link}: sent twice, % of bytes", 100 * (of("roost", "again") or 0), 100 * AGAIN[link], " %",
                           least=False))
    if link == "bloat":
        checks.append(said("bloat: of the link", of("roost", "mbit_s"), BLOAT * 10, " Mbit/s"))
        for key, bound in (("p95_ms", PING_P95_MS), ("max_ms", PING_MAX_MS)):
            values = [r["ping"][key] for r in runs if r["link"] == link and r["who"] == "roost" and r["ping"]]
            checks.append(said(f"bloat: ping above idle, {key[:3]}", median(values), bound, " ms", least=False))
    return checks


def shares(part, runs):
    """What several on one link get of it."""
    print()
    return {"beside": beside, "ten": ten, "fair": fair}[part](runs)


def beside(runs):
    return [said(f"{link}: one cubic TCP beside ours keeps, % of what passes",
                 100 * median([r["tcp_share"] for r in runs if r["link"] == link]), 100 * KEEPS, " %")
            for link in dict.fromkeys(r["link"] for r in runs)]


def ten(runs):
    return [said("ten of ours at 100 Mbit/s: Jain's index", median([r["jain"] for r in runs]), JAIN)]


def fair(runs):
    """Bounds of the median where the queue is one bandwidth-delay product; each start and the other queues are told."""
    checks = []
    for who in dict.fromkeys(r["who"] for r in runs):
        for queue in sorted({r["queue"] for r in runs}):
            got = [r["share"] for r in runs if r["who"] == who and r["queue"] == queue]
            text = ", ".join(f"{100 * s:.0f}" for s in got)
            print(f"         {who} beside one cubic TCP, a queue of {queue:g} products: {text} % of what passes")
            if queue == 1 and got and who in SHARES:
                low, high = SHARES[who]
                checks.append(said(f"{who} beside cubic, 1 product: at least", 100 * median(got), 100 * low, " %"))
                checks.append(said(f"{who} beside cubic, 1 product: at most", 100 * median(got), 100 * high, " %", least=False))
    return checks
