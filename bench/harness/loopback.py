"""bench/run loopback: a large file over loopback, beside scp and TLS over TCP.

Each carries the same bytes from memory to memory (tmpfs). The clock runs from the start of who sends until
the other side has all and has ended; the processor's time is that of every process of both sides.
"""
import os
import signal
import socket
import subprocess
import tempfile
import time

from .cells import Cells
from .common import LIMIT_S, TOP, Bench, Failed, cell, median, table

MEMORY = "/dev/shm"
MB = 1000000


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(type=kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class LoopBench(Bench):
    """The programs that are compared, and ours."""

    def __init__(self, args):
        from . import servers
        self.args, self.quick, self.rounds, self.servers = args, args.quick, args.rounds, []
        self.build, self.out = os.path.join(TOP, args.build), os.path.join(TOP, "build", "bench")
        os.makedirs(self.out, exist_ok=True)
        if os.geteuid() != 0:
            raise Failed("sshd wants root")
        servers.install_packages(["openssh-server", "openssh-client", "openssl"])
        if not os.path.exists(os.path.join(self.build, "build.ninja")):
            self.call(["meson", "setup", self.build, TOP])
        self.call(["ninja", "-C", self.build, "bin/roost", "bench/roost-tls"])
        self.roost, self.tls = (os.path.join(self.build, p) for p in ("bin/roost", "bench/roost-tls"))
        self.cells = Cells(self, "loopback", [self.roost, self.tls])
        self.controls = [] if args.quick else ["cubic", "reno", "bbr"]


class Side:
    """A process whose time is counted, with that of its children."""

    def __init__(self, argv, **more):
        self.argv = [str(a) for a in argv]
        self.process = subprocess.Popen(self.argv, stderr=subprocess.PIPE, **{"stdin": subprocess.DEVNULL,
                                                                               "stdout": subprocess.DEVNULL, **more})
        self.cpu_s, self.status = 0.0, None

    def wait(self, patience=LIMIT_S, wanted=0):
        end = time.monotonic() + patience
        while self.status is None:
            pid, status, used = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                self.cpu_s = used.ru_utime + used.ru_stime
            elif time.monotonic() > end:
                self.process.kill()
                os.wait4(self.process.pid, 0)
                raise Failed(f"{' '.join(self.argv)} did not end within {patience} s")
            else:
                time.sleep(0.002)
        self.process.returncode = self.status
        said = self.process.stderr.read().decode("utf-8", "replace")
        self.process.stderr.close()
        if wanted is not None and self.status != wanted:
            raise Failed(f"{' '.join(self.argv)} ended with {self.status}:\n{said[-2000:]}")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.wait(wanted=None)


def until_listening(port, patience=20):
    """Without connecting: some serve one connection only."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        for table_of in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table_of) as f:
                if any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in list(f)[1:]):
                    return
        time.sleep(0.01)
    raise Failed(f"nobody listens at port {port}")


class Roost:
    def __init__(self, bench, cc=None):
        self.roost, self.cc = bench.roost, cc
        self.name = "roost" + (f" ({cc})" if cc else "")

    def carry(self, folder, file):
        argv = [self.roost, "lab", "receive", "--listen", "127.0.0.1:0", "--word", "bench", "-o", folder / "out"]
        there = Side(argv)
        port = int(there.process.stderr.readline().decode().rsplit(":", 1)[1])
        began = time.monotonic()
        here = Side([self.roost, "lab", "send", "--to", f"127.0.0.1:{port}", "--word", "bench",
                     *(["--cc", self.cc] if self.cc else []), file])
        here.wait()
        there.wait()
        return time.monotonic() - began, here.cpu_s, there.cpu_s


class Scp:
    def __init__(self, bench, cipher=None):
        self.bench, self.cipher = bench, cipher
        self.name = "scp" + (f" ({cipher.split('@')[0]})" if cipher else "")

    def server(self, folder):
        os.makedirs("/run/sshd", exist_ok=True)
        for key in ("host", "user"):
            if not (folder / key).exists():
                self.bench.call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)])
        (folder / "sshd_config").write_text(
            f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nStrictModes no\nUsePAM no\n"
            f"PidFile none\nPermitRootLogin yes\nSubsystem sftp /usr/lib/openssh/sftp-server\n")
        port = free_port()
        there = Side(["/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd_config", "-o", f"ListenAddress=127.0.0.1:{port}"])
        until_listening(port)
        return there, port

    def carry(self, folder, file):
        there, port = self.server(folder)
        try:
            began = time.monotonic()
            here = Side(["scp", "-q", "-P", port, "-i", folder / "user", "-o", "StrictHostKeyChecking=no", "-o",
                         "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                         *(["-c", self.cipher] if self.cipher else []), file, f"127.0.0.1:{folder}/out"])
            here.wait()
            took = time.monotonic() - began
        finally:
            there.end()
        return took, here.cpu_s, there.cpu_s


class Tls:
    """TLS 1.3 with the cipher that Roost uses, by a small program of its own (bench/load/tls.c)."""
    name = "TLS over TCP"

    def __init__(self, bench):
        self.bench = bench

    def carry(self, folder, file):
        if not (folder / "tls.key").exists():
            self.bench.call(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                             "-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.crt", "-subj", "/CN=bench", "-days", "2"])
        port = free_port()
        there = Side([self.bench.tls, "receive", port, folder / "tls.crt", folder / "tls.key", folder / "out"])
        until_listening(port)
        began = time.monotonic()
        here = Side([self.bench.tls, "send", port, file])
        here.wait()
        there.wait()
        return time.monotonic() - began, here.cpu_s, there.cpu_s


def measure(bench, who, folder, file, size):
    out = folder / "out"
    out.unlink(missing_ok=True)
    took, here, there = who.carry(folder, file)
    if out.stat().st_size != size:
        raise Failed(f"{who.name}: {out.stat().st_size} bytes arrived of {size}")
    if size <= 200 * MB:
        bench.call(["cmp", str(file), str(out)])
    out.unlink()
    gigabytes = size / 1e9
    return {"who": who.name, "took_s": took, "rate_mb": size / 1e6 / took, "send_cpu": here / gigabytes,
            "receive_cpu": there / gigabytes, "cpu": (here + there) / gigabytes}


def one(bench, i, who, folder, file, size):
    bench.say(f"round {i + 1} of {bench.rounds}: {who.name}")
    return {"round": i, **measure(bench, who, folder, file, size)}


def summary(runs, name):
    mine = [r for r in runs if r["who"] == name]
    return {"who": name, **{k: median([r[k] for r in mine]) for k in ("rate_mb", "send_cpu", "receive_cpu", "cpu")}}


def reached(bench, sums, runs, rivals):
    """As fast as the faster scp: the ratio of each round, their median, and a tenth of doubt."""
    best = max(rivals, key=lambda n: sums[n]["rate_mb"])
    by_round = {}
    for r in runs:
        by_round.setdefault(r["round"], {})[r["who"]] = r["rate_mb"]
    ratio = median([rates["roost"] / rates[best] for rates in by_round.values()])
    ok = ratio >= 1
    print(f"{'reached' if ok else 'MISSED '}  rate, that of {best} = 1: {cell(float(ratio))}")
    cpu = sums["roost"]["cpu"] / sums[best]["cpu"]
    print(f"         CPU a gigabyte, that of {best} = 1: {cell(float(cpu))}")
    return {"target": f"no slower than {best}", "ratio": ratio, "cpu_ratio": cpu, "reached": ok}


def run(bench):
    import pathlib
    machine = bench.head()
    size = (200 if bench.quick else 1000) * MB
    who = [Roost(bench), *(Roost(bench, cc) for cc in bench.controls), Scp(bench),
           Scp(bench, "aes128-gcm@openssh.com"), Tls(bench)]
    with tempfile.TemporaryDirectory(prefix="roost-loopback-", dir=MEMORY) as name:
        folder = pathlib.Path(name)
        file = folder / "file"
        with open(file, "wb") as f:
            block = os.urandom(MB)
            for _ in range(size // MB):
                f.write(block)
        for i in range(bench.rounds):
            first = i % len(who)  # nobody always comes after the same neighbour
            for w in who[first:] + who[:first]:
                program = bench.roost if isinstance(w, Roost) else bench.tls
                bench.cells.once(("round", i + 1, w.name), program, lambda: one(bench, i, w, folder, file, size))
    runs = bench.cells.all("round")
    sums = {w.name: summary(runs, w.name) for w in who}
    print(f"\n{size // MB} MB over loopback, from memory to memory (median of {bench.rounds})")
    table(["", "MB/s", "CPU s/GB", "sender", "receiver"],
          [[s["who"], s["rate_mb"], s["cpu"], s["send_cpu"], s["receive_cpu"]] for s in sums.values()])
    target = reached(bench, sums, runs, [w.name for w in who if isinstance(w, Scp)])
    bench.write("loopback", machine, {"bytes": size, "targets": [target], "runs": runs, "medians": list(sums.values())})
    return 0
