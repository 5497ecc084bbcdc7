"""What is special in a folder: holes, times, the right to execute, and what cannot be sent."""
import os

from harness import check, equal, story
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
