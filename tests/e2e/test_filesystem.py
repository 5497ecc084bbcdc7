"""File systems of a story's own: the kernel makes one read-only while the server runs, as it does when the disk below it fails;
one is full where files arrive."""
import contextlib
import os
import pathlib
import random
import shutil
import subprocess

from harness import PATIENCE, Skip, check, equal, on_disk, story, until
from web import get


class Ext4:
    """A small one in a file, by a loop device, which is its only way there: what is mended is what is mounted. Needs root."""

    def __init__(self, hall):
        image, self.path = hall.dir / "image", hall.dir / "disk"
        self.path.mkdir()
        with open(image, "wb") as f:
            f.truncate(48 << 20)
        if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
            raise Skip("no file system can be made (disk.read_only tells the same story)")
        done = subprocess.run(["losetup", "--find", "--show", str(image)], capture_output=True, text=True)
        if done.returncode:
            raise Skip(f"there is no loop device: {done.stderr.strip()} (disk.read_only tells the same story)")
        self.device = done.stdout.strip()
        subprocess.run(["mkfs.ext4", "-q", self.device], check=True)
        self.mount()

    def mount(self):
        done = subprocess.run(["mount", "-o", "errors=remount-ro", self.device, str(self.path)], capture_output=True, text=True)
        if done.returncode:
            subprocess.run(["losetup", "--detach", self.device], check=True)
            raise Skip(f"nothing can be mounted: {done.stderr.strip()} (disk.read_only tells the same story)")

    def fail(self):
        """As if a block could not be read: the journal ends, and all is read-only."""
        trigger = pathlib.Path("/sys/fs/ext4") / pathlib.Path(self.device).name / "trigger_fs_error"
        if not trigger.exists():
            raise Skip("this kernel fails no file system on demand (disk.read_only tells the same story)")
        trigger.write_text("a test\n")

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.path)], check=True)

    def unmount(self):
        """The end of it."""
        subprocess.run(["umount", str(self.path)], check=True)
        subprocess.run(["losetup", "--detach", self.device], check=True)

    def mend(self):
        subprocess.run(["umount", str(self.path)], check=True)
        done = subprocess.run(["e2fsck", "-fy", self.device], capture_output=True, text=True)
        check(done.returncode <= 2, done)  # 1, 2: it was mended; 8: somebody else sees it mounted
        self.mount()


@story
@on_disk(Ext4)
def it_turns_read_only_while_the_server_runs(hall, disk):
    admin = hall.admin()
    anna = hall.user("anna")
    anna.run("room", "new", "lobby", "root")
    watching = admin.follow("chat", stdin=True)
    watching.event(event="person")
    acknowledged = []
    for i in range(10):
        anna.run("say", "#lobby", f"line {i}")
        acknowledged.append(f"line {i}")
    disk.fail()
    refused = set()
    for i in range(6):
        done = anna.run("say", "#lobby", f"late {i}", status=None)
        if done.status:
            refused.add(done.rows[-1]["name"])
        else:
            acknowledged.append(f"late {i}")
    check(refused and refused <= {"io", "not-stored"}, refused)
    # who runs the server, admins who are on, and monitors are told, and what to do
    hall.server.until("changes are refused, reading goes on; check the disk")
    watching.event(event="notice")
    equal(get(hall, "/healthz").status, 503)
    check(admin.run("admin", "stats").rows[-1]["disk"] in ("read-only", "broken"))
    # reading goes on, for who comes too
    equal(anna.texts("read", "#lobby", "--last", "50")[:10], acknowledged[:10])
    watching.end()
    # a file system whose journal has ended wants to be looked at; then all is there
    hall.stop()
    disk.mend()
    hall.start()
    equal(anna.texts("read", "#lobby", "--last", "50"), acknowledged)
    until(lambda: not anna.run("say", "#lobby", "and on", status=None).status, "writing")
    until(lambda: get(hall, "/healthz").status == 200, "health")
    equal(admin.run("admin", "check").rows[-1]["whole"], True)


@story
@on_disk(Ext4)
def killed_and_started_where_it_cannot_write(hall, disk):
    """The log file of the database is still there, and holds what was said last."""
    hall.admin()
    anna = hall.user("anna")
    anna.run("room", "new", "lobby")
    said = [f"line {i}" for i in range(10)]
    for text in said:
        anna.run("say", "#lobby", text)
    hall.kill()
    check((hall.data / "roost.db-wal").stat().st_size > 0, "there is no log file")
    disk.remount("ro")
    hall.start()
    equal(anna.texts("read", "#lobby", "--last", "50"), said)
    equal(anna.run("say", "#lobby", "no", status=1).rows[-1]["name"], "io")
    equal(get(hall, "/healthz").status, 503)
    disk.remount("rw")
    until(lambda: not anna.run("say", "#lobby", "and on", status=None).status, "writing", 30)
    hall.server.until("takes everything again")
    equal(anna.texts("read", "#lobby", "--last", "50"), [*said, "and on"])
    until(lambda: get(hall, "/healthz").status == 200, "health")


MB = 1000 * 1000


@contextlib.contextmanager
def little_room(path, size):
    path.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True, text=True)
    if done.returncode:
        raise Skip(f"nothing can be mounted: {done.stderr.strip()} (sim/transfers has full disks too)")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@story
def it_is_full_where_files_arrive(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    source, one = hall.dir / "photos", hall.dir / "film.mkv"
    source.mkdir()
    for i in range(20):
        (source / f"{i}.jpg").write_bytes(random.Random(i).randbytes(300_000))
    one.write_bytes(random.Random(99).randbytes(12 * MB))
    tree = str(anna.run("send", source, "#maths").rows[-1]["file"])
    film = str(anna.run("send", one, "#maths").rows[-1]["file"])
    with little_room(hall.dir / "to", 10 * MB) as to:
        # what can never fit is not begun
        done = ben.run("get", film, "-o", to, status=1)
        equal(done.error["name"], "disk-full")
        check("full" in done.error["text"], done)
        equal([p for p in to.rglob("*") if p.is_file() and p.stat().st_size > 100_000], [])
        # somebody else takes the room while it comes
        getting = ben.follow("--link", "rate=20M delay=5ms queue=128K", "get", tree, "-o", to)
        while getting.event(patience=30).get("bytes", 0) < MB:
            pass
        with contextlib.suppress(OSError), open(to / "ballast", "wb", buffering=0) as f:
            while f.write(bytes(65536)):
                pass
        equal(getting.event(event="error", patience=30)["name"], "disk-full")
        equal(getting.process.wait(PATIENCE), 1)
        # with room again the same command gets the rest
        (to / "ballast").unlink()
        got = ben.run("get", tree, "-o", to).rows[-1]
        check(got["event"] == "received" and got["had"] >= MB // 2, got)
        equal({p.name: p.read_bytes() for p in (to / "photos").iterdir()}, {p.name: p.read_bytes() for p in source.iterdir()})
        equal(len(list(to.glob(".roost-parts/*"))), 1, "what is left is of the film")


@story(options=("--set", "files.reserve=0"))
def it_is_full_where_the_server_keeps_files(hall):
    """Somebody fills it in the middle of an upload: both sides say so, what came is kept and counted, talk goes on."""
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    hall.stop()
    data = random.Random(7).randbytes(12 * MB)
    (hall.dir / "film.mkv").write_bytes(data)
    with little_room(hall.data / "files", "16M") as disk:
        hall.start()
        sending = anna.follow("--link", "rate=16M delay=5ms queue=128K", "send", hall.dir / "film.mkv", "#maths")
        while sending.event(event="progress", patience=60)["bytes"] < 2 * MB:
            pass
        with contextlib.suppress(OSError), open(disk / "ballast", "wb", buffering=0) as f:
            while f.write(bytes(4096)):
                pass
        error = sending.event(event="error", patience=60)
        equal(error["name"], "disk-full")
        equal(sending.process.wait(20), 1)
        anna.run("say", "#maths", "talk goes on")
        equal(ben.texts("read", "#maths"), ["talk goes on"])
        (disk / "ballast").unlink()
        sent = anna.run("send", hall.dir / "film.mkv", "#maths").rows[-1]
        equal(sent["event"], "sent")
        check(sent["had"] >= MB, "what had come is not sent again", sent)
        ben.run("get", sent["file"], "-o", hall.dir / "got")
        check((hall.dir / "got").read_bytes() == data, "it differs")
        hall.stop()


def fill(path):
    with contextlib.suppress(OSError), open(path / "ballast", "wb", buffering=0) as f:
        while f.write(bytes(4096)):
            pass


@story
def it_is_full_where_a_person_receives(hall):
    """Who sends is told in plain words; when there is room again the same two commands send the rest, and only that. What has
    one size gets its room at once, and is refused at once; files of a folder, and a stream, while they come."""
    anna, ben = hall.users("anna", "ben")
    film, photos = hall.dir / "film.mkv", hall.dir / "photos"
    film.write_bytes(random.Random(11).randbytes(8 * MB))
    photos.mkdir()
    for i in range(20):
        (photos / f"{i}.jpg").write_bytes(random.Random(i).randbytes(300_000))

    def begins(source, *slow):
        receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
        until(lambda: any(row.get("name") == "ben" for row in anna.rows("who")), "ben to be on")
        return receiving, anna.follow(*slow, "send", source, "@ben")

    def is_refused(receiving, sending):
        for who in (sending, receiving):
            error = who.event(event="error")
            equal(error["name"], "disk-full")
            check("the disk of the receiver is full" in error["text"] and "make room" in error["advice"], error)
            equal(who.process.wait(PATIENCE), 1)

    def ends_well(receiving, sending):
        sent = sending.event(event="sent")
        receiving.event(event="received")
        equal((sending.process.wait(PATIENCE), receiving.process.wait(PATIENCE)), (0, 0))
        return sent

    with little_room(hall.dir / "to", "12M") as to:
        (to / "ballast").write_bytes(bytes(6 * MB))
        is_refused(*begins(film))
        (to / "ballast").unlink()
        ends_well(*begins(film))
        check((to / film.name).read_bytes() == film.read_bytes(), "it differs")
        (to / film.name).unlink()

        receiving, sending = begins(photos, "--link", "rate=16M delay=5ms queue=128K")
        while sending.event(event="progress")["bytes"] < MB:
            pass
        with contextlib.suppress(OSError), open(to / "ballast", "wb", buffering=0) as f:
            while f.write(bytes(4096)):
                pass
        is_refused(receiving, sending)
        (to / "ballast").unlink()
        sent = ends_well(*begins(photos))
        check(sent["had"] >= MB // 2, "what was there is not known any more:", sent)
        check(sent["sent_bytes"] < 1.2 * (6 * MB - sent["had"]) + MB, "what was there came again:", sent)
        equal({p.name: p.read_bytes() for p in (to / "photos").iterdir()}, {p.name: p.read_bytes() for p in photos.iterdir()})
