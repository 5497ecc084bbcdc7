"""Bytes between two programs, without a server: roost lab send and receive."""
import csv
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import time

from harness import Follow, Lines, Skip, check, equal, parse, story, until
from transfers import WAITING, Lan, Strangers, a_file, ends, left_over, receive, same, send, slow


@story(short=True)
def a_file_arrives(hall):
    for size in (0, 1, 300000):
        file, out = a_file(hall, size), hall.dir / "out"
        receiver, port = receive(hall, out)
        sender = send(hall, port, file)
        ends(sender, 0)
        ends(receiver, 0)
        same(file, out)
        equal(out.stat().st_mode & 0o777, 0o666 & ~os.umask(os.umask(0o22)), "its rights")
    equal(left_over(hall), [])


@story
def every_congestion_control(hall):
    names = ("reno", "cubic")
    for cc in names:
        file, out = a_file(hall, 2000000), hall.dir / f"out-{cc}"
        receiver, port = receive(hall, out)
        trace, csv = hall.dir / "trace", hall.dir / "csv"
        sender = send(hall, port, file, "--cc", cc, "--trace", str(trace), "--csv", str(csv))
        ends(sender, 0)
        ends(receiver, 0)
        same(file, out)
        rows = trace.read_text().splitlines()
        check(len(rows) > 100 and len({r.count(",") for r in rows}) == 1, rows[:3])
        whats = {r.split(",")[1] for r in rows[1:]}
        check({"sent", "acked"} <= whats, whats)
        check(all(r.split(",")[3] == cc for r in rows[1:]), "the controller's name")
        figures = csv.read_text().splitlines()
        check(len(figures) >= 2 and len({r.count(",") for r in figures}) == 1, figures)
        equal(figures[-1].split(",")[1], "2000000", "bytes in the last row")


@story
def pipes_on_both_sides(hall):
    data = os.urandom(3000000)
    receiver = hall.keep(Lines(["sh", "-c", f"'{hall.roost}' lab receive --listen 127.0.0.1:0 --word maple -o - "
                                            f"| sha256sum"], hall.plain_env()))
    port = int(receiver.until(WAITING).group(1))
    sender = subprocess.run([str(hall.roost), "lab", "send", "--to", f"127.0.0.1:{port}", "-"], input=data,
                            env=hall.plain_env(ROOST_WORD="maple"), capture_output=True, timeout=60)
    equal(sender.returncode, 0, sender.stderr)
    receiver.until(hashlib.sha256(data).hexdigest())
    ends(receiver, 0)


@story
def what_json_says(hall):
    file, out = a_file(hall, 500000), hall.dir / "out"
    receiver = hall.keep(Follow([str(hall.roost), "--json", "lab", "receive", "--listen", "127.0.0.1:0", "--word",
                                 "maple", "-o", str(out)], hall.plain_env()))
    port = receiver.expect(event="listening")["address"].split(":")[-1]
    sender = hall.keep(Follow([str(hall.roost), "--json", "lab", "send", "--to", f"127.0.0.1:{port}", "--word",
                               "maple", str(file)], hall.plain_env()))
    sent, got = sender.expect(event="sent"), receiver.expect(event="received")
    equal((sent["bytes"], got["bytes"]), (500000, 500000))
    equal([sent["sha256"], got["sha256"]], [hashlib.sha256(file.read_bytes()).hexdigest()] * 2, "what both say it is")
    check(sent["sent_bytes"] > 500000 and sent["packets"] > 50 and sent["seconds"] > 0, sent)
    equal(set(sent), set(got), "both say the same kinds of things")
    ends(sender, 0)
    ends(receiver, 0)


@story
def another_word(hall):
    file, out = a_file(hall, 1000), hall.dir / "out"
    receiver, port = receive(hall, out)
    for _ in range(3):
        wrong = send(hall, port, file, word="apple")
        ends(wrong, 4)
        check(any("another word" in line for line in wrong.seen), wrong.seen)
        receiver.until("somebody tried another word")
    right = send(hall, port, file)
    ends(right, 0)
    ends(receiver, 0)
    same(file, out)


@story
def strangers_say_hello(hall):
    """A flood of HELLOs from 500 addresses, before and while somebody comes who knows the word: he is answered."""
    file, out = a_file(hall, 300000), hall.dir / "out"
    receiver, port = receive(hall, out)
    strangers = Strangers(port)
    try:
        until(lambda: strangers.sent > 1000 * 1200, "a flood")
        sender = send(hall, port, file)
        ends(sender, 0)
        ends(receiver, 0)
    finally:
        strangers.close()
    same(file, out)
    check(0 < strangers.back < 3 * strangers.sent, (strangers.back, strangers.sent))


@story
def nothing_of_it_is_readable(hall):
    """What passes on the wire holds neither the bytes nor the word."""
    import socket
    import threading
    file, out = hall.dir / "file", hall.dir / "out"
    file.write_bytes(b"a sentence that is easy to find. " * 3000)
    receiver, port = receive(hall, out)
    seen, over = [], threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tap:
        tap.bind(("127.0.0.1", 0))
        tap.settimeout(0.2)

        def pass_on():
            client = None
            while not over.is_set():
                try:
                    data, source = tap.recvfrom(65536)
                except TimeoutError:
                    continue
                seen.append(data)
                if source[1] != port:
                    client = source
                tap.sendto(data, ("127.0.0.1", port) if source[1] != port else client)

        thread = threading.Thread(target=pass_on)
        thread.start()
        try:
            sender = send(hall, tap.getsockname()[1], file)
            ends(sender, 0)
            ends(receiver, 0)
        finally:
            over.set()
            thread.join()
    same(file, out)
    all_of_it = b"".join(seen)
    check(len(all_of_it) > 99000, len(all_of_it))
    check(b"easy to find" not in all_of_it and b"maple" not in all_of_it, "in the clear")


@story
def nobody_listens(hall):
    """The sender may be started first: it says hello until somebody answers. And it may have nothing to say for a while."""
    from harness import free_port
    out, port = hall.dir / "out", free_port()
    parts = [os.urandom(1000), os.urandom(1000)]
    sender = hall.keep(Lines([str(hall.roost), "lab", "send", "--to", f"127.0.0.1:{port}", "--word", "maple", "-"],
                             hall.plain_env(), stdin=True))
    time.sleep(1)  # some hellos are refused
    receiver, _ = receive(hall, out, at=f"127.0.0.1:{port}")
    sender.process.stdin.write(parts[0])
    sender.process.stdin.flush()
    until(lambda: any((hall.dir / n).stat().st_size == 1000 for n in left_over(hall)), "the first part")
    time.sleep(2)
    sender.process.stdin.write(parts[1])
    sender.process.stdin.close()
    ends(sender, 0)
    ends(receiver, 0)
    equal(out.read_bytes() == b"".join(parts), True, "what arrived")


@story
def nobody_is_there_at_all(hall):
    """The other machine says so: that is told at once, and believed after a while, in words of its own."""
    from harness import free_port
    at = f"127.0.0.1:{free_port()}"
    sender = hall.keep(Lines([str(hall.roost), "lab", "send", "--to", at, "--word", "maple", "/dev/null"], hall.plain_env()))
    sender.until(f"nobody listens at {at} yet: trying")
    sender.until(f"nobody listens at {at}$")
    ends(sender, 3)


@story
def figures_of_a_transfer(hall):
    """Ten times a second; no round trip before one was measured."""
    file, out, table = a_file(hall, 300000), hall.dir / "out", hall.dir / "figures.csv"
    receiver, port = receive(hall, out)
    sender = hall.keep(Lines([str(hall.roost), "--link", "rate=4M delay=120ms", "lab", "send", "--to", f"127.0.0.1:{port}", "--word",
                              "maple", "--csv", str(table), str(file)], hall.plain_env()))
    ends(sender, 0)
    ends(receiver, 0)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    measured = [r for r in rows if r["rtt_ms"]]
    check(len(rows) > 4 and not rows[0]["rtt_ms"] and not rows[0]["smooth_rtt_ms"] and not rows[0]["min_rtt_ms"], rows[:2])
    check(measured and all(float(r["min_rtt_ms"]) >= 239 for r in measured), measured[:1])
    check(all(float(r["rate_bps"]) < 40e6 for r in rows), "ten times the link at least:", [r["rate_bps"] for r in rows])


@story
def a_reader_that_goes_away(hall):
    """Who the bytes are piped on to ends early: both sides say so."""
    receiver = hall.keep(Lines(["bash", "-c", f"'{hall.roost}' lab receive --listen 127.0.0.1:0 --word maple -o - "
                                              f"| head -c 1000 >/dev/null; exit ${{PIPESTATUS[0]}}"], hall.plain_env()))
    sender = send(hall, receiver.until(WAITING).group(1), a_file(hall, 3000000))
    ends(receiver, 1)
    ends(sender, 1)
    check(any("could not store it" in line for line in sender.seen), sender.seen)


@story
def a_killed_receiver(hall):
    sender, receiver, out = slow(hall, 100000)
    receiver.process.send_signal(signal.SIGKILL)
    ends(receiver, -signal.SIGKILL)
    sender.process.stdin.write(os.urandom(100000))
    sender.process.stdin.flush()
    ends(sender, 3)
    check(any("does not answer" in line for line in sender.seen), sender.seen)
    check(not out.exists(), "half a file has the name of a whole one")
    # what it left is found by the next, named, and used; meanwhile nobody else stores there
    equal(left_over(hall), [".out.part"])
    file = a_file(hall, 5000)
    receiver, port = receive(hall, out)
    check(any("an earlier run left" in line for line in receiver.seen), receiver.seen)
    done = subprocess.run([str(hall.roost), "lab", "receive", "--listen", "127.0.0.1:0", "--word", "maple", "-o", str(out)],
                          env=hall.plain_env(), capture_output=True, text=True, timeout=20)
    equal(done.returncode, 1, done.stderr)
    check("somebody else is storing" in done.stderr, done.stderr)
    ends(send(hall, port, file), 0)
    ends(receiver, 0)
    same(file, out)
    equal(left_over(hall), [])


@story
def a_part_that_is_not_ours(hall):
    """A name that leads elsewhere is not followed, and what is there stays as it is."""
    victim, out = a_file(hall, 100, "victim"), hall.dir / "out"
    before = victim.read_bytes()
    for plant in (lambda p: p.symlink_to(victim), lambda p: os.link(victim, p), lambda p: os.mkfifo(p)):
        part = hall.dir / ".out.part"
        plant(part)
        done = subprocess.run([str(hall.roost), "lab", "receive", "--listen", "127.0.0.1:0", "--word", "maple", "-o", str(out)],
                              env=hall.plain_env(), capture_output=True, text=True, timeout=20)
        equal(done.returncode, 1, done.stderr)
        equal(left_over(hall), [".out.part"], "it is not ours to remove")
        part.unlink()
    equal(victim.read_bytes(), before)


@story
def what_cannot_be_written_down(hall):
    """A place that takes no keys is an error at once; one that takes no trace is one in the end."""
    file, out = a_file(hall, 100000), hall.dir / "out"
    for options in (["--key-log", "/dev/full"], ["--pcap", "/dev/full"]):
        for words in (["lab", "send", "--to", "127.0.0.1:1", "--word", "maple", str(file)],
                      ["-s", hall.address, "ping"]):
            done = subprocess.run([str(hall.roost), *options, *words], env=hall.plain_env(), capture_output=True, text=True,
                                  timeout=40)
            check(done.returncode and "/dev/full: No space left" in done.stderr, options, words, done)
    receiver, port = receive(hall, out)
    sender = send(hall, port, file, "--trace", "/dev/full")
    ends(sender, 1)
    check(any("the trace could not be written" in line for line in sender.seen), sender.seen)
    ends(receiver, 0)
    same(file, out)


@story(long=True)
def a_killed_sender(hall):
    sender, receiver, out = slow(hall, 100000)
    sender.process.send_signal(signal.SIGKILL)
    ends(sender, -signal.SIGKILL)
    ends(receiver, 3)  # after 20 s of silence
    check(any("does not answer" in line for line in receiver.seen), receiver.seen)
    check(not out.exists() and not left_over(hall), "something is left")


@story
def a_stop_on_either_side(hall):
    for stopped in ("sender", "receiver"):
        sender, receiver, out = slow(hall, 50000)
        (sender if stopped == "sender" else receiver).process.send_signal(signal.SIGTERM)
        ends(sender, 1)
        ends(receiver, 1)
        other, own = (receiver, sender) if stopped == "sender" else (sender, receiver)
        check(any("the other side stopped it" in line for line in other.seen), other.seen)
        check(not any("the other side stopped" in line for line in own.seen), own.seen)
        check(not out.exists() and not left_over(hall), "something is left")


@story
def a_full_disk(hall):
    small = hall.dir / "small"
    small.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(small)], capture_output=True, text=True)
    if done.returncode:
        raise Skip("nothing can be mounted: " + done.stderr.strip() + " (a_folder_that_takes_nothing is like it)")
    try:
        receiver, port = receive(hall, small / "out")
        sender = send(hall, port, a_file(hall, 3000000))
        ends(receiver, 1)
        ends(sender, 1)
        check(any("No space left" in line for line in receiver.seen), receiver.seen)
        check(any("the receiver could not store it" in line for line in sender.seen), sender.seen)
        equal(list(small.iterdir()), [], "what is left there")
    finally:
        subprocess.run(["umount", str(small)], check=True)


@story
def a_folder_that_takes_nothing(hall):
    for out in (hall.dir / "no" / "such" / "folder", hall.dir):
        done = subprocess.run([str(hall.roost), "--json", "lab", "receive", "--listen", "127.0.0.1:0", "--word", "maple",
                               "-o", str(out)], env=hall.plain_env(), capture_output=True, text=True, timeout=20)
        equal(done.returncode, 1, done.stdout + done.stderr)
        check(parse(done.stdout.splitlines()[-1])["event"] == "error", done.stdout)


@story
def what_cannot_be_asked(hall):
    for words, status in ((["send", "--to", "127.0.0.1:1", "--word", "x", "/no/such/file"], 1),
                          (["send", "--to", "127.0.0.1:1", "--word", "x", str(hall.dir)], 1),
                          (["send", "--to", "127.0.0.1", "--word", "x", "/dev/null"], 2),
                          (["send", "--word", "x", "/dev/null"], 2),
                          (["send", "--to", "127.0.0.1:1", "--word", "", "/dev/null"], 2),
                          (["send", "--to", "127.0.0.1:1", "--word", "x", "--cc", "vegas", "/dev/null"], 2),
                          (["receive", "--listen", "127.0.0.1:0", "--word", "x"], 2),
                          (["send", "--to", ":5002", "--word", "x", "/dev/null"], 2),
                          (["send", "--to", "127.0.0.1:0", "--word", "x", "/dev/null"], 2),
                          (["send", "--to", "127.0.0.1:99999", "--word", "x", "/dev/null"], 2),
                          (["send", "--to", "224.0.0.1:5002", "--word", "x", "/dev/null"], 2),
                          (["receive", "--listen", "localhost:0", "--word", "x", "-o", "/dev/null"], 2),
                          (["receive", "--listen", "127.0.0.1:0", "--word", "x", "-o", ""], 2),
                          (["receive", "-o", "/dev/null", "--word", "x"], 2),
                          (["receive", "--listen", "192.0.2.1:1", "--word", "x", "-o", str(hall.dir / "o")], 3)):
        done = subprocess.run([str(hall.roost), "lab", *words], env=hall.plain_env(), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=40)
        equal(done.returncode, status, f"{words}: {done.stderr}")
        check(done.stderr, words)


@story
def over_a_bad_link(hall):
    """Losses, late, doubled and damaged ones: it all arrives, and is whole."""
    file, out = a_file(hall, 1500000), hall.dir / "out"
    receiver, port = receive(hall, out)
    link = hall.keep(Lines([str(hall.roost), "--json", "lab", "link", "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{port}",
                            "--only", "udp", "--link", "rate=20M delay=5ms loss=3% reorder=2% late=8ms dup=2% corrupt=1%"],
                           hall.plain_env(), stdin=True))
    entrance = int(link.until(r'"listen": *"[^"]*?:(\d+)"').group(1))
    sender = send(hall, entrance, file)
    ends(sender, 0)
    ends(receiver, 0)
    same(file, out)
    link.end()


@story
def damage_from_the_start(hall):
    """A third of all datagrams is damaged, those of the exchange of keys too: it is no other word, and nobody is left waiting."""
    file, out = a_file(hall, 20000), hall.dir / "out"
    for _ in range(8):
        receiver, port = receive(hall, out)
        link = hall.keep(Lines([str(hall.roost), "--json", "lab", "link", "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{port}",
                                "--only", "udp", "--link", "rate=50M delay=5ms corrupt=33%"], hall.plain_env(), stdin=True))
        sender = send(hall, int(link.until(r'"listen": *"[^"]*?:(\d+)"').group(1)), file)
        ends(sender, 0)
        ends(receiver, 0)
        same(file, out)
        link.end()
        out.unlink()


@story
def the_last_word_is_lost(hall):
    """The cable is out for longer than anybody would wait by chance: the sender learns that it is there, all the same."""
    file, out = a_file(hall, 20000), hall.dir / "out"
    for _ in range(5):
        receiver, port = receive(hall, out)
        link = hall.keep(Lines([str(hall.roost), "--json", "lab", "link", "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{port}",
                                "--only", "udp", "--link", "rate=10M delay=500ms"], hall.plain_env(), stdin=True))
        sender = send(hall, int(link.until(r'"listen": *"[^"]*?:(\d+)"').group(1)), file)
        until(out.exists, "all is stored")
        link.type("cut\n")
        receiver.until("received")  # said at once
        time.sleep(4)
        waited = receiver.process.poll() is None and sender.process.poll() is None
        link.type("mend\n")
        ends(sender, 0)
        ends(receiver, 0)
        same(file, out)
        link.end()
        if waited:
            return
        out.unlink()  # it was cut too late: the word was there already
    check(False, "nobody ever waits")


@story
def one_receiver_takes_one_file(hall):
    """Who comes later is not answered, as if it were not there any more; the first is not disturbed."""
    sender, receiver, out = slow(hall, 100000)
    port = next(re.search(WAITING, line) for line in receiver.seen if "waiting at" in line).group(1)
    late, trace = send(hall, port, "/dev/null", "--trace", str(hall.dir / "trace")), hall.dir / "trace"
    until(trace.exists, "who comes late")
    time.sleep(1)
    check(late.process.poll() is None and len(trace.read_text().splitlines()) <= 1, "it thinks that it is answered", late.seen)
    late.end()
    sender.process.stdin.close()
    ends(sender, 0)
    ends(receiver, 0)
    equal(out.stat().st_size, 100000)


@story
def a_file_that_changes(hall):
    """What is added while it is sent is not sent; what is cut off is told as such."""
    for change in ("grows", "shrinks"):
        file, out = a_file(hall, 3000000), hall.dir / f"out-{change}"
        was = file.read_bytes()
        receiver, port = receive(hall, out)
        link = hall.keep(Lines([str(hall.roost), "--json", "lab", "link", "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{port}",
                                "--only", "udp", "--link", "rate=10M delay=5ms"], hall.plain_env(), stdin=True))
        sender = send(hall, int(link.until(r'"listen": *"[^"]*?:(\d+)"').group(1)), file)
        until(lambda: any((hall.dir / n).stat().st_size > 0 for n in left_over(hall)), "the first of it")
        if change == "grows":
            with file.open("ab") as more:
                more.write(b"more")
        else:
            os.truncate(file, 2900000)
        ends(sender, 0 if change == "grows" else 1)
        ends(receiver, 0 if change == "grows" else 1)
        if change == "grows":
            check(out.read_bytes() == was, "it is what it was at first")
        else:
            check(any("became shorter" in line for line in sender.seen) and not out.exists(), sender.seen)
            check(any("could not read it to its end" in line for line in receiver.seen), receiver.seen)
        link.end()
    receiver, port = receive(hall, hall.dir / "status")
    sender = send(hall, port, "/proc/version")  # a size of 0, and yet it can be read
    ends(sender, 0)
    ends(receiver, 0)
    equal((hall.dir / "status").read_bytes(), pathlib.Path("/proc/version").read_bytes())


@story
def either_side_bends_its_own_way(hall):
    """--link: what it sends and hears passes a modelled link."""
    file = a_file(hall, 300000)
    for bent in ("sender", "receiver"):
        out = hall.dir / f"out-{bent}"
        link = ["--json", "--link", "rate=20M delay=50ms loss=1%"]
        p = hall.keep(Follow([str(hall.roost), *(link if bent == "receiver" else ["--json"]), "lab", "receive", "--listen",
                              "127.0.0.1:0", "--word", "maple", "-o", str(out)], hall.plain_env()))
        port = p.event(event="listening")["address"].rsplit(":", 1)[1]
        done = subprocess.run([str(hall.roost), *(link if bent == "sender" else ["--json"]), "lab", "send", "--to",
                               f"127.0.0.1:{port}", "--word", "maple", str(file)], env=hall.plain_env(), capture_output=True,
                              text=True, timeout=60)
        equal(done.returncode, 0, done.stdout + done.stderr)
        row = parse(done.stdout.splitlines()[-1])
        check(row["min_rtt_ms"] >= 50 and row["seconds"] >= 0.3, row)
        ends(p, 0)
        same(file, out)
    done = subprocess.run([str(hall.roost), "--link", "bananas", "lab", "send", "--to", "127.0.0.1:1", "--word", "x", str(file)],
                          env=hall.plain_env(), capture_output=True, text=True, timeout=20)
    equal(done.returncode, 2, done.stderr)


@story
def over_ipv6(hall):
    import socket
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind(("::1", 0))
    except OSError:
        raise Skip("this machine has no IPv6 (udp.runs_arrive_over_v4 is like it)")
    file, out = a_file(hall, 200000), hall.dir / "out"
    receiver, port = receive(hall, out, at=":0")  # both families
    for host in ("[::1]", "127.0.0.1"):
        if host != "[::1]":
            receiver, port = receive(hall, out, at=":0")
        ends(send(hall, port, file, host=host), 0)
        ends(receiver, 0)
        same(file, out)


@story
def the_word_is_in_no_list_of_processes(hall):
    receiver, _ = receive(hall, hall.dir / "out", word="a-word-to-hide")
    with open(f"/proc/{receiver.process.pid}/cmdline", "rb") as f:
        words = f.read()
    check(b"a-word-to-hide" not in words and b"--word" in words, words)


@story
def an_interface_that_is_too_narrow(hall):
    """Where not even datagrams of 1,200 bytes may leave, that is what is said, and at once."""
    lan = Lan(hall)
    try:
        for name in lan.names:
            lan.ip("-n", name, "link", "set", "cable", "mtu", "1200")
        sender = hall.keep(Lines(lan.inside(0, str(hall.roost), "lab", "send", "--to", "10.99.1.1:5002", "--word", "maple",
                                            str(a_file(hall, 1000))), hall.plain_env()))
        ends(sender, 3)
        check(any("carries no datagrams of 1,200 bytes" in line for line in sender.seen), sender.seen)
    finally:
        lan.close()


@story
def another_address_while_it_goes(hall):
    """The sender's machine gets another address: the transfer goes on from there."""
    lan = Lan(hall)
    try:
        out = hall.dir / "out"
        roost = [str(hall.roost), "lab"]
        receiver = hall.keep(Lines(lan.inside(1, *roost, "receive", "--listen", ":0", "--word", "maple", "-o", str(out)),
                                   hall.plain_env()))
        port = receiver.until(WAITING).group(1)
        sender = hall.keep(Lines(lan.inside(0, *roost, "send", "--to", f"10.99.1.1:{port}", "--word", "maple", "-"),
                                 hall.plain_env(), stdin=True))
        parts = [os.urandom(200000), os.urandom(200000)]
        sender.process.stdin.write(parts[0])
        sender.process.stdin.flush()
        until(lambda: any((hall.dir / n).stat().st_size == 200000 for n in left_over(hall)), "the first half")
        lan.ip("-n", lan.names[0], "address", "add", "10.99.1.3/24", "dev", "cable")
        lan.ip("-n", lan.names[0], "address", "del", "10.99.1.2/24", "dev", "cable")
        # deleting the first address takes the others of its net along
        subprocess.run(["ip", "-n", lan.names[0], "address", "add", "10.99.1.3/24", "dev", "cable"], capture_output=True)
        sender.process.stdin.write(parts[1])
        sender.process.stdin.close()
        ends(sender, 0)
        ends(receiver, 0)
        check(out.read_bytes() == b"".join(parts), "what arrived")
    finally:
        lan.close()
