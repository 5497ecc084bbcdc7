"""Backup, check, restore, figures; a server whose disk is full, read-only or damaged."""
import contextlib
import os
import pty
import random
import socket
import subprocess
import threading
import time

from harness import PATIENCE, Lines, Skip, check, equal, on_disk, story, until

FAST = ("--set", "say.rate=100000", "--set", "say.burst=100000")
LONG = {"patience": 120}


def lobby(hall, n=20):
    """A room with some texts; its members."""
    admin = hall.admin()
    anna = hall.user("anna")
    anna.run("room", "new", "lobby", "root")
    anna.run("chat", "#lobby", input="".join(f"line {i}\n" for i in range(n)))
    return admin, anna


def backup(hall, admin, name="one.roost", **more):
    path = hall.dir / name
    admin.run("admin", "backup", str(path), **more)
    return path


@story(short=True)
def a_backup_is_restored(hall):
    admin, anna = lobby(hall)
    path = backup(hall, admin)
    check(path.stat().st_mode & 0o077 == 0, "others can read it")
    check(not (hall.dir / "one.roost.part").exists() and not list(hall.data.glob("*.copy*")))
    anna.run("say", "#lobby", "after the backup")
    watching = anna.follow("read", "--follow")
    watching.event(text="after the backup")
    row = admin.run("admin", "restore", str(path), "--yes").rows[-1]
    equal((row["event"], row["bytes"]), ("restored", path.stat().st_size))
    with socket.create_connection((hall.address.split(":")[0], int(hall.address.split(":")[1])), 1):
        pass  # whoever is told to log in again can
    hall.server.until("restored from a backup")
    hall.server.until(r"^listening on")
    # all sessions are over, and were told
    equal(watching.process.wait(PATIENCE), 4, "\n".join(watching.seen))
    watching.drain()
    check(any("restored" in line for line in watching.seen), watching.seen)
    admin.run("whoami", status=4, env={"ROOST_PASSWORD": None})
    anna.login()
    texts = anna.texts("read", "#lobby", "--last", "50")
    check("line 0" in texts[0] and "after the backup" not in texts, texts)
    check((hall.data / "roost.db.before-restore").exists(), "the old one is kept")
    admin.login()
    kinds = [row["kind"] for row in admin.rows("admin", "log")]
    check("restored" in kinds, kinds)
    anna.run("say", "#lobby", "and on it goes")


@story
def a_backup_writes_over_nothing(hall):
    admin = hall.admin()
    path = backup(hall, admin)
    before = path.read_bytes()
    equal(admin.run("admin", "backup", str(path), status=1).rows[-1]["event"], "error")
    equal(path.read_bytes(), before)
    admin.run("admin", "backup", str(path), "--force")
    equal(admin.run("admin", "backup", str(hall.dir / "no" / "such"), status=1).rows[-1]["event"], "error")


@story
def only_admins_keep(hall):
    admin = hall.admin()
    anna = hall.user("anna")
    path = backup(hall, admin)
    for words in (("backup", str(hall.dir / "x")), ("restore", str(path), "--yes"), ("check",), ("stats",)):
        equal(anna.run("admin", *words, status=1).rows[-1]["name"], "not-allowed", str(words))
    check(not (hall.dir / "x").exists() and not (hall.dir / "x.part").exists())


@story(options=FAST)
def a_backup_while_everybody_talks(hall):
    admin, anna = lobby(hall)
    over, said = threading.Event(), []

    def talk(i):
        user = hall.user(f"talker{i}")
        user.run("room", "join", "lobby")
        n = 0
        while not over.is_set():
            user.run("chat", "#lobby", input="".join(f"{i}:{n + k}\n" for k in range(20)))
            n += 20
        said.append((i, n))

    threads = [threading.Thread(target=talk, args=(i,), daemon=True) for i in range(3)]
    for t in threads:
        t.start()
    until(lambda: any(t[1:2] == ":" for t in anna.texts("read", "#lobby", "--last", "10")), "talk")
    paths = [backup(hall, admin, f"{i}.roost", **LONG) for i in range(3)]
    equal(admin.run("admin", "check").rows[-1]["whole"], True)
    over.set()
    for t in threads:
        t.join()
    admin.run("admin", "restore", str(paths[-1]), "--yes", **LONG)
    hall.server.until(r"^listening on")
    anna.login()
    texts = [m["text"] for m in anna.messages("read", "#lobby", "--last", "200")]
    for i, n in said:  # of each talker what came first is there, without holes
        mine = [int(t.split(":")[1]) for t in texts if t.startswith(f"{i}:")]
        equal(mine, list(range(mine[0], mine[0] + len(mine))) if mine else [], f"talker {i}")


@story
def what_is_no_backup_changes_nothing(hall):
    admin, anna = lobby(hall)
    path = backup(hall, admin)
    good = path.read_bytes()
    bad = hall.dir / "bad.roost"

    def refused(content, word):
        bad.write_bytes(content)
        row = admin.run("admin", "restore", str(bad), "--yes", status=1).rows[-1]
        check(word in row["text"], word, row)

    refused(b"", "no backup")
    refused(b"SQLite format 3\0" + bytes(5000), "no backup")
    refused(good[:-4096], "cut off")
    refused(good + b"x", "too long")
    at = good.index(b"line 7") + 5  # what no page would tell
    refused(good[:at] + b"8" + good[at + 1:], "damaged")
    at = random.randrange(200, len(good))
    refused(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:], "damaged")
    for at in (10, 30, 60, 90):  # the head
        changed = good[:at] + bytes([good[at] ^ 1]) + good[at + 1:]
        bad.write_bytes(changed)
        admin.run("admin", "restore", str(bad), "--yes", status=1)
    equal(len(anna.texts("read", "#lobby", "--last", "50")), 20)
    check(not list(hall.data.glob("*upload*")) and not list(hall.data.glob("*restore*")), list(hall.data.iterdir()))
    equal(admin.run("admin", "check").rows[-1]["whole"], True)


class Asked:
    """A command that asks at a terminal, and waits for the answer."""

    def __init__(self, user, *words):
        argv, env = user.argv(*words, json=False), user.env()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execve(argv[0], argv, env)
        self.seen = b""
        self.until(b"Is that what you want?")

    def until(self, words):
        while words not in self.seen:
            try:
                self.seen += os.read(self.fd, 4096)
            except OSError:  # it has ended
                check(words in self.seen, self.seen)

    def answer(self, text):
        os.write(self.fd, text)

    def end(self):
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status


@story
def work_that_is_not_wanted_any_more_is_in_nobodys_way(hall):
    admin, anna = lobby(hall)
    other = hall.user("other")
    admin.run("admin", "user", "role", "other", "admin")
    path = backup(hall, admin)
    for who in (admin, other):  # nobody answers "yes"
        admin.run("admin", "restore", str(path), status=2)
        equal(who.run("admin", "check").rows[-1]["whole"], True)
        admin.run("admin", "restore", str(path), status=2)
        backup(hall, who, f"{who.name}.roost")
    for i in range(8):  # in the middle of the copy, or of the file
        going = admin.follow("admin", "backup", str(hall.dir / f"killed{i}.roost"))
        time.sleep(random.random() * 0.08)
        going.process.kill()
        going.process.wait()
        equal(other.run("admin", "check").rows[-1]["whole"], True)
    # while somebody thinks it over, others wait and are told for what
    asked = Asked(admin, "admin", "restore", str(path))
    for words in (("check",), ("backup", str(hall.dir / "x")), ("restore", str(path), "--yes")):
        row = other.run("admin", *words, status=None).rows[-1]
        check(row["name"] == "work-going" and "is going on" in row["text"], row)
    asked.answer(b"n\n")
    equal(asked.end(), 2)
    equal(other.run("admin", "check").rows[-1]["whole"], True)
    # who begins the same anew does not wait for what it forgot somewhere
    asked = Asked(admin, "admin", "restore", str(path))
    anna.run("say", "#lobby", "after the backup")
    again = Asked(admin, "admin", "restore", str(path))
    asked.answer(b"y\n")
    asked.until(b"another backup, check or restore")
    equal(asked.end(), 1)
    check("after the backup" in anna.texts("read", "#lobby", "--last", "50"))
    again.answer(b"y\n")
    equal(again.end(), 0)
    hall.server.until(r"restored from a backup")


@story
def a_restore_on_a_server_that_is_down(hall):
    admin, anna = lobby(hall)
    path = backup(hall, admin)
    anna.run("say", "#lobby", "after the backup")
    argv = [str(hall.roostd), "--data", str(hall.data), "--restore", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=hall.plain_env())
    check(done.returncode == 1 and "another roostd" in done.stderr, done)
    hall.stop()
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=hall.plain_env())
    check(done.returncode == 0 and "2 accounts" in done.stdout, done)
    hall.start()
    anna.login()
    check("after the backup" not in anna.texts("read", "#lobby", "--last", "50"))
    path.write_bytes(path.read_bytes()[:5000])
    hall.stop()
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=hall.plain_env())
    check(done.returncode == 1 and "cut off" in done.stderr, done)
    hall.start()
    equal(len(anna.texts("read", "#lobby", "--last", "50")), 20)


@story
def told_to_end_in_the_middle_of_a_restore(hall):
    """It ends, cleanly; and the next start has the one database or the other."""
    admin, anna = lobby(hall)
    path = backup(hall, admin)
    for i in range(6):
        anna.run("say", "#lobby", "after the backup")
        going = admin.follow("admin", "restore", str(path), "--yes")
        if i % 2:
            hall.server.until("an admin restores")
        else:
            going.process.wait(30)
        equal(hall.stop(), 0)
        hall.start()
        anna.login()
        texts = anna.texts("read", "#lobby", "--last", "50")
        check(texts[:20] == [f"line {k}" for k in range(20)], texts)
        admin.login()


@story
def figures(hall):
    admin = hall.admin()
    stats = admin.run("admin", "stats").rows[-1]
    equal((stats["event"], stats["disk"]), ("stats", "fine"))
    check(stats["database_bytes"] > 4096 and stats["connections"] >= 1 and stats["disk_free_bytes"] > 0, stats)
    check("database bytes" in admin.run("admin", "stats", json=False).out)


# --- a disk of its own ---------------------------------------------------------------------


class Disk:
    """A small tmpfs; needs root."""

    def __init__(self, hall, size="12m"):
        self.path = hall.dir / "disk"
        self.path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(self.path)], capture_output=True, text=True)
        if done.returncode:
            self.path.rmdir()
            raise Skip(f"no tmpfs can be mounted: {done.stderr.strip()} (tests/power/disk.c tells the same stories)")

    def fill(self):
        for name, size in (("filler", 65536), ("filler2", 512)):
            with contextlib.suppress(OSError), open(self.path / name, "wb", buffering=0) as f:
                while f.write(bytes(size)):
                    pass

    def free(self):
        for name in ("filler", "filler2"):
            (self.path / name).unlink(missing_ok=True)

    def remount(self, how):
        return subprocess.run(["mount", "-o", f"remount,{how}", str(self.path)], capture_output=True, text=True).returncode == 0

    def unmount(self):
        subprocess.run(["umount", "-l", str(self.path)], check=True)


@story(options=FAST)
@on_disk(Disk)
def the_disk_is_full_and_then_not(hall, disk):
    admin, anna = lobby(hall)
    watching = admin.follow("chat", stdin=True)
    watching.event(event="person")
    disk.fill()
    big = "x" * 10000
    errors, n = [], 0
    for n in range(400):
        done = anna.run("say", "#lobby", f"big {n} {big}", status=None)
        if done.status:
            errors.append(done.rows[-1]["name"])
        if len(errors) > 2:
            break
    check(errors and set(errors) <= {"full"}, errors)
    hall.server.until("the disk is full")
    watching.event(event="notice")
    # reading goes on, for who is on and for who comes
    got = anna.messages("read", "#lobby", "--last", "200")
    check(len(got) >= 20, len(got))
    equal(admin.run("admin", "stats").rows[-1]["disk"], "no-room")
    # again and again, whatever the probes find: nothing acknowledged is lost
    acknowledged = []
    for i in range(20):
        text = f"small {i}"
        if not anna.run("say", "#lobby", text, status=None).status:
            acknowledged.append(text)
    disk.free()
    until(lambda: not anna.run("say", "#lobby", "there is room", status=None).status, "room", 30)
    hall.server.until("takes everything again", 30)
    equal(admin.run("admin", "stats").rows[-1]["disk"], "fine")
    kinds = [row["kind"] for row in admin.rows("admin", "log")]
    check("store-writes-again" in kinds, set(kinds))
    texts = anna.texts("read", "#lobby", "--last", "200")
    equal([t for t in texts if t.startswith("small")], acknowledged)
    watching.end()
    hall.kill()
    hall.start()
    texts = anna.texts("read", "#lobby", "--last", "200")
    equal([t for t in texts if t.startswith("small")], acknowledged)
    equal(texts[-1], "there is room")


@story
@on_disk(Disk)
def a_start_on_a_disk_that_cannot_be_written(hall, disk):
    admin, anna = lobby(hall)
    hall.stop()
    if not disk.remount("ro"):
        raise Skip("the disk cannot be remounted read-only (tests/power/disk.c tells the same story)")
    hall.start()
    hall.server.until("cannot be written|the disk fails")
    equal(len(anna.texts("read", "#lobby", "--last", "50")), 20)
    equal(anna.run("say", "#lobby", "no", status=1).rows[-1]["name"], "io")
    check(admin.run("admin", "stats").rows[-1]["disk"] in ("read-only", "broken"))
    check(disk.remount("rw"), "it can be written again")
    until(lambda: not anna.run("say", "#lobby", "yes", status=None).status, "writing", 30)
    equal(anna.texts("read", "#lobby", "--last", "50")[-1], "yes")


@story(options=FAST)
def damaged_pages_while_it_runs(hall):
    admin, anna = lobby(hall)
    big = "y" * 8000
    for i in range(8):
        anna.run("chat", "#lobby", input="".join(f"{i} {k} {big}\n" for k in range(60)), **LONG)
    path = backup(hall, admin)
    database = hall.data / "roost.db"
    hall.stop()
    hall.start()  # all of it is in the one file now, and nothing in memory
    size = database.stat().st_size
    with open(database, "r+b") as f:
        for page in range(size // 4096 // 3, size // 4096 - 1):
            f.seek(page * 4096)
            f.write(os.urandom(4096))
    statuses = set()
    for i in range(0, 400, 50):
        done = anna.run("read", "#lobby", "--last", str(i + 10), status=None)
        statuses.add(done.status)
    hall.server.until("damaged")
    check(1 in statuses, statuses)
    equal(anna.run("say", "#lobby", "no", status=1).rows[-1]["name"], "io")
    check("damaged" in str(admin.run("admin", "stats", status=None).rows), "stats say so")
    done = admin.run("admin", "check", status=None)
    check(done.status != 0, done)
    # and a backup puts it right
    admin.run("admin", "restore", str(path), "--yes", **LONG)
    hall.server.until(r"^listening on")
    anna.login()
    anna.run("say", "#lobby", "whole again")
    admin.login()
    equal(admin.run("admin", "check", **LONG).rows[-1]["whole"], True)


@story
def damaged_while_it_is_down(hall):
    admin, anna = lobby(hall)
    hall.stop()
    database = hall.data / "roost.db"
    content = database.read_bytes()
    database.write_bytes(os.urandom(4096) + content[4096:])
    refused = hall.keep(Lines([str(hall.roostd), "--data", str(hall.data), "--listen", "127.0.0.1", "--port", "0"], hall.plain_env()))
    said = "\n".join(refused.drain())
    equal(refused.process.wait(PATIENCE), 1, said)
    check("roost.db" in said and ("not a database" in said or "damaged" in said), said)
    database.write_bytes(content)
    hall.start()
    equal(len(anna.texts("read", "#lobby", "--last", "50")), 20)


@story
def a_newer_programs_database_is_refused(hall):
    import sqlite3
    hall.stop()
    with sqlite3.connect(hall.data / "roost.db") as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute("PRAGMA user_version = 9999")
    db.close()
    refused = hall.keep(Lines([str(hall.roostd), "--data", str(hall.data), "--listen", "127.0.0.1", "--port", "0"], hall.plain_env()))
    said = "\n".join(refused.drain())
    equal(refused.process.wait(PATIENCE), 1, said)
    check("newer program" in said and "9999" in said, said)
    with sqlite3.connect(hall.data / "roost.db") as db:
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    hall.start()
