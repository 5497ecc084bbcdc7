"""bench/run voice: voices forwarded to all, beside mumble-server.

Both serve on one core, the load is on the other: people who are real to either server (TLS, keys, sealed frames),
some of whom say a frame of 80 bytes each 20 ms, out of phase with each other. Each frame is for all others.
"""
import json
import os
import re
import signal
import subprocess
import time
import urllib.request
import ssl

from .cells import Cells
from .common import LIMIT_S, TOP, Bench, Failed, median, table, verdict
from .servers import Roostd, Server, first_line, install_packages

SIZES = [(people, speakers) for speakers in (10, 4) for people in (200, 20, 100, 50)]
MOST = (200, 225, 250)  # a meeting of ours takes 250
GARBAGE = 100000  # a second
PARTS = "sizes,most,pairs"

MUMBLE_INI = """database={directory}/mumble.sqlite
dbus=
uname={user}
ice=
logfile=
pidfile=
host=127.0.0.1
port={port}
bandwidth=1000000
users=2000
usersperchannel=0
autobanAttempts=0
timeout=120
bonjour=false
"""


class Mumble(Server):
    name, package = "mumble-server", "mumble-server"

    def command(self, directory, **_):
        ini = os.path.join(directory, "mumble.ini")
        with open(ini, "w") as f:
            f.write(MUMBLE_INI.format(directory=directory, port=self.port, user=first_line(["id", "-un"])))
        return ["/usr/sbin/murmurd", "-fg", "-ini", ini]

    def load(self, people, speakers, seconds, bad=0):
        return [os.path.join(self.bench.build, "bench", "roost-mumble"), "--port", str(self.port), "--people", str(people),
                "--speakers", str(speakers), "--seconds", str(seconds)]

    def datagrams(self):
        return None  # one a frame


class Ours(Roostd):
    name, targets = "roostd", ("bin/roostd", "bin/roost-crowd")

    def command(self, directory, **_):
        words = super().command(directory, plain=True)
        for setting in ("speakers=16", "guests_hour=100000"):
            words += ["--set", setting]
        return words

    def load(self, people, speakers, seconds, bad=0):
        return [os.path.join(self.bench.build, "bin", "roost-crowd"), "-s", f"127.0.0.1:{self.port}", "--new", "--json",
                "--people", str(people + bad), "--speakers", str(speakers), "--seconds", str(seconds), "--bad", str(bad)]

    def datagrams(self):
        context = ssl._create_unverified_context()
        with urllib.request.urlopen(f"https://127.0.0.1:{self.port}/metrics", context=context, timeout=20) as page:
            for line in page.read().decode().splitlines():
                if line.startswith("roost_media_datagrams_total "):
                    return int(line.split()[1])
        return None


class VoiceBench(Bench):
    def __init__(self, args):
        self.args, self.quick, self.rounds = args, args.quick, args.rounds
        self.build, self.out = os.path.join(TOP, args.build), os.path.join(TOP, "build", "bench")
        os.makedirs(self.out, exist_ok=True)
        self.servers = [Mumble(self), Ours(self)]
        cores = sorted(os.sched_getaffinity(0))
        self.server_core, self.load_core = cores[0], cores[-1]
        install_packages(["mumble-server"])
        if not os.path.exists(os.path.join(self.build, "build.ninja")):
            self.call(["meson", "setup", self.build, TOP])
        self.call(["ninja", "-C", self.build, "bin/roostd", "bin/roost-crowd", "bench/roost-mumble", "bench/roost-garbage"])
        self.programs = {"roostd": os.path.join(self.build, "bin/roostd"), "mumble-server": "/usr/sbin/murmurd"}
        self.cells = Cells(self, "voice", list(self.programs.values()))
        wanted = args.parts if args.parts != "links,beside,ten,fair" else PARTS
        self.parts = wanted.split(",")
        self.seconds = 5 if args.quick else 8


# --- one run -----------------------------------------------------------------------------------

def cpu_s(pid):
    """Of all its threads, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
        except OSError:
            pass  # it ended
    return total / 1e9


def own_kb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"RssAnon:\s+(\d+)", f.read()).group(1))


def until_up(server):
    end = time.monotonic() + 20
    wanted = f":{server.port:04X}"
    while time.monotonic() < end:
        for name in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(name) as f:
                if any(row.split()[1].endswith(wanted) and row.split()[3] == "0A" for row in list(f)[1:]):
                    return
        time.sleep(0.05)
    raise Failed(f"{server.name} did not start")


def once(bench, server, people, speakers, bad=0, garbage=False):
    directory = bench.directory()
    try:
        server.launch(directory)
        until_up(server)
        time.sleep(1)
        return {"server": server.name, "people": people, "speakers": speakers, "bad": bad, "garbage": garbage,
                **loaded(bench, server, people, speakers, bad, garbage)}
    finally:
        server.stop()
        bench.remove(directory)


def loaded(bench, server, people, speakers, bad, garbage):
    before_kb, enemy = own_kb(server.pid), None
    load = subprocess.Popen(["taskset", "-c", str(bench.load_core), *server.load(people, speakers, bench.seconds, bad)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = load.stderr.readline()
        if "people are in" not in line:
            bench.say(f"{server.name}, {people} people: {line.strip()}")
            return {"failed": line.strip()}
        if garbage:
            port = server.port + (1 if isinstance(server, Ours) else 0)
            enemy = subprocess.Popen(["taskset", "-c", str(bench.load_core), os.path.join(bench.build, "bench/roost-garbage"),
                                      str(port), str(GARBAGE), str(bench.seconds + 2)], stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        was, theirs, at, grams = cpu_s(server.pid), cpu_s(load.pid), time.monotonic(), server.datagrams()
        time.sleep(bench.seconds - 1.5)
        spent, load_spent, took = cpu_s(server.pid) - was, cpu_s(load.pid) - theirs, time.monotonic() - at
        grams = None if grams is None else server.datagrams() - grams
        memory_kb = own_kb(server.pid) - before_kb
        out, _ = load.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return {"failed": "it did not end"}
    finally:
        for process in (load, enemy):
            if process and process.poll() is None:
                process.send_signal(signal.SIGKILL)
            if process:
                process.wait()
    if load.returncode:
        return {"failed": f"the load ended with {load.returncode}"}
    said = json.loads(out)
    frames = speakers * 50 * (people + bad - 1) * took
    return {"cpu": spent / took, "load_cpu": load_spent / took, "us_a_frame": spent / frames * 1e6,
            "frames_a_datagram": frames / grams if grams else 1.0, "kb_a_client": memory_kb / (people + bad),
            "sent": said["sent"], "received": said["received"], "lost": said["lost"], **said["delay_us"]}


# --- parts --------------------------------------------------------------------------------------

def sizes(bench):
    wanted = [(20, 4), (200, 10)] if bench.quick else SIZES
    for round_nr in range(1, bench.rounds + 1):
        for people, speakers in wanted:
            for server in bench.servers:
                bench.say(f"round {round_nr}: {server.name}, {people} people, {speakers} speak")
                bench.cells.once(("sizes", f"{people:03}", f"{speakers:02}", server.name, round_nr), bench.programs[server.name],
                                 lambda s=server, p=people, k=speakers: once(bench, s, p, k))


def most(bench):
    """Ten speak; the most people of whom nobody lost a frame, and what stopped it."""
    for server in bench.servers:
        for people in MOST[:1] if bench.quick else MOST:
            bench.say(f"most: {server.name}, {people} people")
            row = bench.cells.once(("most", server.name, f"{people:04}"), bench.programs[server.name],
                                   lambda s=server, p=people: once(bench, s, p, 10))
            if row.get("lost", 1):
                break


def pairs(bench):
    ours = bench.servers[1]
    for round_nr in range(1, bench.rounds + 1):
        for what, more in (("plain", {}), ("bad", {"bad": 1}), ("garbage", {"garbage": True})):
            bench.say(f"round {round_nr}: 100 people, {what}")
            bench.cells.once(("pairs", what, round_nr), bench.programs["roostd"],
                             lambda m=more: once(bench, ours, 100, 10, **m))


# --- what came of it -----------------------------------------------------------------------------

def middle(rows, key):
    return median([r.get(key) for r in rows])


def show_sizes(rows):
    sums, shown = {}, []
    for speakers, people, name in sorted({(r["speakers"], r["people"], r["server"]) for r in rows}):
        mine = [r for r in rows if (r["speakers"], r["people"], r["server"]) == (speakers, people, name)]
        s = {k: middle(mine, k) for k in ("us_a_frame", "cpu", "load_cpu", "frames_a_datagram", "p50", "p99", "p999", "kb_a_client")}
        s["lost"] = sum(r.get("lost", 0) for r in mine)
        sums[(people, speakers, name)] = s
        shown.append([f"{people} and {speakers}", name, s["us_a_frame"], s["frames_a_datagram"], s["p50"], s["p99"], s["p999"],
                      s["lost"], s["kb_a_client"], s["cpu"], s["load_cpu"]])
    print("\npeople and speakers; the delay is from the socket to the call that sends; CPU in cores")
    table(["people", "server", "us CPU a frame", "frames a datagram", "p50 us", "p99 us", "p99.9 us", "lost", "KB a client",
           "server CPU", "load CPU"], shown)
    return sums


def ratio(sums, people, speakers, key):
    ours, theirs = (sums.get((people, speakers, n), {}).get(key) for n in ("roostd", "mumble-server"))
    return ours / theirs if ours and theirs else None


def judge(sums):
    at = {who: sums.get((*who, "roostd"), {}) for who in ((200, 10), (20, 4))}
    return [verdict("CPU a frame over mumble-server's, 200 and 10", ratio(sums, 200, 10, "us_a_frame"), 0.25, ""),
            verdict("delay at 99 %, 200 and 10", at[200, 10].get("p99"), 8000, "us"),
            verdict("CPU a frame over mumble-server's, 20 and 4", ratio(sums, 20, 4, "us_a_frame"), 0.5, ""),
            verdict("delay at 99 %, 20 and 4", at[20, 4].get("p99"), 2000, "us"),
            verdict("memory a client over mumble-server's, 200 and 10", ratio(sums, 200, 10, "kb_a_client"), 0.25, "")]


def show_most(rows):
    found = {}
    for name in ("mumble-server", "roostd"):
        mine = [r for r in rows if r["server"] == name]
        whole = [r for r in mine if not r.get("lost", 1)]
        found[name] = max((r["people"] for r in whole), default=0)
        first = min((r for r in mine if r.get("lost", 1)), key=lambda r: r["people"], default=None)
        print(f"{name}: {found[name]} people with 10 speakers without loss"
              + (f"; at {first['people']} {first.get('lost', 0)} frames were lost, server CPU {first.get('cpu', 0):.2f}, "
                 f"load CPU {first.get('load_cpu', 0):.2f}" if first else "; more were not tried"))
    return found


def show_pairs(rows):
    found = {}
    print("\n100 people, 10 speak")
    for what, test in (("plain", lambda r: not r["bad"] and not r["garbage"]), ("one who hears badly", lambda r: r["bad"]),
                       ("100,000 packets of garbage a second", lambda r: r["garbage"])):
        mine = [r for r in rows if test(r)]
        found[what] = {k: middle(mine, k) for k in ("p50", "p99", "p999", "cpu", "load_cpu", "lost")}
    table(["", "p50 us", "p99 us", "p99.9 us", "lost", "server CPU", "load CPU"],
          [[what, *(f[k] for k in ("p50", "p99", "p999", "lost", "cpu", "load_cpu"))] for what, f in found.items()])
    return found


def run(bench):
    machine = bench.head()
    for part, measure in (("sizes", sizes), ("most", most), ("pairs", pairs)):
        if part in bench.parts:
            measure(bench)
    rows = {part: bench.cells.all(part) for part in ("sizes", "most", "pairs")}
    sums = show_sizes(rows["sizes"]) if rows["sizes"] else {}
    print()
    reached = judge(sums) if sums else []
    carried = show_most(rows["most"]) if rows["most"] else {}
    paired = show_pairs(rows["pairs"]) if rows["pairs"] else {}
    bench.write("voice", machine, {"targets": reached, "most": carried, "pairs": paired, "runs": rows,
                                   "medians": {" ".join(map(str, k)): v for k, v in sums.items()}})
    return 0
