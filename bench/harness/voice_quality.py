"""bench/run voice-quality: mouth to ear, and what is made up, by real programs over bent links.

A click into the speaker's microphone, the same click out of the listener's loudspeaker; both are files that say when
their first sample was heard. 25 ms one way on each hop. Loss and jitter are on the listener's hop, both ways.
"""
import concurrent.futures
import os
import time
from typing import NamedTuple

from .common import TOP, Bench, machine, median, table, verdict
from .parley import Parley, make_voice

WARM_S, LONG_S, QUICK_S, AT_ONCE = 12, 60, 15, 2


class Course(NamedTuple):
    name: str
    link: str
    words: tuple = ()
    first: str = "rtt=50ms"
    beside: str = ""
    most_ms: float = 250
    most_made_up: float = 2.0


LINE = "rate=5M delay=20ms queue=64KB"
COURSES = [
    Course("lan", "delay=200us", first="delay=200us", most_ms=60, most_made_up=0.5),
    Course("lan with 10 ms", "delay=200us", ("--frame", "10"), "delay=200us", most_ms=40, most_made_up=0.5),
    Course("clean", "delay=25ms", most_made_up=0.5),
    Course("wifi", "delay=25ms jitter=4ms loss=0.5% burst=2", most_made_up=0.5),
    Course("2 %", "delay=25ms loss=2%", most_made_up=0.5),
    Course("5 %", "delay=25ms loss=5%", most_made_up=0.5),
    Course("10 %", "delay=25ms loss=10%"),
    Course("20 %", "delay=25ms loss=20%"),
    Course("mobile", "delay=25ms jitter=15ms loss=0.3% burst=3"),
    Course("5 Mbit/s", LINE, most_made_up=0.5),
    Course("5 Mbit/s and a file of ours", LINE, beside="own"),
    Course("5 Mbit/s and lab send", LINE, beside="file"),
    Course("5 Mbit/s and cubic", LINE, beside="cubic", most_ms=400),
]


class QualityBench(Bench):
    def __init__(self, args):
        from . import flow_who, servers
        self.args, self.quick, self.rounds, self.servers = args, args.quick, args.rounds, []
        self.build, self.out = os.path.join(TOP, args.build), os.path.join(TOP, "build", "bench")
        os.makedirs(self.out, exist_ok=True)
        servers.install_packages(["iproute2"])
        if not os.path.exists(os.path.join(self.build, "build.ninja")):
            self.call(["meson", "setup", self.build, TOP])
        self.call(["ninja", "-C", self.build, "bin/roost", "bin/roostd", "bench/roost-flow", "bench/roost-both"])
        self.roost, self.roostd = (os.path.join(self.build, "bin", p) for p in ("roost", "roostd"))
        self.flow, self.both = (os.path.join(self.build, "bench", p) for p in ("roost-flow", "roost-both"))
        self.files = flow_who.Files(self.out)
        self.voice = os.path.join(self.out, "voice.wav")
        make_voice(self.voice)


def begin_beside(bench, parley, kind):
    from . import flow_who
    if kind in ("file", "cubic"):
        who = flow_who.Ours(bench) if kind == "file" else flow_who.tcp(bench, "cubic")
        parley.programs += who.endless(parley.net)


def tried(bench, course, seed):
    run_ = measure(bench, course, seed)
    bench.say("  {course}: {ms:.1f} ms, {made_up:.2f} % made up, {clicks} clicks".format(**run_))
    return run_


def measure(bench, course, seed):
    parley = Parley(bench, course.link, seed, course.first, course.words, course.beside == "own")
    try:
        begin_beside(bench, parley, course.beside)
        time.sleep(WARM_S)
        before, crossed = parley.voice(parley.now()), parley.net.counters()
        from_s = time.monotonic()
        time.sleep(QUICK_S if bench.quick else LONG_S)
        after, crossed_after = parley.voice(parley.now()), parley.net.counters()
        parley.leave()
        took = sorted(parley.mouth_to_ear(from_s))
        heard, made_up = (after[k] - before[k] for k in ("played_s", "made_up_s"))
        mbit = (crossed_after["up"]["arrived_bytes"] - crossed["up"]["arrived_bytes"]) * 8e-6
        return {"course": course.name, "seed": seed, "clicks": len(took), "ms": 1000 * median(took) if took else None,
                "p95_ms": 1000 * took[len(took) * 95 // 100] if took else None,
                "made_up": 100 * made_up / max(heard + made_up, 1e-9), "heard_s": heard, "held_ms": after["held_ms"],
                "loss": after["loss_percent"], "left": after["left_percent"],
                "mbit": mbit / (crossed_after["seconds"] - crossed["seconds"])}
    finally:
        parley.close()


def run(bench):
    m = machine(bench.out)
    print(f"{m['cpu']}, {m['cores']} cores; Linux {m['kernel']}; {AT_ONCE} at once, {bench.rounds} rounds")
    wanted = [c for c in COURSES if not bench.args.courses or c.name in bench.args.courses.split(",")]
    todo = [(c, 100 * r + i) for r in range(bench.rounds) for i, c in enumerate(wanted)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(lambda job: tried(bench, *job), todo))
    rows, targets = [], []
    for c in wanted:
        mine = [r for r in runs if r["course"] == c.name]
        rows.append([c.name] + [median([r[k] for r in mine]) for k in
                                ("ms", "p95_ms", "made_up", "loss", "left", "held_ms", "mbit")])
        rows[-1].append(max(r["made_up"] for r in mine))
    table(["listener's hop", "mouth to ear ms", "95 %", "made up %", "lost %", "after repair %", "held ms", "Mbit/s",
           "made up, worst %"], rows)
    found = {r[0]: r for r in rows}
    for c in wanted:
        targets.append(verdict(f"{c.name}: mouth to ear", found[c.name][1], c.most_ms, "ms"))
        targets.append(verdict(f"{c.name}: made up", found[c.name][3], c.most_made_up, "%"))
    if "5 Mbit/s" in found and "5 Mbit/s and a file of ours" in found:
        targets.append(verdict("what a file of ours adds", found["5 Mbit/s and a file of ours"][1] - found["5 Mbit/s"][1], 30,
                               "ms"))
    bench.write("voice-quality", m, {"runs": runs, "targets": targets})
    return 0
