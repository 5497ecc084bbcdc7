"""bench/run figures: are the figures true?

Two people in a meeting; between one of them and the server lies `roost lab link`, a process that nobody is told of, with
numbers that are drawn in this run, other ones up than down. What both ends show of that way, and of the voices on it, is
compared with what the link counted in the same time. No rights are needed.
"""
import json
import os
import pathlib
import random
import shutil
import tempfile
import time

from .common import TOP, Bench, Failed, machine, table
from .flow_net import FIRST, Program
from .parley import PATIENCE_S, make_voice
from .servers import free_port

HERE, THERE = "127.0.0.1", "127.0.0.2"
WARM_S, WINDOW_S = 15, 10  # figures are of the last 10 s
BOUNDS = {"rtt_ms": (0.05, 2.0), "loss_percent": (0, 0.5), "jitter_ms": (0.2, 0.5), "bits": (0.03, 0)}


class FiguresBench(Bench):
    def __init__(self, args):
        self.args, self.quick, self.rounds, self.servers = args, args.quick, args.rounds, []
        self.build, self.out = os.path.join(TOP, args.build), os.path.join(TOP, "build", "bench")
        os.makedirs(self.out, exist_ok=True)
        if not os.path.exists(os.path.join(self.build, "build.ninja")):
            self.call(["meson", "setup", self.build, TOP])
        self.call(["ninja", "-C", self.build, "bin/roost", "bin/roostd"])
        self.roost, self.roostd = (os.path.join(self.build, "bin", p) for p in ("roost", "roostd"))
        self.voice = os.path.join(self.out, "voice.wav")
        make_voice(self.voice)


def draw():
    way = {"delay": random.uniform(3, 80), "jitter": random.uniform(6, 25), "loss": random.uniform(0, 8)}
    return way, "{}.delay={delay:.3f}ms {}.jitter={jitter:.3f}ms {}.loss={loss:.3f}%"


class Hall:
    """A server, a link before it, anna beside it and ben behind the link."""

    def __init__(self, bench, spec):
        self.bench, self.programs, self.port = bench, [], free_port()
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="roost-figures-", dir=bench.out))
        os.environ["ROOST_PASSWORD"] = "a password for a bench"
        try:
            self.begin(spec)
        except BaseException:
            self.close()
            raise

    def run(self, *argv):
        first = FIRST if os.geteuid() == 0 else ()  # else what the machine does beside is in what is measured
        self.programs.append(Program([*first, *map(str, argv)]))
        return self.programs[-1]

    def user(self, name, host):
        return [self.bench.roost, "-s", f"{host}:{self.port}", "--home", self.home / name, "-u", name, "--json"]

    def rows(self, *argv):
        done = self.run(*argv)
        if not done.wait(PATIENCE_S) or done.status:
            raise Failed(f"{argv[5:]}: {done.rows} {done.error.decode(errors='replace')}")
        done.threads[0].join(PATIENCE_S)
        return done.rows

    def bend(self, kind, port, *more):
        one = self.run(self.bench.roost, "--json", "lab", "link", "--only", kind, "--listen", f"{THERE}:{port}", "--to",
                       f"{HERE}:{port}", *more)
        one.ready(lambda r: r.get("event") == "ready")
        return one

    def begin(self, spec):
        self.run(self.bench.roostd, "--data", self.home / "data", "--listen", HERE, "--port", self.port,
                 "--registration", "open", "--set", "mdns=no", "--set", "hash.memory=8K")
        end = time.monotonic() + PATIENCE_S
        while True:
            tried = self.run(*self.user("anna", HERE), "register", "anna")
            if tried.wait(PATIENCE_S) and not tried.status:
                break
            if time.monotonic() > end:
                raise Failed(f"register: {tried.error.decode(errors='replace')}")
            time.sleep(0.1)
        self.bend("tcp", self.port)
        self.link = self.bend("udp", self.port + 1, "--link", spec)
        self.rows(*self.user("ben", THERE), "register", "ben")
        self.code = self.rows(*self.user("anna", HERE), "meet", "new", "--open", "--title", "Bench")[-1]["code"]
        for name, host in (("anna", HERE), ("ben", THERE)):
            one = self.run(*self.user(name, host), "meet", "join", self.code, "--mic", f"file:{self.bench.voice}",
                           "--speaker", "null", "--stats", self.home / f"{name}.jsonl")
            one.ready(lambda r: r.get("event") == "voice" and r.get("what") == "entered")

    def last(self, name):
        lines = (self.home / f"{name}.jsonl").read_text().split("\n")
        return json.loads(lines[-2])

    def counters(self):
        self.link.type("counters")
        row = self.link.next(lambda r: r.get("event") == "counters")
        if row is None:
            raise Failed("the link has gone")
        return row

    def shown(self):
        """Four rows of figures: {who measured what: figures}."""
        ben = self.last("ben")
        if ben["way"] != "udp":
            raise Failed("ben does not go by UDP")
        devices = self.rows(*self.user("anna", HERE), "meet", "stats", self.code)
        server = next(d for d in devices if d["name"] == "ben")["server"]
        return {"ben, his way": ("up", True, ben["path"]),
                "the server, its way to him": ("down", True, next(f for f in server if f["stream"] == 0)),
                "ben, anna's voice": ("down", False, next(p for p in ben["people"] if not p["self"])),
                "the server, ben's voice": ("up", False, next(f for f in server if f["stream"]))}

    def close(self):
        for p in reversed(self.programs):
            p.end()
        shutil.rmtree(self.home, ignore_errors=True)


def counted(before, after):
    """Of each way: what the link did in between."""
    truth = {}
    seconds = after["seconds"] - before["seconds"]
    for way in ("up", "down"):
        n = {k: after[way][k] - before[way][k] for k in before[way]}
        truth[way] = {"loss_percent": 100 * n["lost"] / n["pushed"], "jitter_ms": n["apart_us"] / n["journeys"] / 1000,
                      "bits": 8 * n["arrived_bytes"] / seconds, "took_ms": n["took_us"] / n["journeys"] / 1000}
    for way in truth.values():
        way["rtt_ms"] = truth["up"]["took_ms"] + truth["down"]["took_ms"]
    return truth


def measure(bench, windows):
    (up, words), (down, _) = draw(), draw()
    spec = " ".join(words.format(way, way, way, **numbers) for way, numbers in (("up", up), ("down", down)))
    hall = Hall(bench, spec)
    try:
        time.sleep(WARM_S)
        before, sums = hall.counters(), {}
        for _ in range(windows):
            time.sleep(WINDOW_S)
            for who, (way, whole, row) in hall.shown().items():
                for key in BOUNDS if whole else ("loss_percent", "jitter_ms"):
                    sums.setdefault((who, way, key), []).append(row[key])
        truth = counted(before, hall.counters())
    finally:
        hall.close()
    rows = []
    for (who, way, key), values in sums.items():
        shown, true = sum(values) / len(values), truth[way][key]
        share, least = BOUNDS[key]
        rows.append({"who": who, "figure": key, "shown": shown, "true": true,
                     "ok": abs(shown - true) <= max(share * true, least)})
    return spec, rows


def run(bench):
    m, tries, wrong = machine(bench.out), [], 0
    for _ in range(bench.rounds):
        spec, rows = measure(bench, 3 if bench.quick else 12)
        print(spec)
        table(["who measured what", "figure", "shown", "counted", ""],
              [[r["who"], r["figure"], r["shown"], r["true"], "" if r["ok"] else "OFF"] for r in rows])
        wrong += sum(not r["ok"] for r in rows)
        tries.append({"link": spec, "rows": rows})
    print(f"{wrong} of {sum(len(t['rows']) for t in tries)} figures off")
    bench.write("figures", m, {"tries": tries})
    return 1 if wrong else 0
