"""bench/run idle: what costs nothing to do - idle connections, an idle server, its start."""
from .common import median, table, verdict

LOGINS = 20  # before the idle server is weighed


def shape(bench):
    if bench.quick:
        return {"conns": 1000, "accounts": 100, "starts": 3, "settle": 1}
    return {"conns": 10000, "accounts": 1000, "starts": 15, "settle": 3}


def with_server(bench, server, work, **kind):
    directory = bench.directory()
    try:
        server.start(directory, **kind)
        return work(directory)
    finally:
        server.stop()
        bench.remove(directory)


def many(bench, server, o):
    """KB a connection with many of them logged in and silent."""
    return with_server(bench, server, lambda _: bench.run_load(
        "idle", server, conns=o["conns"], accounts=o["accounts"], seconds=o["settle"]))


def alone(bench, server, o):
    """The whole server with one connection, after logins with the usual hashes."""
    def work(_):
        if not bench.run_load("idle", server, conns=LOGINS, seconds=0):
            return None
        return bench.run_load("idle", server, conns=1, seconds=o["settle"])
    return with_server(bench, server, work, plain=True)


def starts(bench, server, o):
    """ms from the start of the process to its answer: on an empty directory, and again on it."""
    fresh, again = [], []
    for _ in range(o["starts"]):
        directory = bench.directory()
        try:
            fresh.append(server.start(directory, plain=True))
            server.stop()
            again.append(server.start(directory, plain=True))
        finally:
            server.stop()
            bench.remove(directory)
    return {"first_ms": fresh, "again_ms": again}


def measure(bench, o):
    runs = []
    for round_nr in range(1, bench.rounds + 1):
        for server in bench.servers:
            bench.say(f"round {round_nr} of {bench.rounds}: {server.name}, {o['conns']} connections")
            runs.append({"round": round_nr, "server": server.name, "many": many(bench, server, o),
                         "alone": alone(bench, server, o)})
    for server in bench.servers:
        bench.say(f"{server.name}: {o['starts']} starts")
        runs.append({"server": server.name, "starts": starts(bench, server, o)})
    return runs


def values(runs, server, part, key):
    return [r[part][key] for r in runs if r["server"] == server and r.get(part)]


def summarise(runs, name):
    found = [r["starts"] for r in runs if r["server"] == name and "starts" in r][0]
    alone_kb = median(values(runs, name, "alone", "rss_after_kb"))
    own_kb = median(values(runs, name, "alone", "anon_after_kb"))
    return {
        "kb_a_conn": median(values(runs, name, "many", "kb_a_conn")),
        "connect_s": median(values(runs, name, "many", "connect_s")),
        "rss_many_mb": (median(values(runs, name, "many", "rss_after_kb")) or 0) / 1024,
        "closed": sum(values(runs, name, "many", "closed")),
        "held": len(values(runs, name, "many", "closed")),
        "alone_mb": alone_kb / 1024 if alone_kb else None,
        "alone_own_mb": own_kb / 1024 if own_kb else None,
        "first_start_ms": median(found["first_ms"]),
        "start_ms": median(found["again_ms"]),
    }


def run(bench):
    machine = bench.head()
    o = shape(bench)
    runs = measure(bench, o)
    sums = {s.name: summarise(runs, s.name) for s in bench.servers}
    print(f"\n{o['conns']} idle connections, medians of {bench.rounds}; starts, medians of {o['starts']}")
    table(["server", "KB/connection", "resident MB", "connected in s", "closed",
           f"MB with 1, after {LOGINS} logins", "of it its own", "first start ms", "start ms"],
          [[n, s["kb_a_conn"], s["rss_many_mb"], s["connect_s"], s["closed"], s["alone_mb"],
            s["alone_own_mb"], s["first_start_ms"], s["start_ms"]] for n, s in sums.items()])
    print()
    ours = sums.get("roostd", {})
    reached = [verdict("memory an idle connection", ours.get("kb_a_conn"), 32, "KB"),
               verdict("idle server with one connection", ours.get("alone_mb"), 12, "MB"),
               verdict("start to ready", ours.get("start_ms"), 150, "ms")]
    bench.write("idle", machine, {"options": o, "targets": reached, "runs": runs, "medians": sums})
    return 0 if all(s["held"] == bench.rounds for s in sums.values()) else 1
