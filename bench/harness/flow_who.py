"""Who is compared: how each is started, and how one sees that the receiver has all."""
import os
import shutil
import tempfile
import time

PORT = 7000
WORD = "a word for a bench"
LOOK_S = 0.001
START_S = 0.5  # a receiver that writes to a pipe cannot say that it is ready


class Files:
    """What is sent, and where it goes: in memory."""

    def __init__(self, out):
        memory = "/dev/shm"
        self.folder = tempfile.mkdtemp(prefix="roost-bench-", dir=memory if os.path.isdir(memory) else out)

    def source(self, size):
        path = os.path.join(self.folder, f"source-{size}")
        if not os.path.exists(path):
            with open(path, "wb") as f:
                for at in range(0, size, 1 << 20):
                    f.write(os.urandom(min(1 << 20, size - at)))
        return path

    def target(self, port):
        return os.path.join(self.folder, f"target-{port}")

    def clean(self):
        for name in os.listdir(self.folder):
            if "target" in name:
                os.unlink(os.path.join(self.folder, name))

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Neighbour:
    """One protocol of roost-flow."""

    def __init__(self, bench, name, kind, *more):
        self.name, self.kind, self.more, self.files = name, kind, more, bench.files
        self.tool = self.program = bench.flow

    def receiver(self, net, size, port=PORT):
        program = net.run(1, [self.tool, f"{self.kind}-receive", port, size, self.files.target(port)])
        program.ready()
        return program

    def sender(self, net, size, port=PORT):
        return net.run(0, [self.tool, f"{self.kind}-send", "10.77.0.2", port, self.files.source(size), *self.more])

    def endless(self, net, port=PORT):
        receiver = net.run(1, [self.tool, f"{self.kind}-receive", port, 0, "-"])
        receiver.ready()
        return receiver, net.run(0, [self.tool, f"{self.kind}-send", "10.77.0.2", port, "-", *self.more])

    def wait_all(self, receiver, patience):
        """(when it had all, None) or (None, bytes until now)."""
        row = receiver.next(lambda r: r.get("all"), patience)
        if row:
            return row["at_ns"], None
        rows = [r for r in receiver.rows if "bytes" in r]
        return None, rows[-1]["bytes"] if rows else 0

    def again(self, sender):
        """The share of bytes that were sent twice."""
        for row in sender.rows:
            if row.get("sent_bytes"):
                return row["again_bytes"] / row["sent_bytes"]
        return None


class Ours:
    """`roost lab send` and `lab receive`, sealed, as they come. The file is whole, synced, and under its
    name when the receiver has all: that moment counts."""

    def __init__(self, bench, cc=None):
        self.name, self.roost, self.cc = "roost" + (f" {cc}" if cc else ""), bench.roost, ["--cc", cc] if cc else []
        self.program, self.files = bench.roost, bench.files

    def receiver(self, net, size, port=PORT):
        target = self.files.target(port)
        program = net.run(1, [self.roost, "--json", "lab", "receive", "--listen", f"10.77.0.2:{port}", "--word", WORD,
                              *self.cc, "-o", target])
        program.ready(lambda row: row.get("event") == "listening")
        program.target = target
        return program

    def sender(self, net, size, port=PORT, more=()):
        return net.run(0, [self.roost, "--json", "lab", "send", "--to", f"10.77.0.2:{port}", "--word", WORD, *self.cc,
                           *more, self.files.source(size)])

    def endless(self, net, port=PORT):
        """(receiver, sender) of bytes without end, which go nowhere."""
        both = ["--word", WORD, *self.cc]
        receiver = net.run(1, ["sh", "-c", 'exec "$@" >/dev/null', "sh", self.roost, "lab", "receive", "--listen",
                               f"10.77.0.2:{port}", *both, "-o", "-"])
        time.sleep(START_S)
        with open("/dev/zero", "rb") as zeros:
            return receiver, net.run(0, [self.roost, "--json", "lab", "send", "--to", f"10.77.0.2:{port}", *both, "-"],
                                     stdin=zeros)

    def wait_all(self, receiver, patience):
        end = time.monotonic() + patience
        while time.monotonic() < end and not os.path.exists(receiver.target) and receiver.status is None:
            time.sleep(LOOK_S)
        if os.path.exists(receiver.target):
            return time.monotonic_ns(), None
        rows = [r for r in receiver.rows if r.get("event") == "progress"]
        return None, rows[-1]["bytes"] if rows else 0

    def again(self, sender):
        for row in sender.rows:
            if row.get("event") == "sent" and row["sent_bytes"]:
                return row["lost_bytes"] / row["sent_bytes"]
        return None


def known_controls():
    with open("/proc/sys/net/ipv4/tcp_available_congestion_control") as f:
        return f.read().split()


def tcp(bench, cc):
    return Neighbour(bench, f"tcp {cc}", "tcp", cc)


def chosen(bench, names):
    """In the order of a round; what this machine cannot do is said aloud and left out."""
    found = []
    for name in names:
        if name.startswith("tcp-"):
            cc = name[4:]
            if cc in known_controls():
                found.append(tcp(bench, cc))
            else:
                bench.say(f"LEFT OUT: this kernel has no TCP {cc} (modprobe tcp_{cc}?)")
        elif name == "srt":
            found.append(Neighbour(bench, "srt", "srt"))
        elif name == "roost" or name.startswith("roost-"):
            found.append(Ours(bench, name[6:] or None))
    return found
