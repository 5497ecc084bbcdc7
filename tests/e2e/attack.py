#!/usr/bin/python3
"""attack.py PORT KIND=N... - what a hostile world does to a server on this machine, all at once.

    half    connections that say nothing             silent  that finish TLS and say nothing
    drip    TLS, frames and HTTP byte by byte        frames  oversized, truncated, senseless frames
    shake   TLS handshakes, one after the other      login   logins with wrong passwords
    guess   codes of meetings                        deaf    asks for much and reads nothing

Each comes again when the server has had enough of it. They come from the addresses 127.0.0.2
and up, and ask for the processor last: what they compute is not to be taken for what the server does for them.
Begins with a line on stdin. Prints "ready" when all were there once (or the server did not let them all in for a while);
ends with its stdin, and then prints a line of JSON: how often each kind came, was closed, and
what it was answered."""
import asyncio
import collections
import ctypes
import json
import os
import platform
import random
import resource
import signal
import socket
import ssl
import struct
import sys

import tiny_pb

SOURCES = 8
DRIP_S = 0.05
BREATHE_EVERY_S = 0.0005
CROWD = 2  # the number of the first room that is made
ARRIVAL_S = 10  # a server that lets them all in at once has no limits
pb = tiny_pb.load()
tally = collections.Counter()
frame_id = 0


def tls(alpn="roost/1"):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.set_alpn_protocols([alpn])
    return c


CONTEXTS = {alpn: tls(alpn) for alpn in ("roost/1", "http/1.1")}


def frame(**body):
    global frame_id
    frame_id += 1
    data = pb.ToServer(id=frame_id.to_bytes(16, "big"), **body).SerializeToString()
    return struct.pack(">I", len(data)) + data


def hello():
    return frame(hello=pb.Hello(version_min=1, version_max=1, program="attack"))


class Enemy:
    def __init__(self, port, kind, number):
        self.port, self.kind, self.source = port, kind, f"127.0.0.{2 + number % SOURCES}"
        self.number = number
        self.dice = random.Random(number)
        self.was_there = asyncio.Event()

    async def connect(self, alpn=None):
        """With TLS if a protocol is named."""
        s = socket.socket()
        s.setblocking(False)
        if self.kind == "deaf":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            s.bind((self.source, 0))
            await asyncio.get_running_loop().sock_connect(s, ("127.0.0.1", self.port))
        except OSError:
            s.close()
            raise
        more = {"ssl": CONTEXTS[alpn], "server_hostname": "localhost"} if alpn else {}
        reader, writer = await asyncio.open_connection(sock=s, **more)
        tally[self.kind + " came"] += 1
        self.was_there.set()
        return reader, writer

    async def until_closed(self, reader):
        while await reader.read(65536):
            pass
        tally[self.kind + " closed"] += 1

    async def answer(self, reader):
        size, = struct.unpack(">I", await reader.readexactly(4))
        m = pb.ToClient.FromString(await reader.readexactly(size))
        if m.WhichOneof("body") == "reply" and m.reply.WhichOneof("result") == "error":
            tally[f"{self.kind} {m.reply.error.name}"] += 1
        return m

    async def live(self):
        while True:
            writer = None
            try:
                reader, writer = await self.connect({"half": None, "drip": None}.get(self.kind, "roost/1"))
                await getattr(self, self.kind)(reader, writer)
            except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
                tally[self.kind + " closed"] += 1
            finally:
                if writer:
                    writer.transport.abort()
            await asyncio.sleep(0.5 + self.dice.random())

    # --- the kinds

    async def half(self, reader, writer):
        await self.until_closed(reader)

    silent = half

    async def shake(self, reader, writer):
        while True:
            await asyncio.sleep(0.02)
            writer.transport.abort()
            reader, writer = await self.connect("roost/1")

    async def drip(self, reader, writer):
        """TLS by hand: its records leave byte by byte, and so does what is inside."""
        alpn, words = self.dice.choice([("roost/1", hello() * 3), ("http/1.1", b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 99)])
        came, go = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = CONTEXTS[alpn].wrap_bio(came, go)
        shaken = False
        while True:
            try:
                if not shaken:
                    session.do_handshake()
                    shaken = True
                elif words:
                    session.write(words[:1])
                    words = words[1:]
            except ssl.SSLWantReadError:
                pass
            for byte in go.read():
                writer.write(bytes([byte]))
                await asyncio.sleep(DRIP_S)
            if shaken and words:
                continue
            more = await reader.read(65536)
            if not more:
                tally["drip closed"] += 1
                return
            came.write(more)

    async def frames(self, reader, writer):
        bad = self.dice.choice([b"\xff\xff\xff\xff", struct.pack(">I", 65537) + b"x" * 65537, struct.pack(">I", 100) + b"x" * 10,
                                struct.pack(">I", 40) + os.urandom(40), b"\0\0\0\0" * 50, os.urandom(200)])
        writer.write(self.dice.choice([b"", hello()]) + bad)
        await writer.drain()
        if bad[:4] == struct.pack(">I", 100):
            return  # and goes in the middle of a frame
        await asyncio.wait_for(self.until_closed(reader), 1)

    async def login(self, reader, writer):
        writer.write(hello())
        await self.answer(reader)
        while True:
            name = self.dice.choice([f"user{self.dice.randrange(20)}", f"nobody{self.dice.randrange(1000)}"])
            writer.write(frame(login=pb.Login(name=name, password="123456", device=os.urandom(32))))
            await self.answer(reader)
            tally["login tries"] += 1

    async def guess(self, reader, writer):
        writer.write(hello())
        await self.answer(reader)
        while True:
            writer.write(frame(guest=pb.Guest(name=f"Guest {self.number}", code=f"{self.dice.randrange(10 ** 6):06}", device=os.urandom(32))))
            m = await self.answer(reader)
            tally["guess tries"] += 1
            tally["guess found"] += m.reply.WhichOneof("result") == "session"

    async def deaf(self, reader, writer):
        writer.write(hello())
        await self.answer(reader)
        writer.write(frame(login=pb.Login(name="mallory", password="secret of mallory", device=bytes([self.number]) * 32)))
        m = await self.answer(reader)
        if m.reply.WhichOneof("result") != "session":
            await asyncio.sleep(1)
            return
        writer.transport.pause_reading()
        while not writer.transport.is_closing():
            writer.write(frame(read=pb.Read(target=pb.Target(name="#crowd"), last=True, limit=200)) +
                         frame(sync=pb.Sync(room=CROWD, limit=200)))
            await writer.drain()
            tally["deaf asked"] += 1
            await asyncio.sleep(0.05)


async def stdin_ends():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def main(port, wanted):
    enemies = [Enemy(port, kind, i) for kind, n in wanted for i in range(n)]
    tasks = []
    for e in enemies:
        tasks.append(asyncio.create_task(e.live()))
        if len(tasks) % 20 == 0:
            await asyncio.sleep(0.01)
    end = asyncio.create_task(stdin_ends())
    came = [asyncio.create_task(e.was_there.wait()) for e in enemies]
    await asyncio.wait(came, timeout=ARRIVAL_S)
    print("ready", sum(t.done() for t in came), "of", len(enemies), flush=True)
    await end
    for t in tasks:
        t.cancel()
    print(json.dumps(dict(sorted(tally.items()))), flush=True)
    os._exit(0)  # thousands of sockets: the kernel closes them


def step_back():
    """Nice, short turns, and after all others: whoever wakes up has the processor at once, not at
    the next tick of the kernel."""
    os.nice(19)
    number = {"x86_64": 314, "aarch64": 274}.get(platform.machine())
    if number:  # sched_setattr: 0.1 ms a turn, where the kernel heeds it
        ctypes.CDLL(None).syscall(number, 0, struct.pack("=IIQiIQQQ", 48, os.SCHED_BATCH, 0, 19, 0, 100000, 0, 0), 0)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    breathe()


def breathe():
    """And stop for a moment, often: once it runs, even the last may run till that tick. The handler
    of the signal is usleep itself, as what is written in Python is run too late; it sleeps for as many
    microseconds as the signal's number says."""
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = ctypes.c_int, ctypes.c_void_p
    libc.signal(signal.SIGALRM, ctypes.cast(libc.usleep, ctypes.c_void_p))
    signal.setitimer(signal.ITIMER_REAL, BREATHE_EVERY_S, BREATHE_EVERY_S)


if __name__ == "__main__":
    step_back()
    sys.stdin.buffer.raw.readline()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    asyncio.run(main(int(sys.argv[1]), [(k, int(n)) for k, n in (w.split("=") for w in sys.argv[2:])]))
