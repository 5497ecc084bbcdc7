"""roostd as its operator sees it: certificates, settings, its directory, floods."""
import hashlib
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess

from harness import PATIENCE, Lines, User, check, equal, family, service_manager, story, until

WRONG = {"ROOST_PASSWORD": "not the password"}


def make_certificate(folder, name):
    """A new key and certificate over the files of the old; its fingerprint as the client shows it."""
    cert, key = folder / "own.pem", folder / "own-key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", str(key), "-out", str(cert), "-days", "30", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
    der = ssl.PEM_cert_to_DER_cert(cert.read_text())

    digest = hashlib.sha256(der).hexdigest()
    return cert, key, ":".join(digest[i:i + 2] for i in range(0, 64, 2))


def shown_fingerprint(hall):
    """Of the certificate that the server gives to whoever connects."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", hall.port), timeout=10) as raw:
        with context.wrap_socket(raw) as s:
            digest = hashlib.sha256(s.getpeercert(True)).hexdigest()
    return ":".join(digest[i:i + 2] for i in range(0, 64, 2))


@story
def a_certificate_from_files_and_a_new_one_at_sighup(hall):
    hall.stop()
    cert, key, first = make_certificate(hall.dir, "one.example")
    own = ("--set", f"tls.certificate={cert}", "--set", f"tls.key={key}")
    hall.start(*own)
    equal(shown_fingerprint(hall), first)
    anna = hall.user("anna")
    anna.run("room", "new", "lobby")
    anna.run("say", "#lobby", "before")
    watching = anna.follow("read", "#lobby", "--follow")
    watching.event(text="before")  # connected while the first one was shown
    _, _, second = make_certificate(hall.dir, "two.example")
    hall.server.process.send_signal(signal.SIGHUP)
    hall.server.until("read again")
    equal(shown_fingerprint(hall), second)
    # who was connected stays; who comes anew is told of both
    old = User(hall, "anna", home=anna.home, password=anna.password)
    done = old.run("whoami", status=3, json=False)
    check(first in done.err and second in done.err, done)
    check(watching.process.poll() is None, "the running connection went away:", watching.seen)
    # files that are no pair leave the running ones
    key.write_text("no key\n")
    hall.server.process.send_signal(signal.SIGHUP)
    hall.server.until("own-key.pem|key")
    equal(shown_fingerprint(hall), second)
    watching.end()


@story
def a_second_server_on_the_same_directory(hall):
    other = hall.keep(Lines([str(hall.roostd), "--data", str(hall.data), "--listen", "127.0.0.1", "--port", "0"], hall.plain_env()))
    said = "\n".join(other.drain())
    equal(other.process.wait(PATIENCE), 1, said)
    check(str(hall.data) in said, "it says which directory:", said)
    hall.user("anna").run("whoami")


def checked(hall, *words):
    return subprocess.run([str(hall.roostd), "--data", str(hall.data), *words, "--check"], capture_output=True, text=True,
                          timeout=20, env=hall.plain_env())


@story
def check_names_file_and_line(hall):
    good, bad = hall.dir / "good.conf", hall.dir / "bad.conf"
    good.write_text("# settings\nport = 5005\nlogin.block = 20s\n")
    done = checked(hall, "--config", str(good))
    equal((done.returncode, done.stdout), (0, "ok\n"), done.stderr)
    lines = ["port = 5005", "login.block = 20s", "say.rate = 5"]
    for wrong, word in (("login.tries = many", "login.tries"), ("colour = blue", "colour"), ("no equals sign", ""), ("port = 70000", "port")):
        at = random.randrange(len(lines) + 1)
        bad.write_text("\n".join(lines[:at] + [wrong] + lines[at:]) + "\n")
        done = checked(hall, "--config", str(bad))
        check(done.returncode != 0 and f"{bad}:{at + 1}: " in done.stderr and word in done.stderr, wrong, done)
    done = checked(hall, "--set", "login.tries=0")
    check(done.returncode != 0 and "login.tries" in done.stderr, done)
    done = checked(hall, "--config", str(hall.dir / "missing.conf"))
    check(done.returncode != 0 and "missing.conf" in done.stderr, done)


@story
def check_looks_at_what_the_settings_name(hall):
    for wrong in ("nowhere", "127.0.0.1, ::g", "1.2.3.4.5"):
        done = checked(hall, "--set", f"listen={wrong}")
        check(done.returncode == 2 and "no address" in done.stderr, wrong, done)
    equal(checked(hall, "--set", "listen=127.0.0.1, ::1").returncode, 0)
    cert, key, _ = make_certificate(hall.dir, "one.example")
    equal(checked(hall, "--set", f"tls.certificate={cert}", "--set", f"tls.key={key}").returncode, 0)
    missing = hall.dir / "missing.pem"
    for pair, word in (((missing, key), "No such file"), ((cert, missing), "No such file"), ((cert, cert), str(cert))):
        done = checked(hall, "--set", f"tls.certificate={pair[0]}", "--set", f"tls.key={pair[1]}")
        check(done.returncode == 2 and word in done.stderr, pair, done)


@story
def few_files_are_spoken_of_when_it_matters(hall):
    for limit, told in ((20000, False), (4000, True)):
        hall.stop()
        hall.wrap = ["prlimit", f"--nofile=1024:{limit}"]
        if os.geteuid() == 0:  # without the right to raise the hard limit, as a service is
            hall.wrap += ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource"]
        hall.start()
        equal(hall.user(f"user{limit}").run("whoami").status, 0)
        equal(any("conns.max" in line for line in hall.server.seen), told, hall.server.seen)


@story
def the_service_manager_is_told(hall):
    hall.stop()
    with service_manager(hall) as manager:
        hall.start()
        equal(manager.recv(200), b"READY=1")
        hall.server.process.send_signal(signal.SIGHUP)
        reloading = manager.recv(200)
        check(reloading.startswith(b"RELOADING=1"), reloading)
        equal(manager.recv(200), b"READY=1")
        hall.stop()
        equal(manager.recv(200), b"STOPPING=1")


@story(short=True)
def older_tls_is_refused(hall):
    for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = newest
        try:
            with socket.create_connection(("127.0.0.1", hall.port), timeout=10) as raw, context.wrap_socket(raw) as s:
                version = s.version()
        except (ssl.SSLError, ConnectionError) as e:
            version = type(e).__name__
        equal(version == "TLSv1.3", newest == ssl.TLSVersion.TLSv1_3, version)


@story(options=("--set", "login.block=60s"))
def thirty_wrong_logins_of_a_stranger(hall):
    anna = hall.user("anna")
    stranger = User(hall, None)
    statuses = {stranger.run("login", "anna", status=None, env=WRONG).status for _ in range(30)}
    check(statuses <= {4, 5} and 5 in statuses, statuses)
    anna.run("logout")
    anna.login()  # this device was here before
    equal(stranger.run("login", "anna", status=5, env=WRONG).status, 5)


@story(options=("--set", "login.tries=1000", "--set", "hash.threads=1", "--set", "login.account_tries=100000"))
def a_flood_of_logins_does_not_delay_messages(hall):
    """Logins wait for who hashes, which is held; messages do not."""
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    watching = ben.follow("read", "#lobby", "--follow")
    hashes = family(hall.server.process.pid)[-1]
    os.kill(hashes, signal.SIGSTOP)
    try:
        logins = [hall.keep(Lines(User(hall, None).argv("login", "anna"), anna.env(**WRONG))) for _ in range(20)]
        until(lambda: anna.rows("ping", "--count", "1") and all(holds(p.process.pid, hall.port) for p in logins), "the flood")
        for i in range(5):
            anna.run("say", "#lobby", f"line {i}")
            watching.event(text=f"line {i}")
        check(all(p.process.poll() is None for p in logins), "a login was answered without a hash:", logins[0].seen)
    finally:
        os.kill(hashes, signal.SIGCONT)
    for p in logins:
        equal(p.process.wait(PATIENCE), 4, p.drain())


def holds(pid, port):
    """Whether this process is connected there."""
    try:
        inodes = {os.readlink(f) for f in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return False
    rows = [row.split() for row in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(f"socket:[{row[9]}]" in inodes and row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)
