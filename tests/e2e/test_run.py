"""`./run` as somebody alone would use it: build, join, the demo, Ctrl+C."""
import os
import pathlib
import re
import signal
import subprocess

from harness import PATIENCE, Lines, Skip, User, check, equal, story, until

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Run(Lines):
    """./run in a process group of its own, as a terminal would have it."""

    def __init__(self, hall, *options):
        if hall.bin.parent != ROOT / "build":
            raise Skip("./run starts what is in build/bin")
        argv = ["setsid", str(ROOT / "run"), "--data", str(hall.dir / "run"), *options]
        super().__init__(argv, hall.plain_env())
        hall.keep(self)
        self.session = self.process.pid  # setsid leads it, and becomes ./run

    def processes(self):
        """Of its session: the pids, and what they run."""
        rows = subprocess.run(["ps", "-eo", "sid,pid,args"], capture_output=True, text=True).stdout.splitlines()[1:]
        rows = [row.split(None, 2) for row in rows]
        return {int(pid): args for sid, pid, args in rows if int(sid) == self.session}

    def ready(self):
        return int(self.until(r"listening on .*:(\d+)$", 120).group(1))


def all_gone(run):
    until(lambda: not run.processes(), "the end of all it started")


@story
def the_demo_answers_and_ctrl_c_ends_all_of_it(hall):
    run = Run(hall, "--port", "0")
    hall.port = run.ready()
    run.until("register NAME")
    anna = User(hall, "anna")
    anna.register()  # open: this is a loopback address
    until(lambda: {"robin", "wren"} <= {p["name"] for p in anna.rows("who")}, "both of the demo")
    until(lambda: anna.run("room", "join", "demo", status=None).status == 0, "the room of the demo")
    screen = anna.follow("read", "#demo", "--follow")
    one, two = os.getpid() % 1000, 37

    def answered():  # what was said before they listen stays unanswered
        anna.run("say", "#demo", f"{one} * {two}")
        return any(m["from"] == "robin" and str(one * two) in m["text"] for m in anna.messages("read", "#demo"))

    until(answered, "robin's answer")
    anna.run("say", "#demo", "thank you")
    screen.event(event="message", **{"from": "wren"})
    check(len(run.processes()) >= 4, run.processes())
    os.killpg(run.session, signal.SIGINT)  # as Ctrl+C does
    equal(run.process.wait(PATIENCE), 0, "\n".join(run.drain()[-20:]))
    all_gone(run)


@story
def told_alone_it_ends_its_server_too(hall):
    run = Run(hall, "--port", "0", "--no-demo")
    hall.port = run.ready()
    run.until("Ctrl.C stops")
    User(hall, "anna").register()
    check(not any("demo" in args.split("--data")[0] for args in run.processes().values()), run.processes())
    os.kill(run.session, signal.SIGTERM)
    equal(run.process.wait(PATIENCE), 0, "\n".join(run.drain()[-20:]))
    all_gone(run)


@story
def a_second_start_finds_everything(hall):
    for start in range(2):
        run = Run(hall, "--port", "0", "--no-demo")
        hall.port = run.ready()
        anna = User(hall, "anna", home=hall.dir / "home")
        if start:
            anna.login()  # another port is another server to the client
        else:
            anna.register()
        anna.run("room", "new", "kept", status=None)
        os.killpg(run.session, signal.SIGINT)
        run.process.wait(PATIENCE)
        all_gone(run)
        seen = "\n".join(run.drain())
        check(start == 0 or "Building" not in seen, seen)


@story
def a_taken_port_and_which_option_changes_it(hall):
    run = Run(hall, "--port", str(hall.port), "--no-demo")
    said = "\n".join(run.drain())
    check(run.process.wait(PATIENCE) != 0, said)
    check(str(hall.port) in said and "--port" in said, said)
    check(not re.search(r"register NAME", said), "it says how to join what does not run:", said)
    all_gone(run)


@story
def build_only_starts_nothing(hall):
    run = Run(hall, "--build-only")
    said = "\n".join(run.drain())
    equal(run.process.wait(PATIENCE), 0, said)
    check("bin/roostd" in said and not (hall.dir / "run").exists(), said)
    bad = Run(hall, "--nonsense")
    check("--port" in "\n".join(bad.drain()))
    equal(bad.process.wait(PATIENCE), 2)


@story
def a_server_that_is_killed_is_spoken_of(hall):
    run = Run(hall, "--port", "0", "--no-demo")
    hall.port = run.ready()
    run.until("Ctrl.C stops")
    server, = [pid for pid, args in run.processes().items() if "bin/roostd" in args]
    os.kill(server, signal.SIGKILL)
    equal(run.process.wait(PATIENCE), 128 + signal.SIGKILL)
    check("ended by signal 9" in "\n".join(run.drain()), run.seen)
    all_gone(run)


@story
def without_the_right_to_install_one_line_says_how(hall):
    fakes = hall.dir / "fakes"
    fakes.mkdir()
    for name, does in (("dpkg-query", "exit 1"), ("id", "echo 1000"), ("sudo", "exit 1")):
        (fakes / name).write_text(f"#!/bin/sh\n{does}\n")
        (fakes / name).chmod(0o755)
    hall.more_env["PATH"] = f"{fakes}:{os.environ['PATH']}"
    run = Run(hall, "--build-only")
    said = run.drain()
    check(run.process.wait(PATIENCE) != 0, said)
    line, = [one for one in said if "apt-get" in one]
    wanted = [row.split()[0] for row in (ROOT / "scripts/packages").read_text().splitlines() if row.endswith(" run") and row[0] != "#"]
    check("sudo apt-get update && sudo apt-get install -y" in line and len(wanted) > 5, line)
    equal([name for name in wanted if f" {name}" not in line], [])
    check("sudo" not in said[-1] or said[-1] == line, "and nothing more", said)
