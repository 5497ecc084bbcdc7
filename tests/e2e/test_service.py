"""roostd under a real systemd: the unit as it is shipped, in namespaces of its own, with nothing of this machine's but its
programs. Needs root and a kernel that lets a service manager start there; else it is skipped."""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import time

import harness
from harness import READY, Skip, User, check, children, equal, family, story

PATIENCE_S = 60

# In a group and a mount namespace of its own: what is mounted goes with it, and the group at the end.
OUTER = r"""
mount --make-rprivate /
mkdir "$1/groups"
mount -t cgroup2 none "$1/groups" || exit 3
mine=$1/groups/roost-service-$$
mkdir "$mine" && echo $$ > "$mine/cgroup.procs" || exit 3
unshare --pid --fork --mount --net --uts --ipc --cgroup --kill-child sh -c "$2" sh "$1" "$3" "$4"
echo $$ > "$1/groups/cgroup.procs"
find "$mine" -depth -type d -exec rmdir {} +
"""

# The manager is told of few units; what they wait for is nothing here.
INNER = r"""
set -e
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
[ ! -e /dev/console ] || mount --bind /dev/null /dev/console
ip link set lo up
mkdir /run/units /run/etc
cp "$2" /run/roostd
cp "$3/examples/roostd.conf" /run/etc/
sed -e 's,/usr/bin/roostd,/run/roostd,' -e 's,/etc/roost/,/run/etc/,' "$3/systemd/roostd.service" > /run/units/roostd.service
mkdir /run/units/roostd.service.d
printf '[Service]\nStandardOutput=append:/run/said\nStandardError=append:/run/said\n' > /run/units/roostd.service.d/said.conf
for unit in sysinit.target basic.target network.target shutdown.target local-fs.target -.slice system.slice; do
    printf '[Unit]\nDefaultDependencies=no\nDescription=%s\n' "$unit" > "/run/units/$unit"
done
printf '[Unit]\nWants=roostd.service\n' > /run/units/all.target
export container=roost SYSTEMD_UNIT_PATH=/run/units
exec /lib/systemd/systemd --system --unit=all.target --log-target=null --show-status=no
"""


def until(ask, what):
    return harness.until(ask, what, PATIENCE_S)


class Manager:
    def __init__(self, hall, folder):
        self.hall, here = hall, pathlib.Path(__file__).resolve().parent.parent.parent
        self.outer = subprocess.Popen(["unshare", "--mount", "sh", "-c", OUTER, "sh", str(folder), INNER, str(hall.roostd), str(here)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.pid = 0
        self.wait_for_it()
        self.root = pathlib.Path(f"/proc/{self.pid}/root")

    def wait_for_it(self):
        """The first process of its own kind of machine, once it answers."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and self.outer.poll() is None:
            for pid in [p for child in children(self.outer.pid) for p in children(child)]:
                self.pid = pid
                if self.ctl("is-system-running", status=None).stdout.strip() in ("running", "degraded", "starting"):
                    return
            time.sleep(0.05)
        raise Skip(f"no service manager starts here: {self.end()[-200:]}")

    def at(self, *spaces):
        return ["nsenter", "--target", str(self.pid), *spaces]

    def ctl(self, *words, status=0):
        done = subprocess.run([*self.at("--mount", "--pid", "--ipc"), "systemctl", *words], capture_output=True, text=True, timeout=90,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        check(status is None or done.returncode == status, "systemctl", *words, done)
        return done

    def show(self):
        """What it thinks of the service."""
        lines = self.ctl("show", "roostd", "--property=ActiveState,SubState,Result,NRestarts,ExecMainStatus,StatusText").stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def state(self):
        return self.show()["ActiveState"]

    def server(self):
        """Its number out here."""
        mine = [p for p in children(self.pid) if b"/run/roostd" in pathlib.Path(f"/proc/{p}/cmdline").read_bytes()]
        equal(len(mine), 1, "servers")
        return mine[0]

    def said(self):
        return (self.root / "run/said").read_text()

    def end(self):
        """And with the first all others of its kind; what was said out here."""
        if self.pid:
            with contextlib.suppress(OSError):
                os.kill(self.pid, 9)
        return self.outer.communicate(timeout=PATIENCE_S)[0].strip()


class Inside(User):
    """Somebody on that machine."""

    def __init__(self, manager, name):
        super().__init__(manager.hall, name)
        self.manager = manager

    def argv(self, *words, json=True):
        return [*self.manager.at("--net"), *super().argv(*words, json=json)]


@contextlib.contextmanager
def a_manager(hall):
    if os.geteuid() != 0:
        raise Skip("needs root for namespaces")
    if not pathlib.Path("/lib/systemd/systemd").exists() or not shutil.which("systemctl"):
        raise Skip("there is no systemd on this machine")
    hall.stop()
    folder = hall.dir / "machine"
    folder.mkdir()
    manager = Manager(hall, folder)
    try:
        until(lambda: manager.state() in ("active", "failed"), "the end of the start")
        equal(manager.state(), "active", manager.said())
        hall.port = int(re.search(READY, manager.said(), re.M).group("port"))
        yield manager
    finally:
        manager.end()


def status_of(pid):
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def hashing(server):
    return until(lambda: family(server)[1:] if len(family(server)) == 3 else None, "who hashes, and who keeps it")


@story
def the_unit_as_it_is_shipped(hall):
    """Starts, hashes, lives on when who hashes is killed, hears a reload, and stops cleanly; without any right it need not have."""
    with a_manager(hall) as manager:
        server = manager.server()
        everybody = [server, *hashing(server)]
        for pid in everybody:
            status = status_of(pid)
            check(status["Uid"].split()[0] != "0" and int(status["CapBnd"], 16) == 0 and int(status["CapEff"], 16) == 0, status)
            equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

        token = (manager.root / "var/lib/private/roost/first-admin").read_text()
        anna = Inside(manager, "anna")
        anna.run("register", "anna", "--invite", re.search(r"[A-Za-z0-9_-]{16,}", token.split("--invite")[-1]).group())
        for victim in (2, 1):  # who hashes, then who keeps it
            os.kill(everybody[victim], 9)
            until(lambda: "died and was made anew" in manager.said() and (victim == 2 or "a thread stands in" in manager.said()), "a word of it")
            anna.login()
            wrong = anna.run("login", "anna", status=None, env={"ROOST_PASSWORD": "not that of anna"})
            equal((wrong.status, wrong.error["name"]), (4, "login-wrong"))
            anna.login()
            if victim == 2:
                everybody[1:] = hashing(server)
        equal((manager.server(), manager.show()["NRestarts"]), (server, "0"), "the same server")

        manager.ctl("reload", "roostd")
        until(lambda: "read again" in manager.said(), "settings that are read again")
        until(lambda: manager.state() == "active", "the end of the reload")
        equal(manager.server(), server)
        manager.ctl("stop", "roostd")
        shown = manager.show()
        equal((shown["ActiveState"], shown["Result"], shown["ExecMainStatus"]), ("inactive", "success", "0"), shown)
        equal(children(manager.pid), [], "left over")
        check("refused, number" not in manager.said() and "could not" not in manager.said(), manager.said())


@story
def a_server_that_is_killed_comes_back(hall):
    """And what it had made is gone before."""
    with a_manager(hall) as manager:
        server = manager.server()
        made = hashing(server)
        os.kill(server, 9)
        until(lambda: manager.show()["NRestarts"] == "1" and manager.state() == "active", "the next")
        check(not any(pathlib.Path(f"/proc/{pid}").exists() for pid in made), "what the first one made is there", made)
        hashing(manager.server())
