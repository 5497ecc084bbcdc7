"""Who is compared in `bench/run files`: ours by each way, scp -r, rsync over ssh, HTTPS.

Each has prepare(), which the clock does not see (servers, keys, accounts), send(source, to), which starts the
transfer, and done(), which waits until the receiver has all, verified and named, and says when that was.
"""
import os
import pathlib
import tempfile
import time
import urllib.parse

from .common import Failed
from .flow_net import RIGHT

SSH_PORT, HTTPS_PORT, ROOST_PORT = 7022, 7443, 7500
LISTEN_S = 20
SSHD = """HostKey {0}/host
AuthorizedKeysFile {0}/user.pub
StrictModes no
UsePAM no
PidFile none
PermitRootLogin yes
Subsystem sftp /usr/lib/openssh/sftp-server
"""
NGINX = """daemon off;
worker_processes auto;
pid {0}/nginx.pid;
error_log {0}/nginx.log;
user root;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000;
  client_body_temp_path {0}/t1; proxy_temp_path {0}/t2; fastcgi_temp_path {0}/t3;
  uwsgi_temp_path {0}/t4; scgi_temp_path {0}/t5;
  server {{
    listen 10.77.0.1:{1} ssl http2;
    ssl_certificate {0}/tls.crt;
    ssl_certificate_key {0}/tls.key;
    ssl_protocols TLSv1.3;
    root {2};
  }}
}}
"""


class Classic:
    """A neighbour: it has all when the program that was started has ended, and well."""
    syncs = False

    def __init__(self, bench, name):
        self.bench, self.name, self.helpers, self.program = bench, name, [], None

    def help(self, program):
        self.helpers.append(program)
        return program

    def done(self, patience):
        if not self.program.wait(patience):
            return None
        if self.program.status:
            raise Failed(f"{self.name} ended with {self.program.status}: {self.program.error.decode(errors='replace')}")
        return self.program.ended_ns

    def close(self):
        for p in [self.program] * (self.program is not None) + self.helpers:
            p.end()
        self.helpers, self.program = [], None

    def progress(self):
        return []


def until_listening(net, side, port):
    """Without connecting."""
    end = time.monotonic() + LISTEN_S
    while time.monotonic() < end:
        look = net.run(side, ["sh", "-c", f"ss -Hltn 'sport = :{port}' | grep -q ."])
        if look.wait(LISTEN_S) and look.status == 0:
            return
        time.sleep(0.02)
    raise Failed(f"nobody listens at port {port}")


class Ssh(Classic):
    """scp -r, and rsync over ssh: Debian's sshd with a port and keys of its own."""

    def __init__(self, bench, name):
        super().__init__(bench, name)
        self.keys = bench.keys

    def prepare(self, net, to):
        for key in ("host", "user"):
            if not (self.keys / key).exists():
                self.bench.call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.keys / key)])
        os.makedirs("/run/sshd", exist_ok=True)
        (self.keys / "sshd_config").write_text(SSHD.format(self.keys))
        self.help(net.run(1, ["/usr/sbin/sshd", "-D", "-e", "-f", self.keys / "sshd_config", "-o",
                              f"ListenAddress={RIGHT}:{SSH_PORT}"]))
        until_listening(net, 1, SSH_PORT)

    def options(self):
        return ["-i", str(self.keys / "user"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR"]

    def send(self, net, source, to):
        if self.name == "scp -r":
            argv = ["scp", "-q", "-r", "-P", SSH_PORT, *self.options(), source, f"{RIGHT}:{to}"]
        else:
            argv = ["rsync", "-a", "-e", " ".join(["ssh", "-p", str(SSH_PORT), *self.options()]), source, f"{RIGHT}:{to}"]
        self.program = net.run(0, argv)
        return self.program.began_ns


class Https(Classic):
    """nginx serves, curl fetches: one connection with HTTP/2, many files at once in it (curl --parallel).
    It cannot list a folder: the names are told to it before the clock runs."""

    def prepare(self, net, to):
        keys = self.bench.keys
        if not (keys / "tls.key").exists():
            self.bench.call(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                             "-keyout", f"{keys}/tls.key", "-out", f"{keys}/tls.crt", "-subj", "/CN=bench", "-addext",
                             "subjectAltName=IP:10.77.0.1", "-days", "2"])
        (keys / "nginx.conf").write_text(NGINX.format(keys, HTTPS_PORT, self.bench.sources))
        self.help(net.run(0, ["/usr/sbin/nginx", "-c", keys / "nginx.conf"]))
        until_listening(net, 0, HTTPS_PORT)

    def send(self, net, source, to):
        files = [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file())
        names = [p.relative_to(source.parent) for p in files]
        wanted = self.bench.keys / "wanted"
        wanted.write_text("".join(f'url = "https://10.77.0.1:{HTTPS_PORT}/{urllib.parse.quote(str(n))}"\n'
                                  f'output = "{to / n}"\n' for n in names))
        self.program = net.run(1, ["curl", "-sS", "--fail", "--cacert", self.bench.keys / "tls.crt", "--parallel",
                                   "--parallel-max", "50", "--create-dirs", "-K", wanted])
        return self.program.began_ns


class Ours:
    """A server at the receiver's end of the link; anna at the near one sends, ben takes. By the server: it keeps the
    file, and ben fetches it from there."""
    syncs = True

    def __init__(self, bench, name, via):
        self.bench, self.name, self.via, self.programs, self.sender = bench, name, via, [], None

    def user(self, name):
        return [self.bench.roost, "-s", f"{RIGHT}:{ROOST_PORT}", "--home", self.home / name, "-u", name, "--json"]

    def run(self, net, side, *argv, **more):
        self.programs.append(net.run(side, argv, **more))
        return self.programs[-1]

    def prepare(self, net, to):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="home-", dir=self.bench.keys))
        os.environ["ROOST_PASSWORD"] = "a password for a bench"
        self.server = self.run(net, 1, self.bench.roostd, "--data", self.home / "data", "--listen", RIGHT, "--port",
                               ROOST_PORT, "--registration", "open", "--set", "mdns=no", "--set", "hash.memory=8K")
        until_listening(net, 1, ROOST_PORT)
        for side, name in enumerate(("anna", "ben")):
            done = self.run(net, side, *self.user(name), "register", name)
            if not done.wait(LISTEN_S) or done.status:
                raise Failed(f"register: {done.rows} {done.error.decode(errors='replace')}")
        self.receiver = self.run(net, 1, *self.user("ben"), "receive", "--accept", "all", "--dir", to, "--count", "1")
        self.until_on(net)

    def until_on(self, net):
        end = time.monotonic() + LISTEN_S
        while time.monotonic() < end:
            who = self.run(net, 0, *self.user("anna"), "who")
            who.wait(LISTEN_S)
            if any(row.get("name") == "ben" for row in who.rows):
                return
        raise Failed(f"who receives did not come: {self.receiver.error.decode(errors='replace')}")

    def send(self, net, source, to):
        self.sender = self.run(net, 0, *self.user("anna"), "send", source, "@ben", "--via", self.via)
        return self.sender.began_ns

    def done(self, patience):
        row = self.receiver.next(lambda r: r.get("event") in ("received", "error"), patience)
        if row is None or row["event"] == "error":
            self.bench.say(f"  {self.name}: {row} {self.sender.rows[-1:]} {self.sender.error.decode(errors='replace')}")
            return None
        self.sender.wait(5)
        return row["came_ns"]

    def progress(self):
        return [(r["came_ns"], r["bytes"]) for r in self.receiver.rows if r.get("event") in ("progress", "received")]

    def close(self):
        for p in reversed(self.programs):
            p.end()
        self.programs, self.sender = [], None


KINDS = {
    "direct": lambda b: Ours(b, "direct", "direct"),
    "relay": lambda b: Ours(b, "relay", "relay"),
    "server": lambda b: Ours(b, "server", "server"),
    "scp": lambda b: Ssh(b, "scp -r"),
    "rsync": lambda b: Ssh(b, "rsync"),
    "https": lambda b: Https(b, "https"),
}


def chosen(bench, names):
    for name in names:
        if name not in KINDS:
            raise Failed(f"there is no {name}; there are {', '.join(KINDS)}")
    return [KINDS[name](bench) for name in names]
