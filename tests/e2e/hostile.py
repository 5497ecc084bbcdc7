#!/usr/bin/python3
"""hostile.py BUILD [--pairs N] [--share N] - 20 clients talk; quiet and hostile times take turns
(attack.py says what comes, all at once). Nothing is lost or doubled, the order is the same for
all, nobody's connection is lost, and the p99 of a line's way is at most twice the quiet one
(or 0.5 ms more): the median of the ratios of all pairs. --share 10: a tenth of the enemies."""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import crash
import harness

CLIENTS, PACE_MS = 20, 100
PHASE_S = 3.0
SPARE_US = 500
FULL = {"half": 1400, "silent": 600, "drip": 40, "frames": 20, "shake": 8, "login": 20, "guess": 8, "deaf": 3}
FAST = ["--set", "say.rate=100000", "--set", "say.burst=1000000"]
# The log of refused requests is not what is looked at, and the real cost of a hash is.
COSTLY = ["--set", "hash.memory=19M", "--set", "hash.passes=2"]


class Talk:
    """The good clients; their journal is a file, read when they have ended."""

    def __init__(self, crowd, hall, room, users):
        self.path = hall.dir / "journal"
        self.file = open(self.path, "wb")
        self.process = subprocess.Popen([str(crowd), "--pace", str(PACE_MS), hall.address, room, *(f"{u.name}={u.home}" for u in users)],
                                        stdin=subprocess.PIPE, stdout=self.file, stderr=subprocess.STDOUT, env=users[0].env())
        self.reading, self.rest = open(self.path), ""
        hall.keep(self)

    def lines(self):
        self.rest += self.reading.read()
        *whole, self.rest = self.rest.split("\n")
        return whole

    def until(self, word, n=1):
        end = time.monotonic() + 60
        while n > 0:
            harness.check(time.monotonic() < end and self.process.poll() is None, f"the clients never said '{word}'")
            for line in self.lines():
                if line.startswith(word):
                    n, last = n - 1, line
            time.sleep(0.02)
        return last

    def phase(self, name):
        """What was measured since the last word: deliveries and microseconds (p50, p99, longest)."""
        self.process.stdin.write(name.encode() + b"\n")
        self.process.stdin.flush()
        return [int(x) for x in self.until(f"phase {name} ").split()[2:]]

    def end(self):
        self.process.stdin.close()
        harness.check(self.process.wait(60) == 0, "the clients failed:", self.path.read_text()[-300:])
        return self.path.read_text().splitlines()


def rss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


class Enemies:
    def __init__(self, hall, share, only):
        here = pathlib.Path(__file__).resolve().parent
        kinds = [f"{k}={max(1, n // share)}" for k, n in FULL.items() if k in only]
        self.lines = hall.keep(harness.Lines([sys.executable, str(here / "attack.py"), str(hall.port), *kinds], hall.plain_env(), True))
        self.ready = self.lines.until("^ready (.*)$", 60).group(1)

    def end(self):
        self.lines.process.stdin.close()
        tally = json.loads(self.lines.until(r"^\{.*").group(0))
        self.lines.process.wait(30)
        return tally


def pair(hall, talk, users, share, only, i, sums):
    talk.phase("rest")
    time.sleep(PHASE_S)
    quiet = talk.phase(f"quiet{i}")
    enemies = Enemies(hall, share, only)
    talk.phase("arrival")
    time.sleep(PHASE_S)
    hostile = talk.phase(f"hostile{i}")
    came = users[0].rows("who")  # somebody who comes in the middle of it
    harness.check(any(row.get("name") == users[1].name for row in came), "who shows nobody")
    sums["rss"] = max(sums.get("rss", 0), rss_kib(hall.server.process.pid))
    for k, n in enemies.end().items():
        sums[k] = sums.get(k, 0) + n
    time.sleep(0.5)
    print(f"  pair {i}: quiet p50 {quiet[1]} p99 {quiet[2]} us of {quiet[0]}; hostile p50 {hostile[1]} p99 {hostile[2]} us of {hostile[0]}; {enemies.ready} enemies got in at once", flush=True)
    return quiet, hostile


def judge(talk, users, deaf_room):
    journal = talk.end()
    harness.check(journal[-1] == "end", "the clients did not end well:", journal[-3:])
    names = [u.name for u in users]
    n = crash.judge(journal, names)
    crash.each_in_its_own_order(journal, names)
    lost = [line for line in journal if line.startswith("lost ")]
    harness.check(not lost, f"{len(lost)} good connections were lost:", lost[:3])
    refused = [line for line in journal if line.startswith("refused ")]
    harness.check(not refused, f"{len(refused)} good requests were refused:", refused[:3])
    return n


def run(build, pairs, share, only):
    hall = harness.Hall(build, *FAST, *COSTLY)
    crowd = pathlib.Path(build).resolve() / "tests/tools/crowd"
    try:
        hall.start()
        users = [hall.user(f"user{i}") for i in range(CLIENTS)]
        hall.user("mallory")
        users[0].run("room", "new", "crowd", *(u.name for u in users[1:]), "mallory")
        talk = Talk(crowd, hall, "#crowd", users)
        talk.until("ready ", CLIENTS)
        time.sleep(1)
        idle = rss_kib(hall.server.process.pid)
        sums = {}
        got = [pair(hall, talk, users, share, only, i, sums) for i in range(pairs)]
        n = judge(talk, users, "#crowd")
        ratios = [h[2] / q[2] for q, h in got]
        slack = statistics.median(h[2] - q[2] for q, h in got)
        print("  " + json.dumps(sums))
        print(f"NOTE {n} messages to {CLIENTS} clients; p99 hostile / quiet: median {statistics.median(ratios):.2f} of "
              f"{', '.join(f'{r:.2f}' for r in sorted(ratios))}; median {slack / 1000:+.2f} ms; resident {idle} to {sums['rss']} KiB")
        harness.check(statistics.median(ratios) <= 2 or slack <= SPARE_US, "talk suffers: p99 is", f"{statistics.median(ratios):.2f}", "times the quiet one")
        print("ok hostile")
        return 0
    except harness.Failure as e:
        print("\n".join(hall.logs[-20:] + (hall.server.seen[-20:] if hall.server else [])))
        print(e)
        print(f"FAIL hostile: {str(e).splitlines()[0][:200]}")
        return 1
    finally:
        for problem in hall.close():
            print(f"FAIL hostile.end: {problem}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("--pairs", type=int, default=7)
    p.add_argument("--share", type=int, default=1)
    p.add_argument("--only", default=",".join(FULL), help="these kinds")
    o = p.parse_args()
    sys.exit(run(o.build, o.pairs, o.share, o.only.split(",")))
