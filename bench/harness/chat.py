"""bench/run chat: lines of 64 bytes to 100 and 1,000 members of one room."""
from .apart import Apart, Together
from .common import median, table, verdict

DISK_S, BARE_S = 2, 4


def shape(bench):
    """What a round measures: (members, options of the load program)."""
    if bench.quick:
        return (100,), {"seconds": 2, "flat_seconds": 1, "warm_seconds": 0.5, "windows": "64"}
    return (100, 1000), {"seconds": 6, "flat_seconds": 3, "warm_seconds": 1, "windows": "16,64,256,1024"}


def one(bench, server, members, options, seed):
    directory = bench.directory()
    try:
        server.start(directory)
        answer = bench.run_load("chat", server, conns=members, seed=seed, stamps=bench.apart.on, **options)
        server.stop()
        return answer
    finally:
        server.stop()
        bench.remove(directory)


def disk(bench):
    directory = bench.directory()
    try:
        return bench.run_load("disk", dir=directory, seconds=DISK_S)
    finally:
        bench.remove(directory)


def bare(bench, members, seed):
    """The same lines by nothing but a write to each member, plain, from the server's core."""
    return bench.run_load("bare", core=bench.server_core, conns=members, seconds=BARE_S, seed=seed, stamps=bench.apart.on)


def measure(bench):
    """Interleaved: each round has every server once and the disk beside it."""
    members_of, options = shape(bench)
    runs = []
    for round_nr in range(1, bench.rounds + 1):
        for members in members_of:
            for server in bench.servers:
                bench.say(f"round {round_nr} of {bench.rounds}: {server.name}, {members} members")
                runs.append({"round": round_nr, "server": server.name, "members": members,
                             "result": one(bench, server, members, options, round_nr)})
            runs.append({"round": round_nr, "server": "disk", "members": members,
                         "result": disk(bench)})
            runs.append({"round": round_nr, "server": "bare", "members": members,
                         "result": bare(bench, members, round_nr)})
    return runs


def pick(runs, server, members):
    return [r["result"] for r in runs if r["server"] == server and r["members"] == members
            and r["result"]]


def middle(results, phase, key):
    return median([r[phase][key] for r in results if phase in r])


def flat_phases(results):
    return sorted({k for r in results for k in r if k.startswith("flat_")}, key=lambda k: int(k[5:]))


def summarise(results):
    """The medians of one server at one number of members."""
    s = {key: middle(results, "offered", key)
         for key in ("server_us", "p50_ms", "p99_ms", "max_ms", "deliveries_s", "load_cpu",
                     "late_p99_ms", "others_cpu")}
    s["kb_a_conn"] = median([r["kb_a_conn"] for r in results])
    s["connect_s"] = median([r["connect_s"] for r in results])
    s["flat"] = {k[5:]: {key: middle(results, k, key)
                         for key in ("deliveries_s", "server_us", "server_cpu", "load_cpu", "p99_ms")}
                 for k in flat_phases(results)}
    rates = [f["deliveries_s"] for f in s["flat"].values()]
    s["flat_best"] = max(rates) if rates else None
    s["lost"] = sum(p["missing"] + p["refused"] for r in results for p in r.values()
                    if isinstance(p, dict)) + sum(r["closed"] for r in results)
    s["cut"] = sum(p["cut"] for r in results for p in r.values() if isinstance(p, dict))
    s["runs"] = len(results)
    return s


def print_tables(bench, members_of, sums, disks, bares):
    for members in members_of:
        print(f"\n{members} members, 20,000 deliveries a second offered (median of {bench.rounds})")
        table(["server", "CPU us/delivery", "p50 ms", "p99 ms", "max ms", "KB/connection", "load CPU",
               "others' CPU", "lost"],
              [[n, s["server_us"], s["p50_ms"], s["p99_ms"], s["max_ms"], s["kb_a_conn"], s["load_cpu"],
                s["others_cpu"], s["lost"]]
               for n in names(bench) for s in [sums[members, n]] if s["runs"]])
        print(f"{members} members, flat out, by lines in flight")
        table(["server", "lines", "deliveries/s", "CPU us/delivery", "p99 ms", "server CPU", "load CPU"],
              [[n, w, f["deliveries_s"], f["server_us"], f["p99_ms"], f["server_cpu"], f["load_cpu"]]
               for n in names(bench) for w, f in sums[members, n]["flat"].items()])
        d = disks[members]
        print(f"an append and fdatasync beside it: p50 {d['p50_ms']:.2f} ms, p99 {d['p99_ms']:.2f} ms")
        b = bares[members]
        print(f"the same lines by bare writes to {members} connections: CPU {b['write_us']:.2f} us each, "
              f"p50 {b['p50_ms']:.2f} ms, p99 {b['p99_ms']:.2f} ms")


def names(bench):
    return [s.name for s in bench.servers]


def targets(members_of, sums, disks, bares):
    """What the project wants to reach, where both sides were measured."""
    out = []
    for members in members_of:
        def get(server, key, n=members):
            return sums.get((n, server), {}).get(key)
        out.append(verdict(f"{members} members: CPU a delivery, nats-server's",
                           get("roostd", "server_us"), get("nats-server", "server_us"), "us"))
        bound = 5 + 2 * disks[members]["p99_ms"]
        out.append(verdict(f"{members} members: p99, 5 ms and twice the disk's",
                           get("roostd", "p99_ms"), bound, "ms"))
        if bares[members]["p99_ms"] > bound:
            print(f"         (bare writes alone take longer here: {bares[members]['p99_ms']:.2f} ms)")
        ours, theirs = get("roostd", "flat_best"), get("ngircd", "flat_best")
        out.append(verdict(f"{members} members: time of a million deliveries flat out, ngircd's",
                           1e6 / ours if ours else None, 1e6 / theirs if theirs else None, "s"))
        out.append(verdict(f"{members} members: memory a connection", get("roostd", "kb_a_conn"), 32, "KB"))
    return out


def run(bench):
    machine = bench.head()
    bench.apart = Apart(bench.load_core) if bench.args.apart else Together()
    print(bench.apart.words())
    try:
        runs = measure(bench)
    finally:
        bench.apart.end()
    members_of, options = shape(bench)
    sums = {(m, n): summarise(pick(runs, n, m)) for m in members_of for n in names(bench)}
    disks = {m: {k: median([r[k] for r in pick(runs, "disk", m)]) for k in ("p50_ms", "p99_ms")}
             for m in members_of}
    bares = {m: {k: median([r[k] for r in pick(runs, "bare", m)])
                 for k in ("write_us", "p50_ms", "p99_ms")} for m in members_of}
    print_tables(bench, members_of, sums, disks, bares)
    print()
    reached = targets(members_of, sums, disks, bares)
    bench.write("chat", machine, {
        "options": options, "received": bench.apart.words(), "targets": reached, "runs": runs,
        "medians": [{"members": m, "server": n, **s} for (m, n), s in sums.items()],
        "disk": [{"members": m, **d} for m, d in disks.items()],
        "bare": [{"members": m, **b} for m, b in bares.items()]})
    return 0 if all(s["runs"] == bench.rounds for s in sums.values()) else 1
