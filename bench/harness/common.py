"""What every benchmark needs: build, machine, the load program, table and JSON."""
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

from .cells import Cells

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LIMIT_S = 120  # a run that is too slow is cut off, and its rate until then counts


class Failed(Exception):
    """Something that keeps the benchmark from measuring."""


def first_line(command):
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return (out.stdout or out.stderr).strip().split("\n")[0]


def file_value(path, key):
    with open(path) as f:
        for line in f:
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    return ""


def machine(directory):
    disk = first_line(["findmnt", "-no", "SOURCE,FSTYPE", "--target", directory])
    return {
        "cpu": file_value("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": file_value("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "system": file_os(),
        "disk": " ".join(disk.split()),
        "load_before": os.getloadavg()[0],
    }


def file_os():
    with open("/etc/os-release") as f:
        for line in f:
            if line.startswith("PRETTY_NAME="):
                return line.split("=", 1)[1].strip().strip('"')
    return ""


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


class Bench:
    """One call of bench/run: its options, its directories, its results."""

    def __init__(self, args):
        from . import servers
        self.args = args
        self.quick = args.quick
        self.rounds = args.rounds
        self.build = os.path.join(TOP, args.build)
        self.out = os.path.join(TOP, "build", "bench")
        os.makedirs(self.out, exist_ok=True)
        self.load = os.path.join(self.build, "bench", "roost-load")
        self.servers = servers.chosen(args.servers.split(","), self)
        cores = sorted(os.sched_getaffinity(0))
        self.server_core = cores[0]
        self.load_core = cores[1] if len(cores) > 1 else cores[0]
        servers.install(self.servers)
        self.compile()

    def compile(self):
        if not os.path.exists(os.path.join(self.build, "build.ninja")):
            self.call(["meson", "setup", self.build, TOP])
        targets = ["bench/roost-load"] + [t for s in self.servers for t in s.targets]
        self.call(["ninja", "-C", self.build] + targets)

    def call(self, command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode:
            raise Failed(f"{' '.join(command)}:\n{done.stdout[-4000:]}")

    def directory(self):
        """A data directory on the disk that is measured; the caller removes it."""
        return tempfile.mkdtemp(prefix="data-", dir=self.out)

    @staticmethod
    def remove(directory):
        shutil.rmtree(directory, ignore_errors=True)

    def run_load(self, what, server=None, **options):
        """The load program's answer; None if it failed, with the reason on stderr."""
        command = ["taskset", "-c", str(self.load_core), self.load, what, "--limit", str(LIMIT_S)]
        if server:
            command += ["--proto", server.proto, "--port", str(server.port), "--pid", str(server.pid)]
        for key, value in options.items():
            if value is not False:
                command += ["--" + key.replace("_", "-")] + ([] if value is True else [str(value)])
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S + 60,
                                  check=False)
        except subprocess.TimeoutExpired:
            self.say(f"the load program did not end within {LIMIT_S + 60} s")
            return None
        if done.returncode:
            self.say(f"{server.name if server else what}: the load program gave up "
                     f"(status {done.returncode})")
            return None
        return json.loads(done.stdout)

    @staticmethod
    def say(text):
        print(text, file=sys.stderr, flush=True)

    def head(self):
        m = machine(self.out)
        print(f"{m['cpu']}, {m['cores']} cores, {m['memory']}; {m['system']}, Linux {m['kernel']}; "
              f"disk {m['disk']}")
        print("; ".join(f"{s.name} {s.version()}" for s in self.servers))
        if m["cores"] < 2:
            print("only one core: server and load share it, the figures are worth little")
        return m

    def write(self, name, m, result):
        path = os.path.join(self.out, name + ".json")
        doc = {"bench": name, "at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
               "machine": m, "versions": {s.name: s.version() for s in self.servers},
               "quick": self.quick, "rounds": self.rounds, **result}
        with open(path + ".new", "w") as f:
            json.dump(doc, f, indent=1)
            f.write("\n")
        os.replace(path + ".new", path)
        print(f"written: {os.path.relpath(path, TOP)}")


class FlowBench(Bench):
    """The same for `bench/run flow`, which has no servers but ends of streams."""

    def __init__(self, args):
        from . import flow_who, servers
        self.args, self.quick, self.rounds, self.servers = args, args.quick, args.rounds, []
        self.build = os.path.join(TOP, args.build)
        self.out = os.path.join(TOP, "build", "bench")
        os.makedirs(self.out, exist_ok=True)
        if os.geteuid() != 0:
            raise Failed("network namespaces want root")
        servers.install_packages(["iproute2", "libsrt-openssl-dev"])
        self.call(["meson", "setup", *(["--reconfigure"] if os.path.exists(os.path.join(self.build, "build.ninja"))
                                       else []), self.build, TOP])
        self.call(["ninja", "-C", self.build, "bin/roost", "bench/roost-flow"])
        self.roost, self.flow = (os.path.join(self.build, p) for p in ("bin/roost", "bench/roost-flow"))
        self.links, self.parts = args.links.split(","), args.parts.split(",")
        self.files = flow_who.Files(self.out)
        self.who = flow_who.chosen(self, args.who.split(","))
        self.cells = Cells(self, "flow", [self.roost, self.flow])


def table(head, rows):
    """Columns as wide as they need; numbers to the right."""
    rows = [[cell(c) for c in row] for row in rows]
    widths = [max(len(str(r[i])) for r in [head] + rows) for i in range(len(head))]
    for r in [head] + rows:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w)
                        for i, (c, w) in enumerate(zip(r, widths))).rstrip())


def cell(value):
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 \
            else f"{value:.2f}"
    return str(value)


def verdict(what, ours, bound, unit):
    """A target of the project: ours is to be at most the bound."""
    if ours is None or bound is None:
        return {"target": what, "ours": ours, "bound": bound, "reached": None}
    ok = ours <= bound
    print(f"{'reached' if ok else 'MISSED '}  {what}: {cell(float(ours))} {unit}, "
          f"bound {cell(float(bound))} {unit}")
    return {"target": what, "ours": ours, "bound": bound, "reached": ok}
