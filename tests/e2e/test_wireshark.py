"""What is written down to study, and what Wireshark makes of it (share/wireshark/roost.lua)."""
import os
import pathlib
import shutil
import socket
import subprocess

from harness import Lines, Skip, check, equal, story, until
from transfers import a_file, ends, receive, same

LAST_WORDS = b"this is no TLS, but can be found"
LUA = pathlib.Path(__file__).resolve().parents[2] / "share/wireshark/roost.lua"


def tshark(hall, capture, keys=None, fields=(), show=None, more=()):
    """The rows of these fields, one a packet."""
    if not shutil.which("tshark"):
        raise Skip("tshark is missing (apt-get install tshark)")
    argv = ["tshark", "-r", str(capture), "-X", f"lua_script:{LUA}", "-T", "fields", "-E", "separator=;", "-E", "aggregator=,"]
    argv += [a for f in fields for a in ("-e", f)] + (["-Y", show] if show else []) + list(more)
    if keys:
        argv += ["-o", f"roost.key_log:{keys}", "-o", f"tls.keylog_file:{keys}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": str(hall.dir)})
    equal(done.returncode, 0, done.stderr)
    check("Lua Error" not in done.stdout + done.stderr, done.stdout[:2000] + done.stderr)
    return [line.split(";") for line in done.stdout.splitlines()]


def studied(hall, size, *more):
    """A transfer, its capture and its keys, on the side of the sender."""
    file, out, capture, keys = a_file(hall, size), hall.dir / "out", hall.dir / "s.pcap", hall.dir / "keys"
    receiver, port = receive(hall, out)
    sender = hall.keep(Lines([str(hall.roost), "--pcap", str(capture), "--key-log", str(keys), "lab", "send", "--to",
                              f"127.0.0.1:{port}", "--word", "maple", *more, str(file)], hall.plain_env()))
    ends(sender, 0)
    ends(receiver, 0)
    same(file, out)
    return file, capture, keys


@story
def every_frame_is_understood(hall):
    file, capture, keys = studied(hall, 150000)
    equal(keys.stat().st_mode & 0o777, 0o600, "who may read the keys")
    rows = tshark(hall, capture, keys, ["_ws.col.Protocol", "_ws.expert.message", "ip.checksum.status", "udp.checksum.status",
                                        "_ws.col.Info"], more=["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"])
    check(len(rows) > 20, rows)
    for row in rows:
        equal(row[:4], ["ROOST", "", "1", "1"], row)
    check(rows[0][4] == "HELLO" and [r for r in rows if r[4] != "HELLO"][0][4] == "ANSWER", rows[:9])  # one says hello until it is answered
    check(any("ACK" in r[4] for r in rows) and any("CLOSE 0" in r[4] for r in rows), rows)
    # and put together again it is what was sent
    whole, stream = bytearray(file.stat().st_size), 0
    for length, offset, ids, data in tshark(hall, capture, keys, ["roost.stream.length", "roost.stream.offset", "roost.stream",
                                                                   "roost.stream.data"], show="roost.stream.data && udp.dstport"):
        parts = data.split(",")
        kinds = [(int(a), int(b), int(c)) for a, b, c in zip(length.split(","), offset.split(","), ids.split(","))]
        for (n, at, stream), hexed in zip([k for k in kinds if k[0]], parts):
            if stream == 2:
                whole[at:at + n] = bytes.fromhex(hexed.replace(":", ""))
    equal(bytes(whole) == file.read_bytes(), True, "the bytes of the stream")


@story
def without_keys_nothing_is_open(hall):
    _, capture, _ = studied(hall, 20000)
    rows = tshark(hall, capture, None, ["roost.session", "roost.frame", "roost.number"])
    check(len(rows) > 5 and not any(r[1] for r in rows), rows)
    check(len({r[0] for r in rows if r[0]}) == 1, rows)
    numbers = [int(r[2]) for r in rows if r[2]]
    check(sorted(set(numbers))[:3] == [0, 1, 2], numbers)


@story
def nothing_is_written_unasked(hall):
    out = hall.dir / "out"
    receiver, port = receive(hall, out)
    done = subprocess.run([str(hall.roost), "--key-log", str(hall.dir / "no" / "keys"), "lab", "send", "--to",
                           f"127.0.0.1:{port}", "--word", "maple", "/dev/null"], env=hall.plain_env(), capture_output=True,
                          text=True, timeout=20)
    equal(done.returncode, 1, done.stderr)
    keys = hall.dir / "keys"
    done = subprocess.run([str(hall.roost), "lab", "send", "--to", f"127.0.0.1:{port}", "--word", "maple", "/dev/null"],
                          env=hall.plain_env(ROOST_KEY_LOG=str(keys)), capture_output=True, text=True, timeout=20)
    equal(done.returncode, 0, done.stderr)
    check(str(keys) in done.stderr, "who logs keys is told so:", done.stderr)
    equal(len([k for k in keys.read_text().splitlines() if not k.startswith("#")]), 1, "one session")


@story
def control_within_tls(hall):
    """A word said, as Wireshark shows it: captured from the loopback interface."""
    if os.geteuid() != 0 or not shutil.which("dumpcap"):
        raise Skip("capturing wants root and dumpcap (apt-get install tshark)")
    ann = hall.user("ann")
    capture, keys = hall.dir / "c.pcap", hall.dir / "keys"
    dump = hall.keep(Lines(["dumpcap", "-i", "lo", "-f", f"tcp port {hall.port}", "-w", str(capture), "-P"], hall.plain_env()))
    dump.until("File: ")
    ann.run("say", "--everyone", "a word to find", env={"ROOST_KEY_LOG": str(keys)}, json=False)
    with socket.create_connection(("127.0.0.1", hall.port)) as s:
        s.sendall(LAST_WORDS)  # when this is in the file, all that came before is
    until(lambda: capture.exists() and LAST_WORDS in capture.read_bytes(), "the capture")
    dump.end()
    said = ",".join(r[0] for r in tshark(hall, capture, keys, ["roost_control.message"], show="roost_control"))
    for wanted in ("ToServer.hello", "ToServer.resume", "ToServer.say", "ToClient.reply"):
        check(wanted in said, wanted, "is missing in", said)
    texts = tshark(hall, capture, keys, ["protobuf.field.value"], show="roost_control")
    check(any(b"a word to find".hex() in r[0].replace(":", "") for r in texts), texts)


@story
def where_datagrams_of_a_session_come_from(hall):
    """Its socket sits on all addresses; what is written down has the one that the system used."""
    ann, capture = hall.user("ann"), hall.dir / "d.pcap"
    *_, path = ann.rows("ping", "--datagrams", "--count", "3", "--interval", "10", "--pcap", str(capture))
    equal(path["way"], "udp", path)
    rows = tshark(hall, capture, fields=("ip.src", "ip.dst", "udp.srcport", "udp.dstport"), show="udp")
    ours, theirs = rows[0][2:]  # who asks first
    out = [r for r in rows if r[2:] == [ours, theirs]]
    check(3 <= len(out) < len(rows), rows)
    check(all(r in (["127.0.0.1", "127.0.0.1", ours, theirs], ["127.0.0.1", "127.0.0.1", theirs, ours]) for r in rows), rows)
