"""The classic exercises: roost lab transfer, files, calc, stream, pair and crowd, each beside a plain tool where one fits."""
import itertools
import os
import shutil
import signal
import socket
import subprocess

from harness import PATIENCE, Follow, Lines, Skip, check, equal, parse, story, until
from test_cli import documented
from transfers import a_file, ends, same


def needs(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing")


def lab(hall, *words, stdin=False, json=True, before=()):
    kind = Follow if json else Lines
    return hall.keep(kind([str(hall.roost), *(["--json"] if json else []), *before, "lab", *map(str, words)], hall.plain_env(), stdin))


def serve(hall, name, *words, **more):
    """A server, and where it is."""
    p = lab(hall, name, "--serve", "--listen", "127.0.0.1:0", *words, **more)
    at = p.expect(event="listening")
    return p, at["address"]


def run(hall, *words, status=0, before=(), input=None, json=True):
    """A client to its end: its events."""
    done = subprocess.run([str(hall.roost), *(["--json"] if json else []), *before, "lab", *map(str, words)], env=hall.plain_env(),
                          input=input, capture_output=True, text=True, timeout=2 * PATIENCE,
                          **({} if input is not None else {"stdin": subprocess.DEVNULL}))
    equal(done.returncode, status, done.stdout + done.stderr)
    return [parse(line) for line in done.stdout.splitlines()] if json else done


def last(rows, event):
    return [r for r in rows if r["event"] == event][-1]


def nc(address, data, *options, patience=PATIENCE):
    """What nc hears when it says this."""
    needs("nc")
    host, port = address.rsplit(":", 1)
    return subprocess.run(["nc", *options, host, port], input=data, capture_output=True, timeout=patience).stdout


def junk(address, udp=False):
    """Bytes that mean nothing, of all lengths."""
    host, port = address.rsplit(":", 1)
    for n in (1, 2, 3, 20, 500, 3000, 70000):
        data = os.urandom(n)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as s:
            s.connect((host, int(port)))
            try:
                s.send(data[:60000]) if udp else s.sendall(data)
            except OSError:
                pass


def frames(hall, capture, protocol, *fields):
    needs("tshark")
    argv = ["tshark", "-r", str(capture), "-T", "fields", "-E", "separator=;", "-o", "ip.check_checksum:TRUE", "-o",
            f"{protocol}.check_checksum:TRUE"] + [a for f in fields for a in ("-e", f)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": str(hall.dir)})
    equal(done.returncode, 0, done.stderr)
    return [line.split(";") for line in done.stdout.splitlines()]


# --- calc ---------------------------------------------------------------------------------------

@story(short=True)
def calc_answers_lines(hall):
    server, at = serve(hall, "calc")
    equal(last(run(hall, "calc", "--to", at, "7", "%", "3"), "answer")["text"], "1")
    equal([r["text"] for r in run(hall, "calc", "--to", at, input="6 * 7\n-7 / 2\n")], ["42", "-3 remainder -1"])
    check("division by zero" in last(run(hall, "calc", "--to", at, "1/0", status=1), "answer")["error"], "1/0")
    junk(at)
    equal(nc(at, b"7 % 3\r\n2 * -4\nnonsense\n", "-N").decode().splitlines(),
          ["1", "-8", "error: this is no calculation of two integers"], "by nc")
    equal(nc(at, b"1+1", "-N"), b"2\n", "a line without its end")
    server.end(signal.SIGINT)
    equal(server.process.returncode, 0)


@story
def calc_over_datagrams_that_are_lost(hall):
    server, at = serve(hall, "calc", "--udp")
    junk(at, udp=True)

    def some_are_lost():
        rows = run(hall, "calc", "--to", at, "--udp", "--trace", input="".join(f"{n} * 2\n" for n in range(8)),
                   before=["--link", "delay=5ms loss=30%"])
        equal([r["text"] for r in rows if r["event"] == "answer"], [str(n * 2) for n in range(8)])
        packets = [r for r in rows if r["event"] == "packet"]
        return any(p["lost"] for p in packets) and len([p for p in packets if p["way"] == "out"]) > 8

    until(some_are_lost, "a loss")  # nearly always at once
    equal(nc(at, b"7 % 3\n", "-u", "-w1"), b"1", "by nc")


@story
def calc_with_nobody_there(hall):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{s.getsockname()[1]}"
    for how in ((), ("--udp",)):
        error = last(run(hall, "calc", "--to", at, *how, "1+1", status=3), "error")
        check("nobody answers" in error["text"] and "--serve" in error["advice"], error)


@story
def what_is_said_wrong(hall):
    for words, part in ((("calc",), "--serve"), (("calc", "--serve", "--to", "a:1"), "--serve"),
                        (("calc", "--to", "127.0.0.1"), "HOST:PORT"), (("calc", "--serve", "--listen", "x"), "--listen"),
                        (("calc", "--tcp", "--udp", "--serve"), "choose"), (("stream", "--serve"), "roost lab stream"),
                        (("files", "--serve"), "--dir"), (("files", "--serve", "--dir", ".", "--model", "x"), "threads"),
                        (("transfer", "--to", "127.0.0.1:1", "--udp", "--window", "0", "x"), "--window")):
        error = last(run(hall, *words, status=2), "error")
        check(part in error["advice"], words, error)
    for name in ("transfer", "files", "calc", "stream", "pair", "crowd"):
        text = run(hall, name, "--help", json=False).stdout
        check(f"  roost lab {name} --serve" in text and f"roost lab {name} --to" in text, text)
        check("--trace" in text, text)


# --- transfer -------------------------------------------------------------------------------------

@story(short=True)
def transfer_in_chunks(hall):
    inbox = hall.dir / "inbox"
    inbox.mkdir()
    for how in ("--tcp", "--udp"):
        server, at = serve(hall, "transfer", how, "--dir", inbox, "--count", 3)
        junk(at, udp=how == "--udp")
        for n, size in enumerate((0, 1, 150000)):
            file = a_file(hall, size, f"{how}{n}")
            sent = last(run(hall, "transfer", "--to", at, how, "--window", 8, "--", file), "sent")
            equal((sent["bytes"], sent["chunks"], sent["repeated"]), (size, (size + 999) // 1000, sent["repeated"]))
            server.expect(event="received", file=file.name)
            same(file, inbox / file.name)
        ends(server, 0)
    equal(sorted(p.name for p in inbox.iterdir() if p.name.startswith(".")), [], "left over")


@story
def transfer_over_a_link_that_loses(hall):
    inbox = hall.dir / "inbox"
    inbox.mkdir()
    server, at = serve(hall, "transfer", "--udp", "--dir", inbox, "--overwrite")
    repeated, lost = 0, 0
    for window in itertools.chain((1, 16), itertools.cycle((1,))):
        if window == 1 and repeated > 0 and lost > 0:
            break  # nearly always after both
        file = a_file(hall, 40000)
        rows = run(hall, "transfer", "--to", at, "--udp", "--window", window, "--trace", file,
                   before=["--link", "rtt=20ms loss=4% corrupt=1% dup=1% reorder=2% late=15ms"])
        sent, got = last(rows, "sent"), server.expect(event="received")
        same(file, inbox / "file")
        repeated += sent["repeated"]
        lost += sum(r["lost"] for r in rows if r["event"] == "packet")
        check(sent["rtt_ms"] >= 20, sent)
        check(got["peer"], got)


@story
def a_window_spares_round_trips(hall):
    """On a link that loses nothing: there what is under way at once is a law, and no dice decide."""
    inbox = hall.dir / "inbox"
    inbox.mkdir()
    _, at = serve(hall, "transfer", "--udp", "--dir", inbox, "--overwrite")
    file, ahead = a_file(hall, 40000), {}
    for window in (1, 16):
        rows = run(hall, "transfer", "--to", at, "--udp", "--window", window, "--trace", file, before=["--link", "rtt=50ms"])
        same(file, inbox / "file")
        if window == 1:
            check(last(rows, "sent")["seconds"] >= 40 * 0.05, "an answer came before its packet:", rows)
        packets = [r["what"] for r in rows if r["event"] == "packet"]
        heard = next(i for i, what in enumerate(packets) if what.startswith("ACK"))
        ahead[window] = len({what for what in packets[:heard] if what.startswith("CHUNK")})
    check(ahead[1] == 1 < ahead[16] <= 16, "chunks before the first is acknowledged:", ahead)


@story
def transfer_says_why_not(hall):
    inbox, file = hall.dir / "inbox", a_file(hall, 5000)
    inbox.mkdir()
    (inbox / "file").write_text("mine")
    server, at = serve(hall, "transfer", "--udp", "--dir", inbox)
    error = last(run(hall, "transfer", "--to", at, "--udp", file, status=1), "error")
    check("there already" in error["text"] and "--overwrite" in error["advice"], error)
    equal((inbox / "file").read_text(), "mine")
    hidden = a_file(hall, 10, ".hidden")
    check("name" in last(run(hall, "transfer", "--to", at, "--udp", hidden, status=1), "error")["text"], "a hidden name")
    run(hall, "transfer", "--to", at, "--udp", hall.dir / "nothing", status=1)
    junk(at, udp=True)
    # one that is killed leaves nothing, and others go on
    (inbox / "file").unlink()
    big = a_file(hall, 3000000, "big")
    sender = lab(hall, "transfer", "--to", at, "--udp", big, before=["--link", "rtt=20ms"])
    until(lambda: any(p.name.startswith(".part") for p in inbox.iterdir()), "the part")
    sender.process.kill()
    stopped = lab(hall, "transfer", "--to", at, "--udp", big, before=["--link", "rtt=20ms"])
    until(lambda: len([p for p in inbox.iterdir() if p.name.startswith(".part")]) > 1, "the other part")
    equal(stopped.end(signal.SIGINT), 1)
    run(hall, "transfer", "--to", at, "--udp", file)
    same(file, inbox / "file")
    until(lambda: not any(p.name.startswith(".part") for p in inbox.iterdir()), "the parts go")


@story
def transfer_in_a_capture(hall):
    inbox, file = hall.dir / "inbox", a_file(hall, 3000)
    inbox.mkdir()
    for how, protocol in (("--tcp", "tcp"), ("--udp", "udp")):
        server, at = serve(hall, "transfer", how, "--dir", inbox, "--overwrite")
        capture = hall.dir / f"{protocol}.pcap"
        run(hall, "transfer", "--to", at, how, file, before=["--pcap", str(capture)])
        rows = frames(hall, capture, protocol, f"{protocol}.dstport", f"{protocol}.checksum.status", "ip.checksum.status",
                      f"{protocol}.payload")
        check(len(rows) >= 10, rows)
        for row in rows:
            equal(row[1:3], ["1", "1"], row)
        port = at.rsplit(":", 1)[1]
        sent = b"".join(bytes.fromhex(r[3].replace(":", "")) for r in rows if r[0] == port)
        data = file.read_bytes()
        check(all(data[n:n + 1000] in sent for n in (0, 1000, 2000)), "the chunks are not in it")


# --- files ------------------------------------------------------------------------------------------

def public(hall):
    folder = hall.dir / "public"
    (folder / "sub").mkdir(parents=True)
    (hall.dir / "secret").write_text("nobody's business")
    (folder / "notes.txt").write_text("notes\n")
    (folder / "sub/deep.txt").write_text("deep\n")
    for name in ("big", "slow"):
        (folder / name).write_bytes(os.urandom(2000000))
    (folder / "link").symlink_to(hall.dir / "secret")
    (folder / "out").symlink_to(hall.dir)
    os.mkfifo(folder / "fifo")
    return folder


def many_clients(hall, model):
    folder = public(hall)
    server, at = serve(hall, "files", "--dir", folder, "--model", model)
    listed = run(hall, "files", "--to", at)
    equal([(r["file"], r["bytes"]) for r in listed], [("big", 2000000), ("notes.txt", 6), ("slow", 2000000), ("sub/", None)])
    clients = []
    for n in range(8):
        (hall.dir / f"in{n}").mkdir()
        clients.append(lab(hall, "files", "--to", at, "--dir", hall.dir / f"in{n}", "big", "notes.txt", "sub/deep.txt"))
    silent = socket.create_connection(at.rsplit(":", 1))  # says nothing, and holds nobody up
    for n, client in enumerate(clients):
        ends(client, 0)
        same(folder / "big", hall.dir / f"in{n}/big")
        equal((hall.dir / f"in{n}/deep.txt").read_text(), "deep\n")
    killed = lab(hall, "files", "--to", at, "--dir", hall.dir / "in0", "slow", before=["--link", "rate=2M"])
    server.expect(event="served", file="slow")
    killed.process.kill()
    error = last(run(hall, "files", "--to", at, "--dir", hall.dir, "nothing.txt", status=1), "error")
    check("no such file" in error["text"], error)
    junk(at)
    equal(nc(at, b"GET notes.txt\nLIST sub\n", "-N"), b"OK 6\nnotes\nOK 1\n5 deep.txt\n", "by nc")
    for name in ("../secret", "link", "out/secret", str(hall.dir / "secret"), "sub/../../secret", "fifo", "sub", "..", "",
                 "sub/../../public/notes.txt", "notes.txt/x", "a" * 3000):
        heard = nc(at, f"GET {name}\n".encode(), "-N")
        check(heard.startswith(b"NO ") and b"business" not in heard, name, heard)
    check(nc(at, b"LIST out\nLIST ..\n", "-N").count(b"NO ") == 2, "a listing outside")
    silent.close()
    server.end(signal.SIGINT)
    server.drain()
    summary = [parse(line) for line in server.seen if "summary" in line][-1]
    equal((summary["model"], server.process.returncode), (model, 0))
    check(summary["clients_most"] >= 2 and summary["files"] >= 26, summary)


@story(short=True)
def files_in_one_loop(hall):
    many_clients(hall, "loop")


@story
def files_in_threads(hall):
    many_clients(hall, "threads")


@story
def files_that_become_shorter(hall):
    folder = public(hall)
    server, at = serve(hall, "files", "--dir", folder, before=["--link", "rate=4M"])
    (hall.dir / "in").mkdir()
    client = lab(hall, "files", "--to", at, "--dir", hall.dir / "in", "big")
    server.expect(event="served")
    os.truncate(folder / "big", 1000000)
    equal(client.process.wait(PATIENCE), 3)
    equal(list((hall.dir / "in").iterdir()), [], "half a file")


# --- stream --------------------------------------------------------------------------------------------

def film(hall, seconds=4):
    needs("ffmpeg", "ffprobe")
    path = hall.dir / "film.ts"
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", f"testsrc=duration={seconds}:size=160x120:rate=10",
                    "-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}", "-c:v", "mpeg2video", "-b:v", "300k", "-c:a",
                    "mp2", "-f", "mpegts", str(path)], check=True, timeout=60, stdin=subprocess.DEVNULL)
    return path


def duration(path):
    done = subprocess.run(["ffprobe", "-loglevel", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)],
                          capture_output=True, text=True, timeout=60)
    equal(done.returncode, 0, done.stderr)
    return float(done.stdout.split()[-1])


@story
def stream_plays_while_it_comes(hall):
    source, out, log = film(hall), hall.dir / "out.ts", hall.dir / "first"
    server, at = serve(hall, "stream", "--rate", "1M", source)
    player = f"head -c 1 >/dev/null; date > {log}; exec cat >/dev/null"
    client = lab(hall, "stream", "--to", at, "-o", out, "--player", player, "--trace")
    until(log.exists, "the first byte at the player")
    check(not any('"sent"' in line for line in server.seen) and server.coming.empty(), "all had left before the player had a byte")
    server.expect(event="sent")
    got = client.expect(event="received")
    ends(client, 0)
    check(got["whole"] and got["lost"] == 0, got)
    same(source, out)
    check(abs(duration(out) - 4) < 0.5, duration(out))
    sizes = [parse(line)["bytes"] for line in client.seen if '"PIECE' in line and parse(line)["way"] == "in"][:-1]
    check(min(sizes) >= 1000 and max(sizes) <= 2000 and len(set(sizes)) > len(sizes) / 3, sizes)


@story
def stream_with_losses(hall):
    source, out = film(hall), hall.dir / "out.ts"
    server, at = serve(hall, "stream", "--rate", "4M", source)
    bent = ["--link", "delay=20ms loss=10%"]
    got = last(run(hall, "stream", "--to", at, "-o", out, before=bent), "received")
    check(got["lost"] > 0 and not got["whole"] and got["missing_bytes"] > 0, got)
    check(got["bytes"] + got["missing_bytes"] == source.stat().st_size, got)
    if got["missing_bytes"] < source.stat().st_size / 4:  # else the machine was too busy to listen to more than the link let through
        check(duration(out) > 2, "it does not even play with holes")
    got = last(run(hall, "stream", "--to", at, "-o", out, "--reliable", before=bent), "received")
    check(got["lost"] > 0 and got["whole"], got)
    same(source, out)


@story
def stream_to_two_and_a_killed_one(hall):
    source = a_file(hall, 400000)
    server, at = serve(hall, "stream", "--rate", "2M", source)
    junk(at, udp=True)
    killed = lab(hall, "stream", "--to", at, "-o", hall.dir / "k")
    two = [lab(hall, "stream", "--to", at, "-o", hall.dir / f"out{n}", "--reliable") for n in range(2)]
    until((hall.dir / "k").exists, "the first")
    killed.process.kill()
    for n, client in enumerate(two):
        ends(client, 0)
        same(source, hall.dir / f"out{n}")
    server.expect(event="left")
    # a player that ends early, with nothing kept, ends it
    early = lab(hall, "stream", "--to", at, "--player", "head -c 10 >/dev/null")
    equal(early.process.wait(PATIENCE), 1)
    server.end(signal.SIGINT)
    equal(server.process.returncode, 0)


@story
def stream_from_nobody(hall):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{s.getsockname()[1]}"
        error = last(run(hall, "stream", "--to", at, "-o", hall.dir / "x", status=3), "error")
        check("nobody answers" in error["text"], error)


# --- pair -------------------------------------------------------------------------------------------------

def a_pair(hall, how, *more):
    server, at = serve(hall, "pair", how, stdin=True)
    client = lab(hall, "pair", "--to", at, how, stdin=True, before=more)
    client.expect(event="begun")
    server.expect(event="begun")
    return server, client, at


def by_turns(hall, how, *more):
    server, client, at = a_pair(hall, how, *more)
    client.type("one\ntwo\n")
    server.expect(event="message", text="one")
    client.expect(event="waiting")
    server.type("yes?\n")
    client.expect(event="message", text="yes?")
    server.expect(event="message", text="two")
    return server, client, at


@story(short=True)
def pair_by_turns(hall):
    for how in ("--tcp", "--udp"):
        for who in (0, 1):
            both = by_turns(hall, how)[:2]
            both[who].process.send_signal(signal.SIGINT)
            check("other side" in both[1 - who].expect(event="goodbye")["text"], "whose goodbye")
            for side in both:
                ends(side, 0)


@story
def pair_over_a_link_that_loses(hall):
    server, client, at = by_turns(hall, "--udp", "--link", "delay=5ms loss=25%")
    long = "\U0001f600" * 1000
    server.type("now\n")
    client.expect(event="message", text="now")
    client.type(long + "x\n")
    check("1000" in client.expect(event="refused")["text"], "1001 characters")
    client.type(long + "\n")
    server.expect(event="message", text=long)
    client.end(signal.SIGINT)
    equal(client.process.returncode, 0)
    ends(server, 0)


@story
def pair_of_two_and_nobody_else(hall):
    server, client, at = a_pair(hall, "--udp")
    junk(at, udp=True)
    error = last(run(hall, "pair", "--to", at, "--udp", status=3), "error")
    check("somebody else" in error["text"], error)
    client.type("still here\n")
    server.expect(event="message", text="still here")
    # one that is killed says no goodbye; who writes to it hears so
    client.process.kill()
    server.type("and you?\n")
    equal(server.process.wait(PATIENCE), 3)
    server.drain()
    check(any("without a goodbye" in line for line in server.seen), server.seen)


@story
def pair_with_nc(hall):
    needs("nc")
    server, at = serve(hall, "pair", stdin=True)
    host, port = at.rsplit(":", 1)
    plain = hall.keep(Lines(["nc", host, port], stdin=True))
    plain.type("hello from nc\n")
    server.expect(event="message", text="hello from nc")
    server.type("hello nc\n")
    plain.until("^hello nc$")
    plain.type("\x04\n")
    check("other side" in server.expect(event="goodbye")["text"], "EOT")
    ends(server, 0)
    plain.until("^\x04$")
    # and one that just goes
    server, at = serve(hall, "pair", stdin=True)
    nc(at, b"gone\n", "-N")
    server.expect(event="message", text="gone")
    equal(server.process.wait(PATIENCE), 3)


# --- crowd ---------------------------------------------------------------------------------------------------

@story(short=True)
def crowd_talks(hall):
    needs("nc")
    server, at = serve(hall, "crowd")
    host, port = at.rsplit(":", 1)
    ann = lab(hall, "crowd", "--to", at, "--name", "ann", "--trace", stdin=True)
    ann.expect(event="line", text="* welcome, ann; here: nobody else")
    ben = hall.keep(Lines(["nc", host, port], stdin=True))
    ben.until("your name")
    ben.type("ann\n")
    ben.until("taken")
    ben.type("ben\n")
    ben.until("welcome, ben; here: ann")
    ann.expect(event="line", text="* ben came")
    carl = lab(hall, "crowd", "--to", at, "--name", "carl", stdin=True)
    carl.expect(event="line", text="* welcome, carl; here: ann ben")
    ben.type("hello, all\n")
    for side in (ann, carl, server):
        side.expect(event="line", text="ben: hello, all")
    ann.type("hello, ben\n")
    ben.until("^ann: hello, ben$")
    junk(at)
    carl.process.kill()
    ben.until("carl went")
    ben.type("\x1b[2Jboo\n")
    ben.until("no text")
    ben.type("/who\n")
    ben.until("here: you, ann$")
    ben.type("/bye\n")
    ben.until("goodbye")
    ann.expect(event="line", text="* ben went")
    ann.end(signal.SIGINT)
    equal(ann.process.returncode, 0)
    server.expect(event="line", text="* ann went")
    server.end(signal.SIGINT)
    equal(server.process.returncode, 0)


@story
def crowd_with_one_that_does_not_read(hall):
    server, at = serve(hall, "crowd")
    host, port = at.rsplit(":", 1)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect((host, int(port)))
    deaf.sendall(b"deaf\n")
    server.expect(event="line", text="* deaf came")
    with socket.create_connection((host, int(port))) as loud:
        loud.sendall(b"loud\n")
        server.expect(event="line", text="* loud came")
        loud.settimeout(20)
        for _ in range(40):
            loud.sendall((b"x" * 1900 + b"\n") * 100)
        server.expect(event="line", text="* deaf went", patience=60)  # its queue has an end
        loud.sendall(b"/who\n")
        heard = b""
        while b"nobody else" not in heard:
            heard += loud.recv(65536)
    deaf.close()


# --- all ------------------------------------------------------------------------------------------------------

@story
def what_json_says_is_documented(hall):
    inbox, file = hall.dir / "inbox", a_file(hall, 3000)
    inbox.mkdir()
    rows = []
    for words, name in ((("--dir", inbox), "transfer"), (("--dir", hall.dir), "files"), ((file,), "stream"), ((), "calc")):
        server, at = serve(hall, name, *words)
        more = {"transfer": (file,), "files": ("file", "nothing", "--dir", inbox, "--overwrite"), "stream": ("-o", inbox / "s"), "calc": ("1+1",)}
        rows += run(hall, name, "--to", at, "--trace", *more[name], status=1 if name == "files" else 0)
        server.end(signal.SIGINT)
        server.drain()
        rows += [parse(line) for line in server.seen]
    server, client, _ = by_turns(hall, "--udp")
    client.end(signal.SIGINT)
    rows += [parse(line) for line in client.drain() + server.drain()]
    known = documented()
    unknown = sorted({f"{r['event']}.{key}" for r in rows for key in [r["event"], *r] if key not in known})
    check(not unknown, "not in roost-json(5):", unknown)


@story
def a_time_line_is_drawn(hall):
    server, at = serve(hall, "calc", "--udp")
    done = run(hall, "calc", "--to", at, "--udp", "--trace", "7 % 3", json=False)
    equal(done.stdout, "1\n")
    lines = done.stderr.splitlines()
    check("│── #1 7 % 3 ─" in lines[0] and lines[0].endswith("▶│"), lines)
    check("│◀─ #1 1 ─" in lines[1] and len(lines) == 2, lines)
