"""The bounds of `bench/run files`: each is printed as reached or missed, and written down."""
from .files import OURS, of, parts, tenth_rates
from .flow_check import said

BEST_ON_LAN, TIMES_ON_LOSSY = 0.95, 2
FLAT = 0.5  # of the median: the slowest of the tenths between the first and the last
TENTHS_OF = 1000  # files: fewer are over before a rate can be told


def all_of(bench, done):
    names = [w.name for w in bench.who]
    ours, others = [n for n in names if n in OURS], [n for n in names if n not in OURS]
    checks = []
    print()
    for link, load in parts(bench):
        rates = {n: of(done, link.name, load.name, n, "mbit_s") for n in names}
        for who in ours:
            checks += of_one(done, link.name, load, who, rates, [n for n in others if rates[n]])
    return checks


def of_one(done, link, load, who, rates, others):
    checks = []
    best = max(others, key=lambda n: rates[n], default=None)
    if best and link == "lan":
        checks.append(said(f"lan, {load.what}, {who}: 0.95 of the best ({best})", rates[who],
                           BEST_ON_LAN * rates[best], " Mbit/s"))
    if best and link == "lossy":
        checks.append(said(f"lossy, {load.what}, {who}: twice the best ({best})", rates[who],
                           TIMES_ON_LOSSY * rates[best], " Mbit/s"))
    if load.name.startswith("small"):
        for n in ("scp -r", "rsync"):
            if n in others:
                checks.append(said(f"{link}, {load.what}, {who}: faster than {n}", rates[who], rates[n], " Mbit/s"))
        tenths = tenth_rates(done, link, load.name, who)
        if tenths and min(r["files"] for r in done if r["load"] == load.name) >= TENTHS_OF:
            middle = sorted(tenths[1:9])
            checks.append(said(f"{link}, {load.what}, {who}: flat, the slowest of tenths 2 to 9 to their median",
                               middle[0] / middle[4], FLAT))
    return checks
