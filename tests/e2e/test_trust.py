"""Which server is believed to be the right one, and what a home keeps."""
import re
import socket
import ssl
import subprocess
import threading

from harness import Failure, Lines, User, check, equal, story
from test_terminal import Screen, with_screens

PRINT = r"(?:[0-9a-f]{2}:){31}[0-9a-f]{2}"


def openssl(*words, cwd):
    done = subprocess.run(["openssl", *words], cwd=cwd, capture_output=True)
    if done.returncode:
        raise Failure(f"openssl {words}: {done.stderr.decode()}")


def new_certificate(hall):
    """The server comes up again with another certificate; what its log calls it."""
    hall.stop()
    for path in list(hall.data.iterdir()):
        if path.suffix in (".pem", ".crt", ".key", ".cert"):
            path.unlink()
    hall.start()
    return next(m.group() for m in (re.search(PRINT, line) for line in hall.server.seen) if m)


@story
def a_new_server_is_pinned_and_named(hall):
    shown = next(m.group() for m in (re.search(PRINT, line) for line in hall.server.seen) if m)
    anna = User(hall, "anna")
    done = anna.run("register", "anna", json=False)
    check(shown in done.err and hall.address in done.err, "no terminal: pins it, and says so:", done)
    equal((anna.home / "servers").read_text(), f"{hall.address} {shown}\n")
    equal(anna.run("whoami").err, "", "said once")


@story(short=True)
def a_changed_certificate_is_refused_with_both_and_accepted_by_name(hall):
    anna = hall.user("anna")
    old = (anna.home / "servers").read_text().split()[1]
    new = new_certificate(hall)
    check(old != new, old)
    done = anna.run("whoami", status=3, json=False)
    check(old in done.err and new in done.err and f"--accept-certificate {new}" in done.err, done)
    row = anna.run("whoami", status=3).rows[-1]
    equal((row["name"], row["code"], row["status"]), ("untrusted", 48, 3))
    check(old in row["text"] and new in row["text"], row)
    # neither the old one nor any other is accepted in its place
    for wrong in (old, new[:-2] + ("00" if new[-2:] != "00" else "01"), "yes"):
        anna.run("--accept-certificate", wrong, "whoami", status=3)
    equal((anna.home / "servers").read_text().split()[1], old)
    anna.run("--accept-certificate", new, "whoami", env={"ROOST_PASSWORD": None})
    anna.run("whoami")
    equal((anna.home / "servers").read_text(), f"{hall.address} {new}\n")


@story
def a_certificate_of_an_authority_needs_no_question(hall):
    keys = hall.dir / "authority"
    keys.mkdir()
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl(*new, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem", cwd=keys)
    for name, at in (("right", "IP:127.0.0.1"), ("wrong", "DNS:elsewhere.example")):
        openssl(*new[:2], *new[2:], "-subj", f"/CN={name}", "-addext", f"subjectAltName={at}", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", f"{name}.key", "-out",
                f"{name}.pem", cwd=keys)
    believes = {"SSL_CERT_FILE": str(keys / "ca.pem")}
    hall.stop()
    hall.start("--set", f"tls.certificate={keys}/right.pem", "--set", f"tls.key={keys}/right.key")
    anna = User(hall, "anna")
    done = anna.run("register", "anna", env=believes)
    equal(done.err, "", "no word about a certificate that is good")
    check(not (anna.home / "servers").exists(), "and none is pinned")
    anna.run("whoami", env=believes)
    # the same one for another name is as good as a self-made one, and so is one of an unknown authority
    check(re.search(PRINT, User(hall, "ben").run("register", "ben", json=False).err), "an unknown authority is said")
    hall.stop()
    hall.start("--set", f"tls.certificate={keys}/wrong.pem", "--set", f"tls.key={keys}/wrong.key")
    done = User(hall, "carl").run("register", "carl", json=False, env=believes)
    check(re.search(PRINT, done.err), "another name is said", done)


@story(short=True)
def twenty_commands_of_one_user_at_once(hall):
    anna = hall.user("anna")
    anna.run("room", "new", "lobby")
    env = anna.env(ROOST_PASSWORD=None)
    for _ in range(2):
        running = [hall.keep(Lines(anna.argv("say", "#lobby", f"word {i}"), env)) for i in range(20)]
        for r in running:
            equal((r.drain(), r.process.wait())[1], 0, "\n".join(r.seen))
    equal(sorted(anna.texts("read", "#lobby")), sorted(f"word {i}" for i in range(20) for _ in range(2)))
    equal(len(anna.rows("sessions")), 1, "one session for all")
    for path in [anna.home, *anna.home.rglob("*")]:
        equal(path.stat().st_mode & 0o077, 0, f"{path} is for its owner only")
    check(not [p for p in anna.home.rglob("*") if re.search(r"\.[A-Za-z0-9]{6}$", p.name)], "nothing half-written stays")


@story
def a_home_that_cannot_be_written_is_said(hall):
    place = hall.dir / "file"
    place.write_text("not a directory")
    done = User(hall, "anna", home=place / "home").run("register", "anna", status=None, json=False)
    check(done.status != 0 and str(place) in done.err, done)


@story
def two_first_commands_make_one_device(hall):
    anna = User(hall, "anna")
    other = User(hall, "ben", home=anna.home)
    running = [hall.keep(Lines(u.argv("register", u.name), u.env())) for u in (anna, other)]
    for r in running:
        equal((r.drain(), r.process.wait())[1], 0, "\n".join(r.seen))
    equal((anna.home / "device").stat().st_size, 32)
    equal({u.rows("whoami")[-1]["name"] for u in (anna, other)}, {"anna", "ben"}, "each has a session in the same home")


@story
@with_screens
def on_a_terminal_a_person_is_asked(hall):
    anna = User(hall, "anna")
    shown = next(m.group() for m in (re.search(PRINT, line) for line in hall.server.seen) if m)
    for answer, end in (("n", "ended 3"), ("y", "ended 0")):
        screen = Screen(hall, anna.argv("register", "anna", json=False), anna.env(), columns=120)
        rows = screen.until(lambda rows: any("right server?" in row for row in rows), "the question")
        check(any(shown in row for row in rows), "the fingerprint is shown", rows)
        check(not (anna.home / "servers").exists(), "nothing is pinned before the answer")
        screen.type(answer)
        screen.keys("Enter")
        rows = screen.until(lambda rows: any("ended" in row for row in rows), "the end")
        check(any(end in row for row in rows), rows)
    equal((anna.home / "servers").read_text(), f"{hall.address} {shown}\n")


@story
def what_is_no_roostd_is_left_at_once(hall):
    keys = hall.dir
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=other", "-keyout", "other.key", "-out", "other.pem", cwd=keys)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "other.pem", keys / "other.key")
    context.set_alpn_protocols(["roost/1"])
    listener = socket.create_server(("127.0.0.1", 0))
    junk = [b"\0\0\0\4\xff\xff\xff\xff", b"\xff\xff\xff\xff", b"SSH-2.0-other\r\n"]

    def serve():
        for words in junk:
            with context.wrap_socket(listener.accept()[0], server_side=True) as s:
                s.recv(100)
                s.sendall(words)
                s.recv(100)

    threading.Thread(target=serve, daemon=True).start()
    anna = User(hall, "anna")
    for _ in junk:
        done = anna.run("-s", f"127.0.0.1:{listener.getsockname()[1]}", "register", "anna", status=3, json=False, patience=10)
        check("does not understand" in done.err, done)
    listener.close()
