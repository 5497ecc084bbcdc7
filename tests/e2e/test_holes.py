"""What is special in a folder: holes, times, the right to execute, and what cannot be sent."""
import os
import subprocess

from harness import Skip, User, check, equal, on_disk, story
from parcels import MB, digest, folder, make
from test_files import passes


@story(short=True)
def holes_are_neither_sent_nor_written(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "disk.img", folder(hall, "to")
    make(source, 100000)
    with open(source, "r+b") as f:  # a middle and a tail of nothing
        f.seek(20 * MB)
        f.write(b"here again")
        f.truncate(40 * MB + 17)
    wanted, took = digest(source), source.stat().st_blocks
    for what in (source, folder(hall, "images")):
        if what != source:
            os.rename(source, what / "disk.img")
        sent, got = passes(anna, ben, what, to)
        equal(sent["bytes"], 40 * MB + 17)
        check(sent["sent_bytes"] < 2 * MB, "zeros crossed the link:", sent)
        there = to / what.name if what == source else to / "images" / "disk.img"
        equal((digest(there), there.stat().st_size), (wanted, 40 * MB + 17))
        check(there.stat().st_blocks < took + 4096, "zeros were written:", there.stat())
        source = hall.dir / "disk.img"


@story(short=True)
def times_and_the_right_to_execute_are_kept(hall):
    anna, ben = hall.users("anna", "ben")
    tree, to = folder(hall, "tree"), folder(hall, "to")
    (tree / "bin").mkdir()
    (tree / "bin" / "run").write_text("#!/bin/sh")
    (tree / "bin" / "run").chmod(0o777)
    (tree / "empty").mkdir()
    for i, path in enumerate([tree / "bin" / "run", tree / "bin", tree / "empty", tree]):
        os.utime(path, (1000000000 + i, 1000000000 + i))
    passes(anna, ben, tree, to)
    for path in ("bin/run", "bin", "empty", "."):
        equal(int((to / "tree" / path).stat().st_mtime), int((tree / path).stat().st_mtime), path)
    equal(oct((to / "tree" / "bin" / "run").stat().st_mode & 0o777), "0o755", "others may not write")
    check(os.access(to / "tree" / "bin", os.X_OK))


@story(short=True)
def so_are_those_of_a_single_file(hall):
    """From person to person, by the server for a room and for who is away, and by a phrase."""
    anna, ben = hall.users("anna", "ben")
    dora = User(hall, None)
    source, to = hall.dir / "run.sh", folder(hall, "to")
    make(source, 100000)
    source.chmod(0o775)
    os.utime(source, (1000000007, 1000000007))
    anna.run("room", "new", "maths", "ben")

    def same(name):
        equal((int((to / name).stat().st_mtime), oct((to / name).stat().st_mode & 0o777)), (1000000007, "0o755"), name)

    passes(anna, ben, source, to)
    same("run.sh")
    for target, name in (("#maths", "room.sh"), ("@ben", "away.sh")):
        file = anna.run("send", source, target, "--name", name).rows[-1]["file"]
        ben.run("get", file, "-o", to)
        same(name)
    sending = anna.follow("send", "--code", source, "--name", "code.sh")
    phrase = sending.event(event="transfer", stage="waiting")["phrase"]
    dora.run("receive", phrase, "--dir", to)
    same("code.sh")
    # what is piped in has none
    anna.run("send", "-", "--name", "pipe.txt", "#maths", input="piped")
    ben.run("get", anna.rows("files", "#maths")[-1]["file"], "-o", to)
    equal(oct((to / "pipe.txt").stat().st_mode & 0o777), "0o644")


class SmallDisk:
    """48 MB, in memory. Needs root."""

    def __init__(self, hall):
        self.path = hall.dir / "small"
        self.path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(self.path)], capture_output=True, text=True)
        if done.returncode:
            raise Skip(f"nothing can be mounted: {done.stderr.strip()} (test_disk has a disk without room)")

    def unmount(self):
        subprocess.run(["umount", str(self.path)], check=True)


@story
def holes_need_no_room(hall):
    """An image that is far larger than the disks that it goes to, and mostly nothing."""
    anna, ben = hall.users("anna", "ben")
    source = hall.dir / "disk.img"
    make(source, 2 * MB)
    with open(source, "r+b") as f:
        f.truncate(300 * MB)
        f.seek(200 * MB)
        f.write(b"here again")
    wanted = digest(source)
    disk = SmallDisk(hall)
    try:
        passes(anna, ben, source, disk.path)
        equal(digest(disk.path / "disk.img"), wanted)
        check((disk.path / "disk.img").stat().st_blocks * 512 < 4 * MB)
    finally:
        disk.unmount()


@story(options=("--set", "files.reserve=4M"))
@on_disk(SmallDisk)
def nor_where_a_room_keeps_them(hall, disk):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    source, to = hall.dir / "disk.img", folder(hall, "to")
    make(source, 2 * MB)
    with open(source, "r+b") as f:
        f.truncate(300 * MB)
    file = anna.run("send", source, "#maths").rows[-1]["file"]
    ben.run("get", file, "-o", to)
    equal(digest(to / "disk.img"), digest(source))
    check((to / "disk.img").stat().st_blocks * 512 < 4 * MB)
    # what is no hole needs room, and is told that there is none
    make(source, 60 * MB)
    equal(anna.run("send", source, "#maths", "--name", "full.img", status=1).error["name"], "file-reserve")


@story(short=True)
def what_is_left_out_is_said(hall):
    anna, ben = hall.users("anna", "ben")
    tree, to = folder(hall, "tree"), folder(hall, "to")
    (tree / "plain").write_text("plain")
    (tree / "link").symlink_to("plain")
    os.mkfifo(tree / "pipe")
    sent, _ = passes(anna, ben, tree, to)
    equal((sent["files"], sent["left_out"]), (1, 2))
    equal(sorted(p.name for p in (to / "tree").iterdir()), ["plain"])
    said = anna.run("send", tree, "@ben", "--via", "server", json=False).out
    check("tree/link (a link)" in said and "tree/pipe (a device" in said, said)
    # what is not there though it was meant is a failure, after all else was sent
    open(os.fsencode(tree) + b"/bad\xff", "w").close()
    done = anna.run("send", tree, "@ben", "--via", "server", json=False, status=1)
    check("1 could not be sent" in done.err and "a name that cannot be" in done.err, done)
    check("sent to" in done.out, done)
