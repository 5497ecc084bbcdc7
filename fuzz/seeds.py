#!/usr/bin/python3
"""seeds.py - writes the first corpus of the fuzzers, from the schema: every
message once, and once with every field set. `fuzz/seeds.py` from the project's
root; what the fuzzers find later is added by hand (tests/long fuzz)."""
import hashlib
import importlib
import pathlib
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus"

WORDS = {"name": "carl", "password": "correct horse", "user": "ben", "text": "hello **you** \u00fc", "emoji": "\U0001f44d",
         "expression": "7 % 3", "words": "hello", "topic": "all things", "invite": "x" * 20, "reset": "y" * 20,
         "new_password": "battery staple", "old_password": "correct horse", "kind": "say", "program": "fuzz"}


def schema():
    with tempfile.TemporaryDirectory() as d:
        subprocess.check_call(["protoc", f"-I{HERE.parent}", f"--python_out={d}", str(HERE.parent / "proto/roost.proto")])
        sys.path.insert(0, d)
        return importlib.import_module("proto.roost_pb2")


def fill(m, depth=0):
    """Every field gets something that could be meant."""
    for f in m.DESCRIPTOR.fields:
        many = f.label == f.LABEL_REPEATED
        if f.type == f.TYPE_MESSAGE:
            if f.name == "target":
                m.target.name = "#lobby"
            elif depth < 2:
                fill(getattr(m, f.name).add() if many else getattr(m, f.name), depth + 1)
                if not many:
                    getattr(m, f.name).SetInParent()
            continue
        value = {f.TYPE_STRING: WORDS.get(f.name, "lobby"), f.TYPE_BYTES: b"\1" * 32, f.TYPE_BOOL: True,
                 f.TYPE_ENUM: 1}.get(f.type, {"room": 2, "seq": 3, "session": 2}.get(f.name, 1))
        if many:
            getattr(m, f.name).append(value)
        else:
            setattr(m, f.name, value)


def keep(target, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()[:12]).write_bytes(data)


def to_hub(conn, body):
    return bytes([conn]) + struct.pack(">H", len(body)) + body


def requests(pb):
    """(name, body) of each request, bare and filled."""
    for f in pb.ToServer.DESCRIPTOR.fields:
        if f.name == "id":
            continue
        for full in (False, True):
            m = pb.ToServer(id=bytes(range(16)))
            body = getattr(m, f.name)
            body.SetInParent()
            if full:
                fill(body)
            yield f.name, m.SerializeToString()


def meetings():
    """Steps of fuzz_meet.c: each action by host, co-host, participant and guest, and whole stories."""
    def act(conn, action, whom=0, text=0):
        return bytes([8 << 3 | conn, action, whom, text])

    def step(what, conn, arg):
        return bytes([what << 3 | conn, arg])

    join, guest, new, look, say, note, read, time, again, fail, crash, other = 16, 18, 19, 20, 21, 22, 23, 24, 26, 28, 29, 30
    actions = [*range(1, 6), *range(10, 19), *range(20, 26), *range(30, 38), *range(40, 54), *range(60, 69), *range(80, 94), 100, 0, 200]
    for conn in (0, 1, 3):
        for whom in (0, 8 | 1, 8 | 2, 8 | 3, 8 | 4, 8 | conn, 16 | 1, 64 | 16 | 6):
            keep("meet", b"".join(act(conn, a, whom, 1) for a in actions if a not in (42, 50, 67, 93)))
    twice = lambda a, **more: act(0, a, **more) * 2
    keep("meet", b"".join(twice(a, whom=8 | 1) + twice(a) for a in actions if a not in (50, 67, 93)) + act(0, 67))
    MAKE_COHOST, MAKE_HOST, TAKE_BACK, LEAVE, BAN, UNBAN, REMOVE, DENY, ADMIT_ALL, END, LOCK, OPEN = 44, 50, 51, 93, 42, 43, 41, 3, 2, 67, 60, 62
    for last in (LEAVE, END, MAKE_HOST, BAN):
        keep("meet", act(0, MAKE_COHOST, 8 | 1) + act(0, ADMIT_ALL) + step(join, 2, 0) + step(join, 4, 0) + act(1, 10, 8 | 3) +
             act(0, last, 8 | 1) + act(1, TAKE_BACK) + step(join, 0, 4) + act(0, TAKE_BACK) + step(say, 1, 1) + step(crash, 0, 0) +
             b"".join(step(join, i, 4) for i in range(5)) + step(say, 3, 0) + act(1, END) + step(time, 0, 30) + act(1, END))
    keep("meet", act(0, BAN, 8 | 4) + step(guest, 5, 0) + act(0, UNBAN, 8 | 4) + step(guest, 5, 10) + step(join, 5, 0) + act(0, DENY, 8 | 2) +
         step(join, 2, 0) + step(time, 0, 26) + step(join, 2, 1) + act(0, REMOVE, 8 | 3) + step(join, 3, 1) + act(0, LOCK) + step(join, 6, 0) +
         act(0, OPEN) + step(other, 5, 0) + step(guest, 5, 1) + step(look, 0, 4) + step(look, 0, 12) + step(look, 7, 2) + step(look, 3, 1))
    keep("meet", step(again, 0, 0) + step(time, 0, 26) + step(look, 1, 0) + step(again, 1, 0) + step(time, 0, 27) + step(join, 0, 4) + step(time, 0, 37) * 2 +
         step(look, 7, 2) + step(join, 1, 4))
    keep("meet", step(new, 6, 16 | 32) + step(join, 6, 4) + step(join, 1, 0) + step(new, 0, 63) + step(other, 5, 0) + step(guest, 5, 4) + step(new, 5, 1) + step(join, 5, 4))
    keep("meet", b"".join(step(note, i, k) for i in (0, 1, 3, 4) for k in (0, 1, 3, 8, 14, 16)) + b"".join(step(read, i, k) for i in range(5) for k in (0, 1, 8, 9)))
    keep("meet", b"".join(step(look, i, k) for i in (0, 1, 2, 3, 5, 6, 7) for k in range(16)) + step(fail, 0, 1) + act(0, LOCK) + step(say, 0, 0) + step(new, 0, 0) + step(fail, 0, 0))
    keep("meet", b"".join(step(other, 5, 0) + step(guest, 5, k) for k in range(40)) + b"".join(step(join, 2, 2) for _ in range(12)))


def classics():
    """Exchanges of the exercises (src/lab/classics), as they should be and nearly so."""
    def message(kind, session, body=b"", raw=False):
        whole = struct.pack(">BI", kind, session) + body
        return struct.pack(">H", len(whole) | (0x8000 if raw else 0)) + whole

    def u(n, size):
        return n.to_bytes(size, "big")

    offer = message(1, 5, u(2500, 8) + u(1000, 2) + b"notes.txt")
    chunks = [message(4, 5, u(n, 8) + bytes([n]) * (1000 if n < 2 else 500)) for n in range(3)]
    end = message(6, 5, u(3, 8) + b"\0" * 32)
    keep("lab_transfer", b"\0" + offer + offer + chunks[2] + chunks[0] * 2 + chunks[1] + end * 2 + message(3, 5, b"\6"))
    keep("lab_transfer", b"\0" + offer + chunks[0] + chunks[1] + chunks[2] + message(6, 5, u(3, 8) + b"\1" * 32) * 2)
    keep("lab_transfer", b"\0" + message(1, 5, u(1, 8) + u(1, 2) + b"../x") + message(1, 6, u(0, 8) + u(1400, 2) + b"b") + message(6, 6, u(0, 8) + b"\0" * 32))
    keep("lab_transfer", b"\0" + offer + message(4, 5, u(1 << 60, 8) + b"x" * 1000) + chunks[0][:500] + message(9, 5))
    for first in (1, 3, 0x23):
        keep("lab_transfer", bytes([first]) + message(2, 7) + b"".join(message(5, 7, u(n, 8)) for n in (1, 0, 0, 50, *range(2, 11))) + message(7, 7))
    keep("lab_transfer", b"\3" + message(2, 7) + message(5, 8, u(0, 8)) + message(3, 7, b"\2") + message(5, 7, b"xx", raw=True))
    head = message(2, 7, u(5000, 8) + b"film.ts")
    pieces = [message(3, 7, u(n, 4) + u(n * 1000, 8) + bytes(1000)) for n in range(5)]
    over = message(4, 7, u(5, 4) + b"\0" * 32)
    for first in (0, 2):
        keep("lab_stream", bytes([first]) + head + pieces[0] + pieces[2] * 2 + pieces[4] + over * 6 + pieces[1] + pieces[3] + over)
    keep("lab_stream", b"\0" + pieces[0] + head + message(3, 7, u(2 ** 32 - 2, 4) + u(4000, 8) + b"x") + message(3, 7, u(9000, 4) + u(5000, 8) + b"x") + over * 20)
    ask, missing = message(1, 9, b"\1"), message(5, 9, u(0, 8) + u(3000, 8) + u(5000, 8) + u(1 << 39, 8))
    keep("lab_stream", b"\1" + ask * 2 + message(6, 9) * 30 + missing * 3 + message(6, 9) * 3 + message(7, 9))
    keep("lab_stream", b"\1" + message(1, 9, b"\0") + missing + message(5, 9, u(5, 8) + u(4, 8)))
    text = "h\u00e9llo \U0001f600".encode()
    for first in (1, 3):
        keep("lab_pair", bytes([first]) + message(1, 7) + message(2, 7) + message(3, 7, u(1, 4) + text) * 2 + message(4, 7, u(1, 4)) +
             message(1, 8) + message(6, 7) + message(3, 7, u(2, 4) + b"x" * 1000) + message(3, 7, u(9, 4) + b"x") + message(5, 7) * 3)
    for first in (4, 6):
        keep("lab_pair", bytes([first]) + b"".join(struct.pack(">H", len(t) | 0x8000) + t for t in (b"hello", b"a" * 45, b"", text, b"\4", b"more")))
    lines = b"ann\nLIST\nLIST a/b\r\nGET notes.txt\nGET ../x\nGET /etc/passwd\nOK 12\nNO way\n7 % 3\n#12 -7 / 2\n1/0\n/who\nhello\n/bye\n\x1b[2J\n"
    for first in (0, 1, 3, 30):
        keep("lab_lines", bytes([first]) + lines * 2 + b"last")
    keep("lab_lines", b"\x03" + b"9" * 1000 + b"*" + b"9" * 1000 + b"\n" + b"x" * 9000 + b"\n")
    keep("lab_lines", b"\2" + b"".join(struct.pack(">H", len(t)) + t for t in lines.split(b"\n") if t) + b"\0\0")
    keep("lab_lines", b"\x14" + struct.pack(">H", 16385) + b"x" * 100)


def parcels():
    """Lists, maps and streams of transfers."""
    def item(kind, path, size=None, shared=0, mtime=b"\x05"):
        return bytes([kind]) + b"\x41\xa4" + mtime + (bytes([size]) if size is not None else b"") + bytes([shared, len(path) - shared]) + path[shared:]

    entries = item(2, b"a") + item(1, b"a/b.txt", 5, 1) + item(3, b"a/link", None, 2) + item(2, b"a/CON", None, 2) + item(1, b"a/CON/e\xcc\x81", 9, 5)
    for piece in (0, 3, 255):
        keep("list", bytes([piece]) + b"RLS1" + entries + bytes([0, 5, 14]))
        keep("list", bytes([piece]) + b"RLS1" + b"".join(item(1, b"file %d" % i, i % 60) for i in range(70)) + bytes([0, 0x40, 70, 0x47, 0x6b]))
    keep("list", b"\1RLS1" + item(1, b"../x", 1) + bytes([0, 1, 1]))
    keep("list", b"\1RLS1" + bytes([0, 0, 0]))
    runs = bytes([0, 4, 3, 1, 0x40, 0x80, 0x80, 1, 0, 0])
    keep("held", b"\0" + runs)
    keep("held", b"\0" + bytes([1, 1] * 200))
    head = b"RHM1" + struct.pack(">QQq", 7, 1 << 30, 5)
    for has_root in (0, 1, 2):
        keep("held", b"\3" + head + bytes([has_root]) + b"\2" * 64 + struct.pack(">I", len(runs)) + runs + b"\0" * 32)
    keep("held", b"\3" + head[:12] + b"\xff" * 8 + head[20:] + b"\0" + b"\2" * 64 + struct.pack(">I", 0) + b"\0" * 32)
    hashes = b"\x11" * 32
    says = [(1, b"\1\1" + b"\x22" * 16), (2, b"\x09" + b"\0" * 7 + b"\1\x05\x09" + hashes), (2, b"\4" + b"\0" * 8), (2, b"\3" + b"\0" * 8 + b"\5" + hashes),
            (3, b"xy"), (4, b"\0" + hashes), (5, b"\0" + hashes * 2), (6, b"\3abc"), (7, b"\3" + hashes + b"abc"), (8, b"\7" + hashes), (16, runs), (16, b""),
            (17, b"\3"), (18, b"\2\1"), (19, b"\0\1"), (20, hashes), (24, b""), (25, b""), (26, b"\x40\x61")]
    keep("talk", b"\0" + b"".join(bytes([k]) + struct.pack(">I", len(b))[1:] + b for k, b in says))
    for k, b in says:
        keep("talk", b"\0" + bytes([k]) + struct.pack(">I", len(b))[1:] + b)
    for kind in range(16):
        # steps: what, number, more ...; then what the disk answers, and whether the stream is lost
        blocks = b"".join(bytes([7 + 28 + 28 if i % 2 else 7, i, 3, 0, 0]) for i in range(12))
        keep("talk", bytes([1, kind]) + bytes([2, 0, 0, 0, 0]) + bytes([3, 9, 0, 0, 0]) + bytes([4, 0, 0, 0]) + bytes([5, 5, 0, 0]) + blocks + bytes([8, 5, 0, 0]) * 3)
        keep("talk", bytes([2, kind]) + bytes([17, 0, 0, 0, 0, 0]) + bytes([16, 2, 0, 2, 0, 0, 0, 0]) + bytes([18, 3, 2, 0, 0, 0, 0]) + bytes([19, 2, 0, 1, 0, 0, 0]) * 5 + bytes([24, 0, 0, 0, 25, 0, 0, 0]) +
             bytes([19, 2, 3, 1, 0, 0, 0]) * 9 + bytes([20, 0, 0, 7, 0, 0]))


def main():
    pb = schema()
    parcels()
    meetings()
    everything = b""
    for name, body in requests(pb):
        strangers = ("hello", "sign_up", "login", "resume", "reset_password")
        keep("hub", to_hub(0 if name.startswith("admin") else 3 if name in strangers else 1, body))
        keep("frame", b"\7" + struct.pack(">I", len(body)) + body)
        if name not in ("logout", "passwd", "delete_account", "close_room", "leave"):
            everything += to_hub(1, body) + bytes([48 << 2, 18])
    classics()
    keep("hub", everything)
    keep("hub", everything[:2000] + bytes([56 << 2, 1]) + everything[:500] + bytes([60 << 2, 0]) + everything[:2000])
    keep("frame", b"\1" + struct.pack(">I", 65537))
    keep("frame", b"\2" + struct.pack(">I", 0) * 3)
    keep("frame", b"\0" + struct.pack(">I", 100) + b"\x0a")
    for text in ("plain", "\x1b[31mred\x1b]0;title\x07\x9b", "\u202eright to left\u2066", "wide \u4e2d\u6587 e\u0301",
                 "a\tb\r\nc\0d", "x" * 300, "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u1112\u1161\u11ab"):
        for width in (0, 1, 20, 200):
            keep("text", bytes([width, 4]) + text.encode())
    keep("text", b"\x14\x02" + bytes(range(1, 256)))
    for line in ("port = 0\nlisten=127.0.0.1,::1\n# words\n\nregistration = open\n", "login.tries=5\nlogin.window = 10m\nlogin.block=10s",
                 "port=70000", "nothing = here", "=", "broadcast = admins\r\nlog_private_text=on", "15m", "16K", "250ms", "\0", "a" * 400):
        keep("config", line.encode())
    for line in ("mdns=perhaps", "mdns=no", "registration=closed", "login.block=soon", "login.block = 400d", "text.max=1", "conn.queue=9T",
                 "hash.memory=1K", "listen=", "port=5k", "login.tries=99999999999999999999", "login.block=9223372036854775807h", "x" * 200 + "=1",
                 "tls.key=/k", "port=65535", "login.block_max=1s", "hash.lanes=64\nhash.memory=8K", "store.batch=100000\nstore.waiting=16", ""):
        keep("config", line.encode())
    for words in (["say", "#maths", "hello", "you"], ["--json", "-s", "h:1", "who"], ["room", "new", "x", "--private"], ["--help"],
                  ["room", "--help"], ["calc", "-7 % 3"], ["read", "#a", "--since", "10 minutes ago", "--last", "5"], ["nothing"],
                  ["admin", "log", "--follow"], ["say", "--", "--everyone"], ["-V"], ["read", "--last", "99999999999999999999"],
                  ["room"], ["admin"], ["raed"], ["-u"], ["--home=/h", "--password-file", "p", "-u", "me", "--accept=x", "who"], ["who", "--since=1"],
                  ["--json=1", "who"], ["read", "--last"], ["register"], ["whoami", "now"], ["read", "--last=5"], ["-sh:1", "who"],
                  ['"two words"', "12", "0", "x" * 80]):
        keep("cli", b"\0" + b"\0".join(w.encode() for w in words))
        keep("cli", b"\1" + " ".join(words).encode())
    keep("cli", b'\3say #a "two words" "open')
    for when in ("10 minutes ago", "yesterday 14:00", "2026-03-01T14:00:00Z", "2026-13-01", "@1767225600", "monday 9:30",
                 "2026-03-01T14:00:00+02:00", "12:345", "0:1", "last week", "99999999999999999999h"):
        keep("cli", b"\x08" + when.encode())
    for line in ("hello", "//hello", "/", "/hand down", "/video off", "/mute", "/mute Ann 2", "/note Ann 2 hi", '/note "Ann" 2', "/rename Ann 2 Bo",
                 "/message Carl von Linden soon", "/message soon", "/title New", "/leave Ann", "/react x", "/who", "/lock x", "/nonsense", "/admit"):
        keep("meeting", b"\0" + line.encode())
        keep("meeting", b"\2" + line.encode())
    for line in ('{"cmd":"admit","user":"Ann 2","id":7}', '{"id":"x","cmd":"/mute Ann"}', '{"cmd":"note","text":"a\\u00e9\\ud83d\\ude00\\n","user":"x"}',
                 '{"cmd":"react","emoji":"y","b":true,"c":null,"d":-1.5e3}', '{"a":{}}', '{}', '{"a":"\\ud800"}', '{"a":"\\u0000"}', "[1]"):
        keep("meeting", b"\1" + line.encode())
    for line in ("204816", "204 816", "https://hall.example:5000/j/204816#abc", "roost:hall/j/204816", "https://[::1]/j/204816#a", "https://a@b/j/1", "x"):
        keep("meeting", b"\3" + line.encode())
    for line in ("in 2 hours", "tomorrow 14:00", "next monday 9:30", "14:00", "2026-03-01T14:00Z", "last friday", "1h30m", "2h ago", "soon"):
        keep("meeting", b"\4" + line.encode())
    for line in ("Maths; a, b\\c\nnext", "\u00e9" * 80, "x" * 200):
        keep("meeting", b"\5" + line.encode())
    http()


def http():
    head = b"Host: a\r\n"
    for text in (b"GET / HTTP/1.1\r\n" + head + b"\r\nHEAD /healthz?x=1 HTTP/1.1\r\n" + head + b"\r\n",
                 b"GET /metrics HTTP/1.1\r\n" + head + b"Authorization: Bearer 0123456789abcdef\r\n\r\n",
                 b"GET https://a:5000/j/123456 HTTP/1.1\r\n" + head + b"Connection: close \t\r\n\r\nGET / HTTP/1.1\r\n",
                 b"GET http://a?x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n\r\nGET /j/12 HTTP/1.0\r\n\r\n",
                 b"POST / HTTP/1.1\r\n" + head + b"Content-Length: 5\r\n\r\nhelloPUT /x HTTP/1.1\r\n" + head + b"\r\n",
                 b"POST / HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n",
                 b"POST / HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n",
                 b"POST / HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\nabc\r\n",
                 b"POST / HTTP/1.1\r\n" + head + b"Content-Length: 99999999999\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + head + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n" + head + b"\r\n",
                 b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + head + head + b"\r\n", b"hello\r\n", b"BREW / HTTP/1.1\r\n", b"GET / HTTP/2.0\r\n\r\n",
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /" + b"a" * 2100, b"GET / HTTP/1.1\r\nA: " + b"b" * 8300, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 70,
                 b"\r\n" * 6200, b"OPTIONS * HTTP/1.1\r\n" + head + b"\r\n", b"GET / HTTP/1.1\r\n" + head + b"X-Forwarded-For: b\r\n\r\n"):
        keep("http", b"\0\5" + text)
        keep("http", b"\7\0" + text)
    keep("http", b"\xff\x40POST / HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 13000)


if __name__ == "__main__":
    main()
