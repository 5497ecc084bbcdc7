"""roostd as a service: settings, what --check finds, signals, the log's forms, the sandbox, the watchdog."""
import json
import os
import pathlib
import re
import signal
import subprocess
import threading

from harness import check, children, equal, family, service_manager, story, until


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


def hashing(hall):
    """The process that keeps, and the one that hashes."""
    keeper, = children(hall.server.process.pid)
    return keeper, until(lambda: children(keeper), "a process that hashes")[0]


def is_gone(pid):
    """A process that nobody has asked after yet is gone, too."""
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@story(options=("--set", "hash.memory=32M", "--set", "hash.passes=3", "--set", "hash.threads=1"))
def who_hashes_is_killed_and_logins_go_on(hall):
    """Before, in the middle of a hash, and who keeps it; each login ends as it should."""
    anna, ben = hall.users("anna", "ben")
    server = hall.server.process.pid
    keeper, worker = hashing(hall)
    os.kill(worker, signal.SIGKILL)
    hall.server.until("hashes passwords died and was made anew")
    anna.login()
    check(hashing(hall) != (keeper, worker) and hashing(hall)[0] == keeper, "the same is there")
    wrong = ben.run("login", "ben", status=None, env={"ROOST_PASSWORD": "not that of ben"})
    check(wrong.status and "wrong" in wrong.err, wrong.err)

    ran = pathlib.Path(f"/proc/{hashing(hall)[1]}/schedstat")
    before = int(ran.read_text().split()[0])
    coming = threading.Thread(target=anna.login)
    coming.start()
    until(lambda: int(ran.read_text().split()[0]) > before + 10_000_000, "a hash that is under way")
    os.kill(hashing(hall)[1], signal.SIGKILL)
    coming.join()
    hall.server.until("hashes passwords died and was made anew")

    os.kill(keeper, signal.SIGKILL)
    hall.server.until("a thread stands in")
    until(lambda: family(server) == [server], "the end of both")
    anna.login()
    equal(anna.run("login", "anna", status=None, env={"ROOST_PASSWORD": "not that of anna"}).status, wrong.status)
    equal(hall.stop(), 0)
    hall.start()
    anna.login()


@story
def what_a_server_made_ends_with_it(hall):
    hall.user("anna")
    pair = hashing(hall)
    for pid in pair:  # a signal to all of a service is for the server alone
        os.kill(pid, signal.SIGTERM)
    hall.user("ben")
    equal(hashing(hall), pair)
    equal(hall.stop(), 0)
    until(lambda: all(map(is_gone, pair)), "the end of what it made")
    hall.start()
    pair = hashing(hall)
    hall.kill()
    until(lambda: all(map(is_gone, pair)), "the end of what it made")
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
