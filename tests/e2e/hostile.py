#!/usr/bin/python3
"""hostile.py BUILD [--pairs N] [--share N] - 20 clients talk; quiet and hostile times take turns
(attack.py says what comes, all at once). Nothing is lost or doubled, the order is the same for
all, nobody's connection is lost, somebody new gets in, every kind of enemy was there and met its
limit, and the p99 of a line's way is at most twice the quiet one (or 0.5 ms more): the median of
the ratios of all pairs.
--share 10: a tenth of the enemies, --short: one pair of this kind, where the ratio is printed only."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

import crash
import harness
from ordeal import ordeal

CLIENTS, PACE_MS = 20, 100
PHASE_S, SHORT_S = 5.0, 3.0
SPARE_US = 500
SOURCES, GUESSES = 8, 10  # where enemies come from; wrong codes that each may try
FULL = {"half": 1400, "silent": 600, "drip": 40, "frames": 20, "shake": 8, "login": 20, "guess": 8, "deaf": 3}
FAST = ["--set", "say.rate=100000", "--set", "say.burst=1000000"]
# The real cost of a hash.
COSTLY = ["--set", "hash.memory=19M", "--set", "hash.passes=2"]


def first(pid):
    """A session of its own, before all that shares the rest of this machine with the enemies:
    those have machines of their own, and what else runs here is not the question. Needs root."""
    try:
        pathlib.Path(f"/proc/{pid}/autogroup").write_text("-9")
    except OSError:
        pass


class Rest:
    """What the machine has left over when nobody else wants it: enemies have machines of their own,
    so what they compute here is not to be taken from the server. A group of the kernel's that is
    idle, below the one that we are in; needs root and a kernel from 5.15."""

    WHERE = "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"

    def __init__(self):
        self.path = None
        for where in map(pathlib.Path, self.WHERE):
            if not (where / "cgroup.procs").exists():
                continue
            path = where / f"roost-hostile-{os.getpid()}"
            try:
                path.mkdir()
            except OSError:
                continue
            try:
                (path / "cpu.idle").write_text("1")
                self.path = path
                return
            except OSError:
                path.rmdir()

    def words(self):
        return "have the idle rest of this machine (cpu.idle)" if self.path else "are nice, and ask for the processor last"

    def take(self, pid):
        if self.path:
            (self.path / "cgroup.procs").write_text(str(pid))

    def end(self):
        for _ in range(100 if self.path else 0):
            try:
                return self.path.rmdir()
            except OSError:  # who was in it is not quite gone
                time.sleep(0.05)


class Talk:
    """The good clients; their journal is a file, read when they have ended."""

    def __init__(self, crowd, hall, room, users):
        self.path = hall.dir / "journal"
        self.file = open(self.path, "wb")
        self.process = subprocess.Popen([str(crowd), "--pace", str(PACE_MS), hall.address, room, *(f"{u.name}={u.home}" for u in users)],
                                        stdin=subprocess.PIPE, stdout=self.file, stderr=subprocess.STDOUT, env=users[0].env(),
                                        start_new_session=True)
        first(self.process.pid)
        # They have machines of their own too: in the middle of a round of lines, the first to have its
        # line does not take the processor from those whose lines are still to be sent.
        os.sched_setscheduler(self.process.pid, os.SCHED_BATCH, os.sched_param(0))
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


class Meter:
    """What the server had of the machine since it was last asked: how much of the time its loop
    ran and was made to wait for a processor, in percent; what it holds now."""

    def __init__(self, pid):
        self.proc = pathlib.Path(f"/proc/{pid}")
        self.task = self.proc / "task" / str(pid) / "schedstat"
        self.last = self.read()

    def read(self):
        ran, waited, _ = map(int, self.task.read_text().split())
        return time.monotonic_ns(), ran, waited

    def loop(self):
        was, self.last = self.last, self.read()
        took = self.last[0] - was[0]
        return [round(100 * (a - b) / took) for a, b in zip(self.last[1:], was[1:])]

    def resident_kib(self):
        """With the processes that it made; what they share counts for each."""
        return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))
                   for pid in harness.family(int(self.proc.name)))

    def files(self):
        return len(os.listdir(self.proc / "fd"))


class Enemies:
    def __init__(self, hall, share, only, rest):
        here = pathlib.Path(__file__).resolve().parent
        kinds = [f"{k}={max(1, n // share)}" for k, n in FULL.items() if k in only]
        argv = ["setsid", sys.executable, str(here / "attack.py"), str(hall.port), *kinds]
        self.lines = hall.keep(harness.Lines(argv, hall.plain_env(), True))
        rest.take(self.lines.process.pid)
        self.lines.type("go\n")
        self.ready = self.lines.until("^ready (.*)$", 60).group(1)

    def end(self):
        self.lines.process.stdin.close()
        tally = json.loads(self.lines.until(r"^\{.*").group(0))
        self.lines.process.wait(30)
        return tally


def come_in(users, late):
    """In the middle of it somebody comes back, and somebody logs in."""
    came = users[0].rows("who")
    harness.check(any(row.get("name") == users[1].name for row in came), "who shows nobody")
    began = time.monotonic()
    late.run("logout")
    harness.until(lambda: not late.login(status=None).status, "a login with the right password")
    return time.monotonic() - began


def pair(hall, talk, users, late, rest, o, i, sums):
    meter = Meter(hall.server.process.pid)
    talk.phase("rest")
    meter.loop()
    time.sleep(SHORT_S if o.short else PHASE_S)
    quiet, calm = talk.phase(f"quiet{i}"), meter.loop()
    enemies = Enemies(hall, o.share, o.only, rest)
    talk.phase("arrival")
    meter.loop()
    time.sleep(SHORT_S if o.short else PHASE_S)
    hostile, busy = talk.phase(f"hostile{i}"), meter.loop()
    files = meter.files()
    sums["rss"], sums["files"] = max(sums["rss"], meter.resident_kib()), max(sums["files"], files)
    login_s = come_in(users, late)
    for k, n in enemies.end().items():
        sums[k] = sums.get(k, 0) + n
    time.sleep(0.5)
    print(f"  pair {i}: quiet p50 {quiet[1]} p99 {quiet[2]} us of {quiet[0]}, the loop ran {calm[0]} % and waited for a processor {calm[1]} %;\n"
          f"    hostile p50 {hostile[1]} p99 {hostile[2]} us of {hostile[0]}, ran {busy[0]} %, waited {busy[1]} %; "
          f"{enemies.ready} enemies got in, {files} files are open, a login took {login_s:.2f} s", flush=True)
    return quiet, hostile


def judge(talk, users):
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


def judge_enemies(sums, o):
    """Each was there, as often as it was to be, and did what hurts."""
    for kind, n in FULL.items():
        wanted = max(1, n // o.share) * o.pairs
        harness.check(kind not in o.only or sums.get(f"{kind} came", 0) >= wanted, f"of {kind}, too few came:", sums)
    for what in ("frames closed", "login login-wrong", "guess no-such-meeting", "guess guesses", "deaf asked") + (("half closed",) if o.share == 1 else ()):
        harness.check(what.split()[0] not in o.only or sums.get(what, 0) > 0, f"nobody met '{what}':", sums)
    harness.check(sums.get("guess no-such-meeting", 0) <= SOURCES * GUESSES, "more codes were looked at than ten for each source:", sums)
    harness.check(not sums.get("guess found"), "a code was guessed:", sums)


def talk_among_enemies(o, hall, rest):
    crowd = pathlib.Path(o.build).resolve() / "tests/tools/crowd"
    hall.start()
    first(hall.server.process.pid)
    users = [hall.user(f"user{i}") for i in range(CLIENTS)]
    mallory, late = hall.users("mallory", "late")
    users[0].run("room", "new", "crowd", *(u.name for u in users[1:]), mallory.name)
    users[0].run("meet", "new", "--title", "not for you")
    talk = Talk(crowd, hall, "#crowd", users)
    talk.until("ready ", CLIENTS)
    time.sleep(1)
    idle = Meter(hall.server.process.pid).resident_kib()
    sums = {"rss": 0, "files": 0}
    got = [pair(hall, talk, users, late, rest, o, i, sums) for i in range(o.pairs)]
    n = judge(talk, users)
    print("  " + json.dumps(sums))
    judge_enemies(sums, o)
    ratios = [h[2] / q[2] for q, h in got]
    slack = statistics.median(h[2] - q[2] for q, h in got)
    print(f"NOTE {n} messages to {CLIENTS} clients; p99 hostile / quiet: median {statistics.median(ratios):.2f} of "
          f"{', '.join(f'{r:.2f}' for r in sorted(ratios))}; median {slack / 1000:+.2f} ms; resident {idle} to {sums['rss']} KiB; enemies {rest.words()}")
    harness.check(o.short or statistics.median(ratios) <= 2 or slack <= SPARE_US, "talk suffers: p99 is", f"{statistics.median(ratios):.2f}", "times the quiet one")


def run(o):
    hall = harness.Hall(o.build, *FAST, *COSTLY, wrap=["setsid"])
    rest = Rest()
    try:
        return ordeal("hostile", hall, lambda: talk_among_enemies(o, hall, rest))
    finally:
        rest.end()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("--pairs", type=int, default=7)
    p.add_argument("--share", type=int, default=1)
    p.add_argument("--short", action="store_true")
    p.add_argument("--only", type=lambda s: s.split(","), default=list(FULL), help="these kinds")
    o = p.parse_args()
    if o.short:
        o.pairs, o.share = 1, 10
    sys.exit(run(o))
