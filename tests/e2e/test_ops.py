"""roostd as a service: settings, what --check finds, signals, the log's forms, the sandbox, the watchdog."""
import json
import os
import re
import signal
import subprocess

from harness import check, equal, service_manager, story


def roostd(hall, *words):
    return subprocess.run([str(hall.roostd), *words], capture_output=True, text=True, timeout=30, env=hall.plain_env())


@story
def check_looks_at_data_and_database(hall):
    hall.user("anna")
    data = ("--data", str(hall.data), "--check")
    done = roostd(hall, *data)
    check(done.returncode == 0 and done.stdout == "ok\n" and "a server runs" in done.stderr, done)
    hall.stop()
    done = roostd(hall, *data)
    equal((done.returncode, done.stdout), (0, "ok\n"), done.stderr)
    database = hall.data / "roost.db"
    content = database.read_bytes()
    database.write_bytes(content[:4096 * 3] + os.urandom(4096 * 4) + content[4096 * 7:])
    done = roostd(hall, *data)
    check(done.returncode == 1 and str(database) in done.stderr and not done.stdout, done)
    database.write_bytes(b"no database at all" * 500)
    done = roostd(hall, *data)
    check(done.returncode == 1 and "not a database" in done.stderr, done)
    database.write_bytes(content)
    equal(roostd(hall, *data).returncode, 0)
    done = roostd(hall, "--data", str(database), "--check")
    check(done.returncode == 1 and "directory" in done.stderr, done)
    hall.start()


@story
def a_word_that_is_nearly_right(hall):
    conf = hall.dir / "roostd.conf"
    conf.write_text("# mine\nport = 5005\nlogin.trys = 3\n")
    done = roostd(hall, "--config", str(conf), "--check")
    check(done.returncode == 2 and f"{conf}:3: " in done.stderr and "was it login.tries" in done.stderr, done)


@story
def what_is_printed_is_a_configuration(hall):
    printed = roostd(hall, "--print-config").stdout
    conf = hall.dir / "roostd.conf"
    conf.write_text(re.sub(r"(?m)^#(?=[a-z])", "", printed).replace("say.rate = 10", "say.rate = 3"))
    equal(roostd(hall, "--config", str(conf), "--data", str(hall.dir / "none"), "--check").returncode, 0)


@story
def sighup_says_what_must_wait(hall):
    conf = hall.dir / "roostd.conf"
    hall.stop()
    conf.write_text("log.format = json\n")
    hall.start("--config", str(conf))
    conf.write_text("store.batch = 77\nsandbox = kill\nlog.format = logfmt\n")
    hall.server.process.send_signal(signal.SIGHUP)
    hall.server.until("sandbox takes effect at the next start")
    hall.server.until(r"store.\* take effect at the next start")
    hall.server.until(r'^time=\S+Z level=info msg="settings and certificate read again"')
    conf.write_text("store.batch = 77\nno.such = 1\n")
    hall.server.process.send_signal(signal.SIGHUP)
    hall.server.until("stay as they were.*roostd.conf:2")


@story
def the_log_as_json(hall):
    hall.stop()
    hall.start("--set", "log.format=json")
    hall.server.process.send_signal(signal.SIGHUP)
    hall.server.until("read again")
    lines = [line for line in hall.server.seen if line.startswith("{")]
    rows = [json.loads(line) for line in lines]
    check(rows and all({"time", "level", "msg"} <= row.keys() for row in rows), hall.server.seen)


@story
def the_journal_is_told_how_grave_it_is(hall):
    hall.stop()
    said = hall.dir / "stderr"
    with open(said, "wb") as f:
        st = os.fstat(f.fileno())
        env = hall.plain_env(JOURNAL_STREAM=f"{st.st_dev}:{st.st_ino}")
        done = subprocess.run([str(hall.roostd), "--data", "/proc/no/such", "--listen", "127.0.0.1", "--port", "0"], env=env, stderr=f,
                              stdout=subprocess.DEVNULL, timeout=20)
    equal(done.returncode, 1)
    check(said.read_text().startswith("<3>error "), said.read_text())
    hall.start()


@story
def in_the_strictest_sandbox(hall):
    """Everything that a server does, where a call that is not on the list ends it."""
    hall.stop()
    hall.start("--set", "sandbox=kill", "--set", "mdns=yes")
    admin = hall.admin()
    anna = hall.user("anna")
    anna.run("room", "new", "lobby")
    anna.run("say", "#lobby", "words to be found")
    equal(anna.texts("read", "--search", "found"), ["words to be found"])
    admin.run("admin", "stats")
    admin.run("admin", "check")
    path = hall.dir / "one.roost"
    admin.run("admin", "backup", str(path))
    hall.server.process.send_signal(signal.SIGHUP)
    hall.server.until("read again")
    admin.run("admin", "restore", str(path), "--yes")
    hall.server.until(r"^listening on")
    anna.login()
    anna.run("passwd", env={"ROOST_NEW_PASSWORD": "another secret"})
    status = open(f"/proc/{hall.server.process.pid}/status").read()
    if not re.search(r"^Seccomp:\s+2$", status, re.M):
        check("sanitize" in str(hall.bin) or "asan" in str(hall.bin) or "tsan" in str(hall.bin), "there is no filter")
    equal(hall.stop(), 0)
    hall.start()


@story
def the_watchdog_is_fed(hall):
    hall.stop()
    with service_manager(hall, WATCHDOG_USEC="200000") as manager:
        hall.start()
        said = [manager.recv(200) for _ in range(6)]
        check(said.count(b"WATCHDOG=1") >= 4 and b"READY=1" in said, said)
        hall.more_env.clear()
        hall.stop()
    hall.start()


@story
def a_restore_is_no_stop_for_the_manager(hall):
    hall.stop()
    with service_manager(hall) as manager:
        hall.start()
        admin = hall.admin()
        admin.run("admin", "backup", str(hall.dir / "x"))
        admin.run("admin", "restore", str(hall.dir / "x"), "--yes")
        equal([manager.recv(200) for _ in range(3)], [b"READY=1", b"RELOADING=1", b"READY=1"])
        hall.more_env.clear()
