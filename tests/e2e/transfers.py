"""Both ends of a transfer without a server, and what may lie between: for the stories of roost lab send and receive."""
import hashlib
import os
import shutil
import socket
import subprocess
import threading
import time

from harness import PATIENCE, Lines, Skip, equal, until

WAITING = r"waiting at \S*?:(\d+)$"


def receive(hall, out, *more, word="maple", at="127.0.0.1:0"):
    """A receiver, and the port where it waits."""
    p = hall.keep(Lines([str(hall.roost), "lab", "receive", "--listen", at, "--word", word, "-o", str(out), *more],
                        hall.plain_env()))
    return p, int(p.until(WAITING).group(1))


def send(hall, port, file, *more, word="maple", host="127.0.0.1"):
    return hall.keep(Lines([str(hall.roost), "lab", "send", "--to", f"{host}:{port}", "--word", word, *more, str(file)],
                           hall.plain_env()))


def a_file(hall, size, name="file"):
    path = hall.dir / name
    path.write_bytes(os.urandom(size))
    return path


def ends(process, status, patience=2 * PATIENCE):
    equal(process.process.wait(patience), status, " ".join(process.argv) + "\n" + "\n".join(process.drain()))


def same(a, b):
    equal(hashlib.sha256(a.read_bytes()).hexdigest(), hashlib.sha256(b.read_bytes()).hexdigest(), f"{a} and {b}")


def left_over(hall):
    return sorted(p.name for p in hall.dir.iterdir() if p.name.startswith("."))


def slow(hall, size):
    """A transfer that takes a while: it is fed by a pipe."""
    out = hall.dir / "out"
    receiver, port = receive(hall, out)
    sender = hall.keep(Lines([str(hall.roost), "lab", "send", "--to", f"127.0.0.1:{port}", "--word", "maple", "-"],
                             hall.plain_env(), stdin=True))
    sender.process.stdin.write(os.urandom(size))
    sender.process.stdin.flush()
    until(lambda: any((hall.dir / n).stat().st_size == size for n in left_over(hall)), "what was sent")
    return sender, receiver, out


class Strangers:
    """Somebody who says hello from very many addresses, and is at none of them: what comes back there is only counted."""

    def __init__(self, port, addresses=500):
        self.port, self.sent, self.back, self.over = port, 0, 0, threading.Event()
        self.sockets = []
        for i in range(addresses):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((f"127.77.{i // 250}.{i % 250 + 1}", 0))
            s.setblocking(False)
            self.sockets.append(s)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            for s in self.sockets:
                hello = b"\x81\x01" + os.urandom(64) + bytes(1200 - 66 - 8)
                try:
                    s.sendto(hello + hashlib.sha256(hello).digest()[:8], ("127.0.0.1", self.port))
                    self.sent += 1200
                except OSError:
                    pass
                self.drain(s)
                time.sleep(0.0003)

    def drain(self, s):
        try:
            while True:
                self.back += len(s.recv(2048))
        except OSError:
            pass

    def close(self):
        self.over.set()
        self.thread.join()
        for s in self.sockets:
            self.drain(s)
            s.close()


class Lan:
    """Two network namespaces with a cable between them."""

    def __init__(self, hall):
        self.names = [f"roost-{side}-{os.getpid()}" for side in ("a", "b")]
        if os.geteuid() != 0 or not shutil.which("ip"):
            raise Skip("network namespaces want root and ip (flow.address_changes tells the same story in virtual time)")
        a, b = self.names
        for name in self.names:
            done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
            if done.returncode:
                self.close()
                raise Skip("no network namespaces here: " + done.stderr.strip())
        for words in (["link", "add", "cable", "netns", a, "type", "veth", "peer", "name", "cable", "netns", b],
                      ["-n", a, "address", "add", "10.99.1.2/24", "dev", "cable"],
                      ["-n", b, "address", "add", "10.99.1.1/24", "dev", "cable"],
                      ["-n", a, "link", "set", "cable", "up"], ["-n", b, "link", "set", "cable", "up"]):
            self.ip(*words)

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def inside(self, side, *argv):
        return ["ip", "netns", "exec", self.names[side], *argv]

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
