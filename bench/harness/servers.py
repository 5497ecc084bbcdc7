"""The servers that are compared: installed, configured without limits, started, stopped."""
import os
import resource
import shutil
import signal
import socket
import subprocess
import time

from .common import Failed, first_line

POLICY = "/usr/sbin/policy-rc.d"

NGIRCD_CONF = """[Global]
Name = bench.local
Info = bench
Listen = 127.0.0.1
Ports = {port}
ServerUID = nobody
ServerGID = nogroup
MotdPhrase = bench
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 16
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
"""

NATS_CONF = """host: 127.0.0.1
port: {port}
max_connections: 100000
"""

# Cheap hashes: a thousand logins are set-up here, not what is measured.
ROOST_SETTINGS = ("say.rate=100000", "say.burst=1000000", "hash.memory=8K", "hash.passes=1",
                  "mdns=no", "log.level=error")


def free_port():
    """A TCP port whose successor is free for UDP, which Roost's media port takes."""
    for _ in range(100):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise Failed("no free port")


def package_version(package):
    """Empty if it is not installed."""
    status, _, version = first_line(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}",
                                     package]).partition(" ")
    return version if status == "installed" else ""


class Server:
    package = None
    targets = ()
    raise_files = True  # done for those that do not do it themselves

    def __init__(self, bench):
        self.bench = bench
        self.process = None
        self.port = 0

    @property
    def pid(self):
        return self.process.pid

    def version(self):
        return package_version(self.package)

    def launch(self, directory, **kind):
        """Starts it on the first core; returns at once with the monotonic time of the start."""
        self.port = free_port()
        command = self.command(directory, **kind)
        core, files = self.bench.server_core, self.raise_files

        def prepare():
            os.sched_setaffinity(0, {core})
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard if files else min(soft, 1024), hard))

        self.log = os.path.join(directory, "log")
        with open(self.log, "ab") as log:
            at = time.monotonic_ns()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=prepare)
        return at

    def start(self, directory, **kind):
        at = self.launch(directory, **kind)
        answer = self.bench.run_load("ready", self)
        if not answer:
            with open(self.log, errors="replace") as log:
                tail = log.read()[-2000:]
            self.stop()
            raise Failed(f"{self.name} did not start:\n{tail}")
        return (answer["at_ns"] - at) / 1e6

    def stop(self):
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.bench.say(f"{self.name} did not end within 15 s of SIGTERM")
            self.process.kill()
            self.process.wait()
        self.process = None


class Ngircd(Server):
    name, proto, package = "ngircd", "irc", "ngircd"

    def command(self, directory, **_):
        conf = os.path.join(directory, "ngircd.conf")
        with open(conf, "w") as f:
            f.write(NGIRCD_CONF.format(port=self.port))
        return [shutil.which("ngircd") or "/usr/sbin/ngircd", "-n", "-f", conf]


class Nats(Server):
    name, proto, package = "nats-server", "nats", "nats-server"

    def command(self, directory, **_):
        conf = os.path.join(directory, "nats.conf")
        with open(conf, "w") as f:
            f.write(NATS_CONF.format(port=self.port))
        return [shutil.which("nats-server") or "/usr/sbin/nats-server", "-c", conf]


class Roostd(Server):
    name, proto, targets = "roostd", "roost", ("bin/roostd",)
    raise_files = False  # it raises its limit itself; started with the usual 1,024

    def program(self):
        return os.path.join(self.bench.build, "bin", "roostd")

    def version(self):
        commit = first_line(["git", "-C", os.path.dirname(os.path.realpath(__file__)), "describe",
                             "--always", "--dirty"])
        return f"{first_line([self.program(), '--version'])} {commit}".strip()

    def command(self, directory, plain=False):
        """plain: as it comes, but for the registration."""
        settings = ("mdns=no",) if plain else ROOST_SETTINGS
        command = [self.program(), "--data", os.path.join(directory, "data"), "--listen", "127.0.0.1",
                   "--port", str(self.port), "--registration", "open"]
        for s in list(settings) + self.bench.args.set:
            command += ["--set", s]
        return command


KINDS = {c.name: c for c in (Ngircd, Nats, Roostd)}


def chosen(names, bench):
    for name in names:
        if name not in KINDS:
            raise Failed(f"there is no server {name}; there are {', '.join(KINDS)}")
    return [KINDS[name](bench) for name in names]


def as_root(command):
    if os.geteuid() == 0:
        return command
    return ["sudo"] + command


def run_root(command):
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    return subprocess.run(as_root(command), env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def install(servers):
    install_packages([s.package for s in servers if s.package])


def install_packages(packages):
    """Those that are missing. Their daemons are not left running, nor started at boot:
    they are installed to be measured. A daemon that was here before is not touched."""
    missing = [p for p in packages if not package_version(p)]
    if not missing:
        return
    print(f"installing {' '.join(missing)}", flush=True)
    made = None
    if not os.path.lexists(POLICY):
        made = POLICY
        done = run_root(["sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{POLICY} && chmod 755 {POLICY}"])
        if done.returncode:
            raise Failed(f"cannot install packages:\n{done.stdout}")
    try:
        done = run_root(["apt-get", "install", "-y", "-q", "--no-install-recommends"] + missing)
        if done.returncode:
            run_root(["apt-get", "update", "-q"])
            done = run_root(["apt-get", "install", "-y", "-q", "--no-install-recommends"] + missing)
        if done.returncode:
            raise Failed(f"cannot install {' '.join(missing)}:\n{done.stdout[-2000:]}")
    finally:
        if made:
            run_root(["rm", "-f", made])
    if os.path.isdir("/run/systemd/system"):
        for package in missing:
            run_root(["systemctl", "disable", "--now", package + ".service"])
