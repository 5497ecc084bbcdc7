"""Two network namespaces joined by `roost lab link`, and the programs in them."""
import atexit
import itertools
import json
import os
import queue
import signal
import subprocess
import threading
import time

from .common import Failed

LEFT, RIGHT = "10.77.0.1", "10.77.0.2"
PATIENCE_S = 20
# All that is measured, and the link itself, come before whatever else this machine is doing.
FIRST = ("chrt", "-r", "1")
SPACES = []


def forget(name):
    if name in SPACES:
        SPACES.remove(name)
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


atexit.register(lambda: [forget(name) for name in list(SPACES)])


class Program:
    """A process whose lines, JSON objects, are kept with the moment when they came."""

    def __init__(self, argv, stdin=subprocess.PIPE):
        self.argv, self.rows, self.coming = argv, [], queue.Queue()
        self.began_ns = time.monotonic_ns()
        self.process = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pid, self.cpu_s, self.ended_ns, self.status, self.error = self.process.pid, None, None, None, b""
        threads = [threading.Thread(target=f, daemon=True) for f in (self._read, self._wait)]
        self.threads = threads + [threading.Thread(target=self._complain, daemon=True)]
        for t in self.threads:
            t.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                row["came_ns"] = time.monotonic_ns()
                self.rows.append(row)
                self.coming.put(row)
        self.coming.put(None)

    def _complain(self):
        self.error = self.process.stderr.read()

    def _wait(self):
        _, status, usage = os.wait4(self.pid, 0)
        self.ended_ns, self.cpu_s = time.monotonic_ns(), usage.ru_utime + usage.ru_stime
        self.process.returncode = self.status = os.waitstatus_to_exitcode(status)

    def next(self, wanted, patience=PATIENCE_S):
        """The next row for which it holds; None: the end of the process, or of our patience."""
        end = time.monotonic() + patience
        while True:
            try:
                row = self.coming.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return None
            if row is None:
                self.coming.put(None)
                return None
            if wanted(row):
                return row

    def ready(self, wanted=lambda row: row.get("ready")):
        row = self.next(wanted)
        if row is None:
            self.end()
            raise Failed(f"{' '.join(self.argv)} did not start: {self.error.decode(errors='replace').strip()} {self.rows}")
        return row

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def cpu_until_now(self):
        """Seconds; only while it runs."""
        try:
            with open(f"/proc/{self.pid}/stat") as f:
                words = f.read().rpartition(")")[2].split()
        except OSError:
            return self.cpu_s
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def wait(self, patience):
        """True: it has ended."""
        self.threads[1].join(patience)
        return self.status is not None

    def end(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.status is None:
                try:
                    os.kill(self.pid, number)  # Popen's own would wait for it first, and we do that
                except ProcessLookupError:
                    pass
                self.wait(PATIENCE_S)
        for t in self.threads:
            t.join(2)


class Net:
    """left -- link -- right; data goes from left to right, which is the link's way up."""
    number = itertools.count()

    def __init__(self, roost, spec, seed):
        number = next(Net.number)
        self.spaces = [f"roost-{os.getpid()}-{number}{side}" for side in "lr"]
        for name in self.spaces:
            done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
            if done.returncode:
                raise Failed(f"no network namespaces here (this bench wants root): {done.stderr.strip()}")
            SPACES.append(name)
            subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        self.link = Program([roost, "--json", "lab", "link", "--between", ",".join(self.spaces), "--link", spec,
                             "--seed", str(seed)])
        self.link.ready(lambda row: row.get("event") == "bent")

    def run(self, side, argv, **more):
        return Program(["ip", "netns", "exec", self.spaces[side], *FIRST, *map(str, argv)], **more)

    def counters(self):
        self.link.type("counters")
        row = self.link.next(lambda r: r.get("event") == "counters")
        if row is None:
            raise Failed("the link has gone")
        return row

    def close(self):
        self.link.end()
        for name in self.spaces:
            forget(name)
