"""harness.py - real servers and real clients for end-to-end stories.

    @story
    def private_is_private(hall):
        anna, ben = hall.users("anna", "ben")
        watching = ben.follow("read", "@anna", "--follow")
        anna.run("say", "@ben", "psst")
        watching.expect(text="psst")

A Hall is a roostd with a data directory of its own on a free port; a User is a
home directory and a name. Nothing here sleeps: it waits for lines, or for a
process to end. Whatever was started is ended by its own pid, and the directory
goes when the story is over.
"""
import contextlib
import json
import os
import pathlib
import queue
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

PATIENCE = 60.0  # seconds until something that should happen counts as missing; nothing is proved by their passing
STORIES = []


class Failure(Exception):
    pass


class Skip(Exception):
    """This machine lacks something that the story needs; the text says what."""


def story(f=None, *, short=False, long=False, options=()):
    """Marks a test. short: also run under sanitizers in the quick tier; long: only in the full one, as it waits long for
    what other stories, or the same in virtual time, see too."""
    if f is None:
        return lambda g: story(g, short=short, long=long, options=options)
    STORIES.append((f, short, long, tuple(options)))
    return f


def on_disk(make):
    """The story with its data on a disk of its own, make(hall), which goes away in the end."""
    def tells(f):
        def told(hall):
            hall.stop()
            disk = make(hall)
            hall.data = disk.path / "data"
            try:
                hall.start()
                f(hall, disk)
            finally:
                if hall.server.process.poll() is None:
                    hall.server.end()
                disk.unmount()
        told.__name__, told.__module__ = f.__name__, f.__module__
        return told
    return tells


def check(ok, *what):
    if not ok:
        raise Failure(" ".join(str(w) for w in what))


def equal(got, wanted, what=""):
    check(got == wanted, what, "got", repr(got), "wanted", repr(wanted))


def until(ask, what, patience=PATIENCE):
    """Asks until the answer is a yes, and returns it."""
    end = time.monotonic() + patience
    while True:
        answer = ask()
        if answer:
            return answer
        check(time.monotonic() < end, what, "never came")
        time.sleep(0.005)


def children(pid):
    """Of its first thread; none when it is gone."""
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def family(pid):
    return [pid] + [p for child in children(pid) for p in family(child)]


class Lines:
    """A process whose lines are collected as they come."""

    def __init__(self, argv, env=None, stdin=False):
        self.process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.argv, self.seen, self.coming = argv, [], queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for raw in self.process.stdout:
            self.coming.put(raw.decode("utf-8", "replace").rstrip("\n"))
        self.coming.put(None)

    def next(self, patience=PATIENCE):
        """The next line; None at the end."""
        try:
            line = self.coming.get(timeout=patience)
        except queue.Empty:
            raise Failure(f"nothing came from {' '.join(self.argv)} after:\n" + "\n".join(self.seen[-30:]))
        if line is None:
            self.coming.put(None)
        else:
            self.seen.append(line)
        return line

    def until(self, pattern, patience=PATIENCE):
        """The match in the first line that has one."""
        end = time.monotonic() + patience
        while True:
            line = self.next(max(0.01, end - time.monotonic()))
            if line is None:
                raise Failure(f"{' '.join(self.argv)} ended without {pattern!r}:\n" + "\n".join(self.seen[-30:]))
            found = re.search(pattern, line)
            if found:
                return found

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def drain(self):
        """All lines up to the end of the process."""
        while self.next() is not None:
            pass
        return self.seen

    def end(self, sig=signal.SIGTERM, patience=PATIENCE):
        """Ends it by its own pid; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            status = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"{' '.join(self.argv)} did not end after {sig!r}:\n" + "\n".join(self.seen[-20:]))
        self.reader.join(patience)
        return status


class Follow(Lines):
    """A command with --json whose events are waited for."""

    def event(self, patience=PATIENCE, **wanted):
        """The next event that has these values."""
        end = time.monotonic() + patience
        while True:
            line = self.next(max(0.01, end - time.monotonic()))
            if line is None:
                raise Failure(f"{' '.join(self.argv)} ended without {wanted}:\n" + "\n".join(self.seen[-30:]))
            row = parse(line)
            if row and all(row.get(k) == v for k, v in wanted.items()):
                return row

    expect = event


def parse(line):
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


class Done:
    """A command that has ended."""

    def __init__(self, argv, process):
        self.argv, self.status = argv, process.returncode
        self.out = process.stdout.decode("utf-8", "replace")
        self.err = process.stderr.decode("utf-8", "replace")

    @property
    def rows(self):
        rows = [parse(line) for line in self.out.splitlines() if line]
        check(None not in rows, "not JSON:", self.out)
        return rows

    @property
    def error(self):
        """What was refused last."""
        errors = [row for row in self.rows if row.get("event") == "error"]
        check(errors, "no error in:", self.out)
        return errors[-1]

    def __str__(self):
        return f"{' '.join(self.argv)}: exit {self.status}\n{self.out}{self.err}"


class User:
    def __init__(self, hall, name, home=None, password=None):
        self.hall, self.name = hall, name
        self.home = pathlib.Path(home or hall.dir / f"home-{len(hall.homes)}")
        hall.homes.append(self.home)
        self.password = password or f"secret of {name}"

    def env(self, **more):
        env = {k: v for k, v in os.environ.items() if not k.startswith("ROOST_")}
        env.update({"ROOST_PASSWORD": self.password, "HOME": str(self.hall.dir), "LC_ALL": "C.UTF-8",
                    **self.hall.more_env, **more})
        return {k: v for k, v in env.items() if v is not None}

    def argv(self, *words, json=True):
        argv = [str(self.hall.roost), "-s", self.hall.address, "--home", str(self.home)]
        if self.name:
            argv += ["-u", self.name]
        return argv + (["--json"] if json else []) + [str(w) for w in words]

    def run(self, *words, status=0, input=None, json=True, env=None, patience=2 * PATIENCE):
        """Runs a command to its end; its exit status must be `status` (None: any)."""
        argv = self.argv(*words, json=json)
        stdin = {"input": input.encode()} if input is not None else {"stdin": subprocess.DEVNULL}
        try:
            process = subprocess.run(argv, env=self.env(**(env or {})), capture_output=True, timeout=patience, **stdin)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"{' '.join(argv)} did not end in {patience} s:\n{late.stdout}{late.stderr}")
        done = Done(argv, process)
        if status is not None and done.status != status:
            raise Failure(f"wanted exit status {status}: {done}")
        return done

    def rows(self, *words, **more):
        return self.run(*words, **more).rows

    def messages(self, *words, **more):
        """The messages that a command prints."""
        return [row for row in self.rows(*words, **more) if row.get("event") == "message"]

    def texts(self, *words, **more):
        return [row["text"] for row in self.messages(*words, **more)]

    def follow(self, *words, stdin=False):
        return self.hall.keep(Follow(self.argv(*words), self.env(), stdin))

    def register(self):
        self.run("register", self.name)  # and is logged in
        return self

    def login(self, **more):
        return self.run("login", self.name, **more)


@contextlib.contextmanager
def service_manager(hall, **more):
    """What the next server tells who started it, as systemd would hear it: a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(hall.dir / "notify"))
        manager.settimeout(20)
        hall.more_env.update(NOTIFY_SOCKET=str(hall.dir / "notify"), **more)
        yield manager


PORTS = range(10000, 30000, 2)  # below those that the kernel gives to whoever asks for any: nobody takes them meanwhile
reserved = []


def free_port():
    """A port for TCP whose next is free for UDP, and which no other story is given as long as this process lives."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            ours = socket.socket(socket.AF_UNIX)
            try:
                ours.bind(f"\0roost-e2e-{port}")
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port + 1))
            except OSError:
                ours.close()
                continue
        reserved.append(ours)
        return port


class Hall:
    """A server, its users, and everything that was started for them."""

    def __init__(self, build, *options, wrap=()):
        self.bin = pathlib.Path(build).resolve() / "bin"
        self.roost, self.roostd = self.bin / "roost", self.bin / "roostd"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="roost-e2e-"))
        self.data, self.homes, self.kept = self.dir / "data", [], []
        self.options, self.wrap = list(options), list(wrap)
        self.server, self.port, self.logs = None, free_port(), []
        self.more_env = {}  # for the server and all clients

    # -- the server

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self, *options):
        argv = [*self.wrap, str(self.roostd), "--data", str(self.data), "--listen", "127.0.0.1", "--port", str(self.port),
                *CHEAP, *self.options, *options]
        self.server = Lines(argv, self.plain_env())
        self.server.until(READY)
        return self

    def plain_env(self, **more):
        env = {k: v for k, v in os.environ.items() if not k.startswith("ROOST_")}
        return {**env, **self.more_env, **more}

    @property
    def first_admin(self):
        """What the first start printed to make the first admin."""
        for line in self.server.seen:
            found = re.search(INVITATION, line)
            if found:
                return found.group("token")
        raise Failure("no invitation for the first admin in:\n" + "\n".join(self.server.seen))

    def kill(self):
        """As the power button of the process: kill -9."""
        self.server.process.kill()
        self.server.process.wait()
        self.logs += self.server.seen

    def stop(self):
        status = self.server.end()
        self.logs += self.server.seen
        return status

    # -- people

    def user(self, name, **more):
        return User(self, name, **more).register()

    def users(self, *names):
        return [self.user(name) for name in names]

    def admin(self, name="root"):
        admin = User(self, name)
        admin.run("register", name, "--invite", self.first_admin)
        return admin

    # -- the end

    def keep(self, process):
        self.kept.append(process)
        return process

    def close(self):
        problems = []
        for p in self.kept:
            if p.process.poll() is None:
                p.process.kill()
                p.process.wait()
        if self.server and self.server.process.poll() is None:
            status = self.server.end()
            if status != 0:
                problems.append(f"the server ended with {status}")
        if self.server:
            while self.server.coming.qsize():
                if self.server.next() is None:
                    break
            wrong = [line for line in self.server.seen if re.search(r"Sanitizer|runtime error:|Assertion|system call refused", line)]
            if wrong:
                problems.append("the server said: " + "\n".join(self.server.seen[-40:]))
        shutil.rmtree(self.dir, ignore_errors=True)
        return problems


# Open to all and with cheap hashes: most stories are not about that.
CHEAP = ["--registration", "open", "--set", "hash.memory=64K", "--set", "hash.passes=1", "--set", "mdns=no"]
# What roostd prints when it is ready, and with what the first admin registers.
READY = r"^listening on .*:(?P<port>\d+)$"
INVITATION = r"invit\S* (?P<token>[A-Za-z0-9_-]{16,})"
