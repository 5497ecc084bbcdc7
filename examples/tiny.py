#!/usr/bin/python3
"""tiny.py - a whole client in one file, written from docs/PROTOCOL.md.

    ROOST_PASSWORD=... tiny.py HOST:PORT USER register [INVITE]
    ROOST_PASSWORD=... tiny.py HOST:PORT USER say '#room' words to say
    ROOST_PASSWORD=... tiny.py HOST:PORT USER read '#room'
    ROOST_PASSWORD=... tiny.py HOST:PORT USER follow [N]

Standard library, Debian's python3-protobuf and protoc; no library of Roost.
`follow` prints what happens in all of one's rooms, N messages or for ever, and
goes on by itself when the connection is lost. Instead of a home it keeps the
server's fingerprint only if ROOST_PIN holds it: without, whoever answers is
believed, and said so on stderr.
Exit status: 0 done, 1 refused, 2 usage, 3 no connection, 4 not logged in.
"""
import hashlib
import os
import random
import select
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FRAME_MAX = 65536
PING_S, DEAD_S = 15, 10
LOGIN_ERRORS = {"login-needed", "login-wrong", "session-over"}


def schema():
    """The classes of proto/roost.proto, made by protoc for this run."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["protoc", f"-I{HERE}/../proto", f"--python_out={out}", "roost.proto"],
                       check=True)
        sys.path.insert(0, out)
        import roost_pb2
        sys.path.remove(out)
    return roost_pb2


pb = schema()


class Refused(Exception):
    def __init__(self, error):
        super().__init__(f"{error.text}: {error.advice}")
        self.error = error


class Client:
    """One connection, and what outlives it: session, cursors, unanswered requests."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.sock, self.buffer = None, b""
        self.process, self.counter = os.urandom(8), 0
        self.device = os.urandom(32)
        self.token = None       # of the session, good once
        self.ignored = set()
        self.cursors = {}       # room -> last number that was printed
        self.events = []        # in rooms, to be printed
        self.sync_later = set() # rooms to be asked for

    # --- transport ---------------------------------------------------------

    def connect(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the pin decides
        context.set_alpn_protocols(["roost/1"])
        raw = socket.create_connection((self.host, self.port), timeout=10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = context.wrap_socket(raw, server_hostname=self.host)
        if self.sock.selected_alpn_protocol() != "roost/1":
            raise ConnectionError("this server does not speak roost/1")
        self.check_pin(hashlib.sha256(self.sock.getpeercert(True)).hexdigest())
        self.buffer = b""
        self.hello()

    def check_pin(self, found):
        found = ":".join(found[i:i + 2] for i in range(0, 64, 2))
        pin = os.environ.get("ROOST_PIN")
        if pin and pin.lower() != found:
            print(f"tiny.py: THE CERTIFICATE HAS CHANGED: {found}", file=sys.stderr)
            sys.exit(3)
        if not pin:
            print(f"tiny.py: believing {self.host}:{self.port} {found}", file=sys.stderr)

    def send(self, message):
        body = message.SerializeToString()
        self.sock.sendall(struct.pack(">I", len(body)) + body)

    def take_frame(self):
        """A whole frame out of the buffer, or None."""
        if len(self.buffer) < 4:
            return None
        size = struct.unpack(">I", self.buffer[:4])[0]
        if size > FRAME_MAX:
            raise ConnectionError("the frame is too long")
        if len(self.buffer) < 4 + size:
            return None
        body, self.buffer = self.buffer[4:4 + size], self.buffer[4 + size:]
        frame = pb.ToClient()
        frame.ParseFromString(body)
        return frame

    def receive(self):
        """The next frame; pings a silent server and gives up a dead one."""
        pinged = False
        while True:
            frame = self.take_frame()
            if frame:
                return frame
            wait = DEAD_S if pinged else PING_S
            if not self.sock.pending() and not select.select([self.sock], [], [], wait)[0]:
                if pinged:
                    raise ConnectionError("the server stopped answering")
                self.send(self.request(ping=pb.Ping()))
                pinged = True
                continue
            got = self.sock.recv(65536)
            if not got:
                raise ConnectionError("the server closed the connection")
            self.buffer += got

    # --- requests ------------------------------------------------------------

    def request(self, **body):
        self.counter += 1
        return pb.ToServer(id=self.process + struct.pack(">Q", self.counter), **body)

    def exchange(self, message):
        """Sends and waits for the reply; what comes in between is kept."""
        self.send(message)
        while True:
            frame = self.receive()
            if frame.WhichOneof("body") == "reply" and frame.reply.id == message.id:
                if frame.reply.WhichOneof("result") == "error":
                    raise Refused(frame.reply.error)
                return getattr(frame.reply, frame.reply.WhichOneof("result"))
            self.on_frame(frame)

    def ask(self, **body):
        """As `exchange`, over as many connections as it takes: the same id, so a
        change is done once."""
        message = self.request(**body)
        while True:
            try:
                return self.exchange(message)
            except (OSError, ConnectionError):
                self.reconnect()

    def on_frame(self, frame):
        kind = frame.WhichOneof("body")
        if kind == "event":
            event = frame.event
            if event.room in self.cursors and event.seq > self.cursors[event.room]:
                self.cursors[event.room] = event.seq
                self.events.append(event)
        elif kind == "behind":
            self.sync_later.add(frame.behind.room)
        elif kind == "room_changed" and not frame.room_changed.gone:
            if frame.room_changed.room.room not in self.cursors:
                self.cursors[frame.room_changed.room.room] = 0
                self.sync_later.add(frame.room_changed.room.room)
        elif kind == "session_over":
            raise Refused(frame.session_over.error)

    # --- life --------------------------------------------------------------------

    def hello(self):
        self.exchange(self.request(hello=pb.Hello(version_min=1, version_max=1,
                                                  program="tiny.py 1")))

    def login(self, name, password):
        self.on_session(self.exchange(self.request(login=pb.Login(
            name=name, password=password, device=self.device, device_name="tiny.py"))))

    def on_session(self, session):
        self.token = session.token
        self.ignored = set(session.ignored)

    def reconnect(self):
        """At once, then at most 1 s apart, after 30 s ever more slowly."""
        started, wait = time.monotonic(), random.uniform(0, 0.25)
        while self.token:
            time.sleep(wait)
            try:
                self.connect()
                self.on_session(self.exchange(self.request(resume=pb.Resume(
                    token=self.token, device=self.device))))
                self.sync_later = set(self.cursors)
                return
            except (OSError, ConnectionError):
                eager = time.monotonic() - started < 30
                wait = random.uniform(0.25, 1) if eager else min(30, max(2, wait * 2))
        raise ConnectionError("the connection was lost before the login")

    # --- following ---------------------------------------------------------------

    def sync(self, room):
        more = True
        while more:
            synced = self.ask(sync=pb.Sync(room=room, after=self.cursors[room], limit=200))
            self.cursors[room] = max(self.cursors[room], synced.upto)
            more = synced.more

    def follow(self):
        """Every event of one's rooms from now on, each once and in order."""
        for room in self.ask(list_rooms=pb.ListRooms(mine=True)).rooms:
            self.cursors[room.room] = room.head
        self.sync_later = set(self.cursors)
        told = False
        while True:
            try:
                while self.sync_later:
                    self.sync(self.sync_later.pop())
                if not told:
                    print("tiny.py: following", file=sys.stderr, flush=True)
                    told = True
                while self.events:
                    yield self.events.pop(0)
                if not self.sync_later:
                    self.on_frame(self.receive())
            except (OSError, ConnectionError):
                self.reconnect()


def show(event):
    if event.WhichOneof("what") != "text" or event.text.deleted:
        return False
    words = "".join(c if c.isprintable() else " " for c in event.text.text)
    print(f"{event.room}.{event.seq} {event.sender_name}: {words}", flush=True)
    return True


def run(client, user, command, args):
    password = os.environ.get("ROOST_PASSWORD", "")
    if command == "register":
        client.exchange(client.request(sign_up=pb.SignUp(
            name=user, password=password, invite=args[0] if args else "")))
        return 0
    client.login(user, password)
    if command == "say" and len(args) > 1:
        done = client.ask(say=pb.Say(target=pb.Target(name=args[0]), text=" ".join(args[1:])))
        print(f"{done.room}.{done.seq}")
    elif command == "read" and args:
        page, after = None, 0
        while page is None or (page.more and page.events):
            page = client.ask(read=pb.Read(target=pb.Target(name=args[0]), after=after))
            for event in page.events:
                show(event)
                after = event.seq
    elif command == "follow":
        left = int(args[0]) if args else -1
        for event in client.follow() if left else ():
            if event.sender not in client.ignored and show(event):
                left -= 1
            if not left:
                break
    else:
        return 2
    client.ask(logout=pb.Logout())  # it keeps no home: the session would be left over
    return 0


def main(argv):
    if len(argv) < 4 or ":" not in argv[1]:
        print(__doc__, file=sys.stderr)
        return 2
    host, _, port = argv[1].rpartition(":")
    client = Client(host.strip("[]"), int(port))
    try:
        client.connect()
        return run(client, argv[2], argv[3], argv[4:])
    except Refused as refused:
        print(f"tiny.py: {refused}", file=sys.stderr)
        return 4 if refused.error.name in LOGIN_ERRORS else 1
    except OSError as error:
        print(f"tiny.py: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv))
