"""The control port as browsers, curl and Prometheus see it."""
import base64
import ctypes
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

from harness import Skip, check, equal, story, until
from web import PATIENCE, Web, figures, get

CAREFUL = {"cache-control": "no-store", "referrer-policy": "no-referrer", "server": "roostd", "x-content-type-options": "nosniff"}
TOKEN = "0123456789abcdef-secret"


def curl(hall, path, *options):
    if not shutil.which("curl"):
        raise Skip("curl is missing")
    done = subprocess.run(["curl", "-sk", "--max-time", "20", *options, "-w", "\n%{http_code} %{http_version}",
                           f"https://127.0.0.1:{hall.port}{path}"], capture_output=True, text=True, timeout=30)
    body, _, last = done.stdout.rpartition("\n")
    status, version = last.split()
    equal(version, "1.1")
    return int(status), body


@story(short=True)
def curl_gets_every_page(hall):
    equal(curl(hall, "/healthz"), (200, "ok\n"))
    status, home = curl(hall, "/")
    check(status == 200 and "roost -s" in home, home)
    status, page = curl(hall, "/j/123456")
    check(status == 404 and "123456" in page and "No such meeting" in page, page)
    status, text = curl(hall, "/metrics")
    check(status == 200 and figures(text)["roost_connections"] >= 1, text)
    equal(curl(hall, "/nothing"), (404, "There is nothing here.\n"))
    equal(curl(hall, "/", "-d", "x=1")[0], 405)
    equal(curl(hall, "/" + "x" * 5000)[0], 414)
    equal(curl(hall, "/", "-H", "X-Long: " + "x" * 9000)[0], 431)
    equal(curl(hall, "/", "--http1.0", "--no-alpn")[0], 200)
    # several on one connection
    done = subprocess.run(["curl", "-skv", *[f"https://127.0.0.1:{hall.port}/healthz"] * 3], capture_output=True, text=True, timeout=30)
    equal((done.stdout, done.stderr.count("Re-using existing connection")), ("ok\n" * 3, 2))


@story(short=True)
def every_answer_is_careful(hall):
    with Web(hall) as web:
        for path in ("/", "/healthz", "/metrics", "/j/654321", "/nothing"):
            whole, head = web.get(path), web.get(path, method="HEAD")
            equal(whole.status, head.status)
            for a in (whole, head):
                equal({k: a.headers.get(k) for k in CAREFUL}, CAREFUL, path)
                check(a.headers["content-security-policy"].startswith("default-src 'none'; "), a.headers)
                check("unsafe" not in a.headers["content-security-policy"], a.headers)
            equal(whole.headers["content-type"], head.headers["content-type"])
            check(len(whole.body) == int(whole.headers["content-length"]) > 0 and not head.body, path)


@story
def the_page_of_a_meeting_runs_its_own_script_alone(hall):
    a = get(hall, "/j/271828")
    policy = dict(p.strip().split(" ", 1) for p in a.headers["content-security-policy"].split(";"))
    for kind, name in (("script-src", "script"), ("style-src", "style")):
        parts = re.findall(f"<{name}>(.*?)</{name}>", a.text, re.S)
        equal(len(parts), 1, name)
        digest = base64.b64encode(hashlib.sha256(parts[0].encode()).digest()).decode()
        equal(policy[kind], f"'sha256-{digest}'")
    check(not re.search(r"(src|href|url)\s*[=(]", re.sub("<script>.*?</script>", "", a.text, flags=re.S)), "nothing is loaded from anywhere")
    check("viewport" in a.text and "color-scheme:light dark" in a.text, "phones, light and dark")
    for path in ("/j/12345", "/j/1234567890", "/j/12a456", "/j/123456/x", "/j/"):
        equal(get(hall, path).status, 404, path)


@story
def a_meeting_shows_its_title_to_who_has_its_code(hall):
    anna = hall.user("anna")
    met = anna.rows("meet", "new", "--title", "Maths & <b>more</b>")[-1]
    code, link = met["code"], met["link"]
    address, _, secret = link.partition("#")
    equal(address, f"https://127.0.0.1:{hall.port}/j/{code}")
    with Web(hall) as web:
        a = web.get(f"/j/{code}")
        equal(a.status, 200)
        check("<h1>Maths &amp; &lt;b&gt;more&lt;/b&gt;</h1>" in a.text and code in a.text, a.text)
        check(secret not in a.text, "the server shows the secret")
        check(re.fullmatch(r"[A-Za-z0-9_-]{16,63}", secret), "the page's script takes no such secret:", secret)
        for i in range(12):  # wrong ones, until nobody is told any more
            web.get(f"/j/{(int(code) + 1 + i) % 1000000:06}")
        a = web.get(f"/j/{code}")
        check(a.status == 200 and "Maths" not in a.text and "A meeting" in a.text, a.text)
    check(not any(secret in line for line in hall.server.seen), "the secret is in the log")


@story
def opening_a_page_is_a_guess(hall):
    seen = [get(hall, f"/j/{100000 + i}") for i in range(12)]
    equal([a.status for a in seen], [404] * 10 + [200] * 2)
    check("No such meeting" in seen[9].text and "A meeting" in seen[10].text, "after that nobody is told")
    check("100011" in seen[11].text and "roost meet join" in seen[11].text, "and how to join is still shown")


@story
def a_disk_that_refuses_is_told(hall):
    hall.stop()
    hall.wrap = ["env", "--ignore-signal=XFSZ"]
    hall.start()
    pid = str(hall.server.process.pid)
    equal(get(hall, "/healthz").text, "ok\n")
    equal(figures(get(hall, "/metrics").text)["roost_store_writable"], 1)

    subprocess.run(["prlimit", "--pid", pid, "--fsize=1:unlimited"], check=True)
    bad = until(lambda: (lambda a: a if a.status != 200 else None)(get(hall, "/healthz")), "a refusal")
    equal(bad.status, 503)
    check(bad.text.startswith("Nothing can be stored: "), bad.text)
    equal(figures(get(hall, "/metrics").text)["roost_store_writable"], 0)
    equal(get(hall, "/").status, 200)

    subprocess.run(["prlimit", "--pid", pid, "--fsize=unlimited:unlimited"], check=True)
    until(lambda: get(hall, "/healthz").status == 200, "the recovery")
    hall.user("anna").run("whoami")


SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000  # of ptrace(2) and waitpid(2)


class Frozen:
    """All threads of the server but its loop, stopped: the disk hangs."""

    def __init__(self, pid):
        self.threads = [int(t) for t in os.listdir(f"/proc/{pid}/task") if int(t) != pid]
        self.ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        self.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def __enter__(self):
        for thread in self.threads:
            if self.ptrace(SEIZE, thread, None, None):
                raise Skip("this machine does not let its tests stop threads (ptrace)")
            self.ptrace(INTERRUPT, thread, None, None)
            os.waitpid(thread, WALL)

    def __exit__(self, *exc):
        for thread in self.threads:
            self.ptrace(DETACH, thread, None, None)


@story
def a_disk_that_hangs_is_told_and_holds_up_nobody(hall):
    with Frozen(hall.server.process.pid), Web(hall) as health, Web(hall) as meeting:
        health.send(REQUEST)
        meeting.send("GET /j/314159 HTTP/1.1\r\nHost: hall\r\n\r\n" + REQUEST)
        for path in ("/", "/metrics", "/nothing"):  # while those wait
            check(get(hall, path).status in (200, 404), path)
        a = health.answer()
        check(a.status == 503 and "does not answer" in a.text, a.text)
        health.ends()
        a = meeting.answer()
        check(a.status == 200 and "A meeting" in a.text and "314159" in a.text, a.text)
        meeting.ends()
    until(lambda: get(hall, "/healthz").status == 200, "the recovery")


@story
def figures_follow_what_happens(hall):
    before = figures(get(hall, "/metrics").text)
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    watching = ben.follow("read", "#lobby", "--follow")
    anna.run("say", "#lobby", "hello")
    watching.event(text="hello")
    get(hall, "/nothing")
    during = figures(get(hall, "/metrics").text)
    equal(set(during), set(before))
    equal(during['roost_http_answers_total{code="404"}'] - before['roost_http_answers_total{code="404"}'], 1)
    for name in ("roost_requests_total", "roost_frames_queued_total", "roost_store_batches_total", "roost_store_operations_total",
                 "roost_sent_bytes_total", "roost_received_bytes_total", "roost_connections_accepted_total", "process_cpu_seconds_total"):
        check(during[name] > before[name], name, before[name], during[name])
    check(during["roost_clients"] >= 1 and during["roost_sessions"] >= 1 and during["roost_rooms"] >= 1, during)
    check(1e6 < during["process_resident_memory_bytes"] < 1e10, during)
    anna.run("say", "#lobby2", "x", status=None)
    after = figures(get(hall, "/metrics").text)
    check(after["roost_refusals_total"] > during["roost_refusals_total"], "a refusal counts")
    watching.end()
    until(lambda: figures(get(hall, "/metrics").text)["roost_clients"] == 0, "the end of all clients")


@story
def promtool_finds_nothing_wrong(hall):
    top = pathlib.Path(__file__).resolve().parents[2]
    found = subprocess.run([str(top / "scripts/promtool"), str(hall.bin.parent / "promtool")], capture_output=True, text=True, timeout=120)
    if found.returncode:
        raise Skip(found.stderr.strip())
    done = subprocess.run([found.stdout.strip(), "check", "metrics"], input=get(hall, "/metrics").text, capture_output=True, text=True, timeout=60)
    equal((done.returncode, done.stdout + done.stderr), (0, ""))


def own_address():
    """An address of this machine that is not loopback; None: it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))  # nothing is sent
            return s.getsockname()[0]
        except OSError:
            return None


@story
def figures_are_not_for_everybody(hall):
    address = own_address()
    both = ("--listen", address) if address else ()
    hall.stop()
    hall.start(*both)
    if address:
        equal(get(hall, "/metrics", host=address).status, 403)
        equal(get(hall, "/healthz", host=address).status, 200)
    refused = get(hall, "/metrics", "X-Forwarded-For: 192.0.2.7")
    check(refused.status == 403 and "metrics.token" in refused.text, refused.text)
    # a token, read again while it runs
    conf = hall.dir / "own.conf"
    hall.stop()
    conf.write_text(f"metrics.token = {TOKEN}\n")
    hall.start("--config", str(conf), *both)
    for host in filter(None, ("127.0.0.1", address)):
        equal(get(hall, "/metrics", f"Authorization: Bearer {TOKEN}", host=host).status, 200)
        wrong = get(hall, "/metrics", f"Authorization: Bearer {TOKEN[:-1]}", host=host)
        equal((wrong.status, wrong.headers["www-authenticate"]), (401, 'Bearer realm="metrics"'))
    equal(get(hall, "/metrics", "X-Forwarded-For: 192.0.2.7").status, 401)
    conf.write_text(f"metrics.token = {TOKEN[::-1]}\n")
    hall.server.process.send_signal(signal.SIGHUP)
    hall.server.until("read again")
    equal(get(hall, "/metrics", f"Authorization: Bearer {TOKEN}").status, 401)
    equal(get(hall, "/metrics", f"Authorization: Bearer {TOKEN[::-1]}").status, 200)
    check(not any(TOKEN in line for line in hall.logs + hall.server.seen), "the token is in the log")


@story(short=True)
def who_names_no_protocol_speaks_http(hall):
    with Web(hall, alpn=None) as web:
        equal(web.get("/healthz").text, "ok\n")
        check(web.s.selected_alpn_protocol() is None, "none was asked for")
    with Web(hall) as web:
        equal(web.s.selected_alpn_protocol(), "http/1.1")
    try:
        Web(hall, alpn="h2")
        check(False, "h2 was accepted")
    except ssl.SSLError as e:
        check("ALERT_NO_APPLICATION_PROTOCOL" in str(e).upper().replace(" ", "_"), e)
    # without TLS: an answer that says so
    with socket.create_connection(("127.0.0.1", hall.port), timeout=PATIENCE) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: hall\r\n\r\n")
        said = b""
        while data := s.recv(4096):
            said += data
    check(said.startswith(b"HTTP/1.1 400 ") and b"https://" in said, said)


REQUEST = "GET /healthz HTTP/1.1\r\nHost: hall\r\n\r\n"


@story(short=True)
def requests_behind_each_other_are_answered_in_order(hall):
    with Web(hall) as web:
        web.send("".join(f"GET /j/{100000 + i} HTTP/1.1\r\nHost: hall\r\n\r\n{REQUEST}" for i in range(40)))
        for i in range(40):
            check(str(100000 + i) in web.answer().text, i)
            equal(web.answer().text, "ok\n")
    with Web(hall) as web:  # and one by one, byte by byte
        for byte in REQUEST.encode() * 2:
            web.send(bytes([byte]))
        equal((web.answer().text, web.answer().text), ("ok\n", "ok\n"))
    with Web(hall) as web:  # a connection has an end
        web.send(REQUEST * 150)
        answers = [web.answer() for _ in range(100)]
        equal([a.headers["connection"] for a in answers], ["keep-alive"] * 99 + ["close"])
        web.ends()


@story
def http_1_0_is_closed_unless_it_asks(hall):
    with Web(hall) as web:
        a = web.send("GET /healthz HTTP/1.0\r\n\r\n").answer()
        equal((a.status, a.headers["connection"]), (200, "close"))
        web.ends()
    with Web(hall) as web:
        for _ in range(2):
            a = web.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").answer()
            equal((a.status, a.headers["connection"]), (200, "keep-alive"))


WRONG = (
    ("hello\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 405),
    ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", 413),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 413),
    ("GET /" + "a" * 100000, 414),
    ("GET / HTTP/1.1\r\nHost: a\r\n" + "X: y\r\n" * 100 + "\r\n", 431),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: " + "y" * 100000, 431),
    ("\r\n" * 50000, 431),
    ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
)


@story(short=True)
def what_is_wrong_is_said_and_ends_the_connection(hall):
    for text, status in WRONG:
        with Web(hall) as web:
            a = web.send(text).answer()
            equal(a.status, status, text[:60])
            check(len(a.text.split()) > 3 and a.text.endswith(".\n"), "a sentence:", a.text)
            if status in (405, 413) and not text.startswith("BREW") and "Content-Length" not in text and "chunked" not in text:
                continue  # this one was understood: it goes on
            equal(a.headers["connection"], "close", text[:60])
            web.ends()
    for cut in (1, 20, len(REQUEST) - 1):  # who goes in the middle leaves nothing behind
        with Web(hall) as web:
            web.send(REQUEST[:cut])
    until(lambda: figures(get(hall, "/metrics").text)["roost_http_connections"] == 1, "the end of those who went")


@story(options=("--set", "http.timeout=500ms"))
def who_is_slow_is_sent_away(hall):
    with Web(hall) as slow, Web(hall) as silent:
        try:
            for byte in (REQUEST[:-2] + "X: " + "y" * 10000).encode():
                slow.send(bytes([byte]))
                time.sleep(0.02)  # the drip of a slow loris, not a wait for something
                slow.s.settimeout(0.001)
                try:
                    if slow.more():
                        break
                except (TimeoutError, ssl.SSLWantReadError, socket.timeout):
                    pass
        except OSError:
            pass
        slow.s.settimeout(PATIENCE)
        equal(slow.answer().status, 408)
        slow.ends()
        silent.ends()  # it said nothing: it is told nothing
    check(figures(get(hall, "/metrics").text)["roost_connections_timed_out_total"] >= 1, "it counts")


@story(options=("--set", "http.timeout=1s"))
def who_does_not_read_is_sent_away(hall):
    deaf = Web(hall)
    deaf.s.settimeout(0.2)
    sent = 0
    try:
        while sent < 20000:  # far more than is ever answered
            deaf.send("GET / HTTP/1.1\r\nHost: hall\r\n\r\n" * 10)
            sent += 10
    except OSError:
        pass
    equal(get(hall, "/healthz").status, 200)
    until(lambda: figures(get(hall, "/metrics").text)["roost_http_connections"] == 1, "its end")
    deaf.s.close()


@story(options=("--set", "http.max=3"))
def browsers_do_not_take_all_places(hall):
    webs = [Web(hall) for _ in range(3)]
    for web in webs:
        equal(web.get("/healthz").status, 200)
    with Web(hall) as late:
        a = late.answer()
        equal(a.status, 503)
        check("try again" in a.text, a.text)
        late.ends()
    hall.user("anna").run("whoami")  # others are not concerned
    webs.pop().s.close()
    until(lambda: get(hall, "/healthz").status == 200, "a free place")
    for web in webs:
        web.s.close()


@story
def an_end_closes_browsers_too(hall):
    with Web(hall) as web:
        equal(web.get("/healthz").status, 200)
        equal(hall.stop(), 0)
        web.ends()
