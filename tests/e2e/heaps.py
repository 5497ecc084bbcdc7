#!/usr/bin/python3
"""heaps.py BUILD small|large [AMOUNT] - many small files (100,000 of up to 4 KB), or one large file (20 GB, generated): from
person to person and to a room. All of it arrives, and the memory of both ends and the server does not grow with it.

The last line says how long it took and how much memory each had at most (VmHWM), for docs/LONG.md."""
import hashlib
import pathlib
import random
import shutil
import subprocess
import sys
import time

import harness
from harness import check, equal, until

MEMORY = 64 * 1024  # KB: nobody needs more than that
HURRY = 14400  # s


def generate(path, size):
    """Bytes that nothing can pack; their digest."""
    key = random.Random(size).randbytes(16).hex()
    digest = hashlib.sha256()
    with open("/dev/zero", "rb") as zeros, open(path, "wb") as f, \
            subprocess.Popen(["openssl", "enc", "-aes-128-ctr", "-nosalt", "-K", key, "-iv", "0" * 32], stdin=zeros, stdout=subprocess.PIPE) as cipher:
        while size:
            piece = cipher.stdout.read(min(size, 4 << 20))
            f.write(piece)
            digest.update(piece)
            size -= len(piece)
        cipher.kill()
    return digest.hexdigest()


def digest_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while piece := f.read(4 << 20):
            digest.update(piece)
    return digest.hexdigest()


def tree_digest(path):
    """One figure for names and contents of a folder."""
    digest = hashlib.sha256()
    for p in sorted(path.rglob("*")):
        if p.is_file():
            digest.update(str(p.relative_to(path)).encode() + b"\0" + p.read_bytes())
    return digest.hexdigest()


class Weight:
    """The most memory that processes ever had, in KB."""

    def __init__(self):
        self.most = {}

    def look(self, **pids):
        for name, pid in pids.items():
            try:
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    self.most[name] = max(self.most.get(name, 0), int(line.split()[1]))

    def judge(self):
        for name, kb in self.most.items():
            check(kb < MEMORY, f"{name} had {kb} KB")
        return ", ".join(f"{name} {kb / 1024:.0f} MB" for name, kb in self.most.items())


def small(path, n):
    dice = random.Random(n)
    for i in range(n):
        if i % 100 == 0:
            (path / f"{i // 10000}" / f"{i // 100}").mkdir(parents=True)
        (path / f"{i // 10000}" / f"{i // 100}" / f"{i}").write_bytes(dice.randbytes(dice.randrange(4096)))


def wait(processes, weight, **pids):
    began = time.monotonic()
    while any(p.process.poll() is None for p in processes):
        weight.look(**pids)
        time.sleep(0.2)
        for p in processes:
            while p.coming.qsize() and p.next() is not None:
                del p.seen[:-5]
        check(time.monotonic() - began < HURRY, "it does not end:", *(p.seen for p in processes))
    for p in processes:
        equal(p.process.returncode, 0, p.seen)
    return time.monotonic() - began


def moved(hall, source, wanted, measure):
    weight, to = Weight(), hall.dir / "to"
    anna, ben = hall.users("anna", "ben")
    to.mkdir()
    receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
    until(lambda: any(row.get("name") == "ben" for row in anna.rows("who")), "ben to be on")
    sending = anna.follow("send", source, "@ben")
    direct = wait((sending, receiving), weight, sender=sending.process.pid, receiver=receiving.process.pid, server=hall.server.process.pid)
    equal(measure(to / source.name), wanted, "what came")
    shutil.rmtree(to)
    anna.run("room", "new", "heap", "ben")
    sending = anna.follow("send", source, "#heap")
    up = wait((sending,), weight, sender=sending.process.pid, server=hall.server.process.pid)
    rows = until(lambda: [r for r in ben.rows("files", "#heap") if r.get("event") == "file"], "the file in its room")
    to.mkdir()
    shutil.rmtree(source) if source.is_dir() else source.unlink()
    getting = ben.follow("get", rows[0]["file"], "-o", to)
    down = wait((getting,), weight, receiver=getting.process.pid, server=hall.server.process.pid)
    equal(measure(to / source.name), wanted, "what was fetched")
    return f"direct {direct:.0f} s, to a room {up:.0f} s, from it {down:.0f} s; {weight.judge()}"


def main(build, kind, amount=None):
    hall = harness.Hall(build, "--set", "files.max=100G", "--set", "files.quota_user=100G", "--set", "files.quota_room=100G")
    try:
        hall.start()
        source = hall.dir / "source"
        if kind == "large":
            size = int(float(amount or 20e9))
            what = f"{size / 1e9:.1f} GB"
            told = moved(hall, source, generate(source, size), digest_of)
        else:
            what = f"{int(amount or 100000)} files"
            small(source, int(amount or 100000))
            told = moved(hall, source, tree_digest(source), tree_digest)
        problems = hall.close()
        check(not problems, problems)
        print(f"ok {what}: {told}")
        return 0
    except harness.Failure as e:
        print(e)
        print(f"FAIL heaps.{kind}: {str(e).splitlines()[0][:300]}")
        return 1
    finally:
        hall.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
