"""bench/run files: files over links, ours by each way beside scp -r, rsync over ssh and HTTPS.

The clock runs from the start of the sender's program (curl's, for HTTPS) until the receiver has everything,
verified and under its names. Ours is also synced to the disk by then; the others leave that to the system.
"""
import os
import pathlib
import signal
import sys
import tempfile
import time
from typing import NamedTuple

from .common import LIMIT_S, TOP, Bench, Failed, machine, median, table
from .files_load import MB, Load, digests, flat, fresh, one, tree


class Link(NamedTuple):
    name: str
    mbit: int
    queue: int
    kind: str  # who makes it: the kernel (veth), or `roost lab link` (bent)
    loads: tuple


LINKS = {l.name: l for l in (
    Link("lan", 900, 512 * 1024, "veth", ("1gb", "small10000", "tree")),
    Link("wan", 100, 256 * 1024, "bent", ("100mb", "small500")),
    Link("lossy", 50, 256 * 1024, "bent", ("15mb", "small200")),
)}
LOADS = {l.name: l for l in (
    Load("1gb", one(1000 * MB), "1 GB"),
    Load("100mb", one(100 * MB), "100 MB"),
    Load("15mb", one(15 * MB), "15 MB"),
    Load("small10000", flat(10000, 4096), "10,000 files of 4 KB"),
    Load("small500", flat(500, 4096), "500 files of 4 KB"),
    Load("small200", flat(200, 4096), "200 files of 4 KB"),
    Load("tree", tree(3000, 100 * MB), "3,000 files in 60 folders, 100 MB"),
)}
OURS = ("direct", "relay", "server")


class FilesBench(Bench):
    """The same for `bench/run files`."""

    def __init__(self, args):
        from . import files_who, servers
        self.args, self.quick, self.rounds, self.servers = args, args.quick, args.rounds, []
        self.build, self.out = os.path.join(TOP, args.build), os.path.join(TOP, "build", "bench")
        self.number = os.getpid()
        os.makedirs(self.out, exist_ok=True)
        if os.geteuid() != 0:
            raise Failed("network namespaces want root")
        servers.install_packages(["iproute2", "openssh-server", "openssh-client", "rsync", "nginx", "curl", "openssl"])
        if not os.path.exists(os.path.join(self.build, "build.ninja")):
            self.call(["meson", "setup", self.build, TOP])
        self.call(["ninja", "-C", self.build, "bin/roost", "bin/roostd"])
        self.roost, self.roostd = (os.path.join(self.build, "bin", p) for p in ("roost", "roostd"))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="roost-files-", dir=args.folder or self.out))
        self.sources, self.keys = (self.folder / n for n in ("sources", "keys"))
        for d in (self.sources, self.keys):
            d.mkdir()
        self.links = [LINKS[n] for n in args.links.split(",") if n in LINKS]
        self.wanted = args.loads.split(",") if args.loads else list(LOADS)
        self.who = files_who.chosen(self, args.who.split(","))


def tenths(began_ns, ended_ns, progress, total):
    """Seconds that each tenth of the bytes took, by what the receiver told; None: it told too little."""
    points = [(began_ns, 0)] + sorted(p for p in progress if p[0] <= ended_ns) + [(ended_ns, total)]
    marks = []
    for i in range(11):
        want = total * i / 10
        for (t0, b0), (t1, b1) in zip(points, points[1:]):
            if b0 <= want <= b1 and b1 > b0:
                marks.append(t0 + (t1 - t0) * (want - b0) / (b1 - b0))
                break
        else:
            return None
    return [(b - a) / 1e9 for a, b in zip(marks, marks[1:])]


def transfer(bench, who, link, load, seed):
    from .files_net import Bent, Veth
    source, count, size = load.at(bench.sources)
    bench.to = fresh(bench.folder)
    net = {"veth": Veth, "bent": Bent}[link.kind](bench, link, seed)
    try:
        net.control(bench.args.tcp)
        who.prepare(net, bench.to)
        crossed = net.crossed()
        began_ns = who.send(net, source, bench.to)
        at_ns = who.done(LIMIT_S)
        took_s = ((at_ns or time.monotonic_ns()) - began_ns) / 1e9
        progress = who.progress()
        run = {"all": at_ns is not None, "seconds": took_s, "mbit_s": size * 8 / took_s / 1e6 if at_ns else None,
               "files_s": count / took_s if at_ns else None, "crossed_bytes": net.crossed() - crossed,
               "tenths_s": tenths(began_ns, at_ns, progress, size) if at_ns else None}
    finally:
        who.close()
        net.close()
    if run["all"] and digests(bench.to / source.name) != digests(source):
        raise Failed(f"{who.name}: what arrived is not what was sent")
    return {"link": link.name, "load": load.name, "who": who.name, "files": count, "bytes": size, **run}


def runs(bench):
    done = []
    for number in range(1, bench.rounds + 1):
        for link in bench.links:
            for load in [LOADS[n] for n in link.loads if n in bench.wanted]:
                first = number % len(bench.who)  # nobody always comes after the same one
                for who in bench.who[first:] + bench.who[:first]:
                    run = transfer(bench, who, link, load, 100 * number + len(link.name))
                    bench.say(f"round {number} of {bench.rounds}: {link.name:6} {load.what:34} {who.name:8}"
                              + (f" {run['seconds']:7.2f} s {run['mbit_s']:7.1f} Mbit/s {run['files_s']:9.1f} files/s"
                                 if run["all"] else f" cut off after {run['seconds']:.0f} s"))
                    done.append({"round": number, **run})
    return done


def of(done, link, load, who, key):
    return median([r[key] for r in done if (r["link"], r["load"], r["who"]) == (link, load, who) and r[key] is not None])


def parts(bench):
    return [(link, LOADS[n]) for link in bench.links for n in link.loads if n in bench.wanted]


def show(bench, done):
    names = [w.name for w in bench.who]
    print("\nseconds, median; from the sender's start until the receiver has all, verified and named")
    table(["link, load"] + names, [[f"{l.name}, {o.what}"] + [of(done, l.name, o.name, w, "seconds") for w in names]
                                   for l, o in parts(bench)])
    print("\nMbit/s of the files' bytes")
    table(["link, load"] + names, [[f"{l.name}, {o.what}"] + [of(done, l.name, o.name, w, "mbit_s") for w in names]
                                   for l, o in parts(bench)])
    small = [(l, o) for l, o in parts(bench) if o.name.startswith("small")]
    rows = [[f"{l.name}, {o.what}, {w}"] + means for l, o in small for w in names
            if w in OURS and (means := tenth_rates(done, l.name, o.name, w))]
    if rows:
        print("\nsmall files a second in each tenth; the first has the start of the program in it, the last the end")
        table(["link, load, who"] + [str(i) for i in range(1, 11)], rows)


def tenth_rates(done, link, load, who):
    mine = [r for r in done if (r["link"], r["load"], r["who"]) == (link, load, who) and r["tenths_s"]]
    return [median([r["files"] / 10 / max(r["tenths_s"][i], 1e-4) for r in mine]) for i in range(10)] if mine else None


def run(bench):
    from . import files_check, files_picture
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # nothing stays behind
    try:
        m = machine(bench.folder)
        print(f"{m['cpu']}, {m['cores']} cores, disk {m['disk']}; {m['system']}, Linux {m['kernel']}; "
              f"{', '.join(w.name for w in bench.who)}; TCP's control {bench.args.tcp}")
        began = time.monotonic()
        done = runs(bench)
        show(bench, done)
        files_picture.draw(bench, done)
        checks = files_check.all_of(bench, done)
        bench.write("files", m, {"took_s": time.monotonic() - began, "tcp": bench.args.tcp, "folder": str(bench.folder),
                                 "links": {l.name: l._asdict() for l in bench.links},
                                 "checks": checks, "runs": done})
    finally:
        bench.remove(bench.folder)
    return 0
