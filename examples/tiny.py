#!/usr/bin/python3
"""tiny.py - a whole client in one file, written from docs/PROTOCOL.md.

    ROOST_PASSWORD=... tiny.py HOST:PORT USER register [INVITE]
    ROOST_PASSWORD=... tiny.py HOST:PORT USER say '#room' words to say
    ROOST_PASSWORD=... tiny.py HOST:PORT USER read '#room'
    ROOST_PASSWORD=... tiny.py HOST:PORT USER follow [N]
    ROOST_PASSWORD=... tiny.py HOST:PORT USER meet CODE|LINK [N]

Standard library, Debian's python3-protobuf and protoc; no library of Roost.
`follow` prints what is said in all of one's rooms, N messages or for ever, `meet`
what is said in a meeting until it ends, after waiting in its lobby; both go on by
themselves when the connection is lost. ROOST_PIN holds the server's fingerprint;
without it whoever answers is believed, and said so on stderr.
Exit status: 0 done, 1 refused, 2 usage, 3 no connection, 4 not logged in.
"""
import hashlib
import os
import random
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
        subprocess.check_call(["protoc", f"-I{HERE}/../proto", f"--python_out={out}", "roost.proto"])
        sys.path.insert(0, out)
        import roost_pb2
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
        self.device, self.token = os.urandom(32), None  # the session's token is good once
        self.ignored = set()
        self.cursors = {}       # room -> last number that was printed
        self.events = []        # in rooms, to be printed
        self.sync_later = set() # rooms to be asked for
        self.place, self.state = None, None  # MeetJoin of a meeting, and how one stands

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
        self.exchange(self.request(hello=pb.Hello(version_min=1, version_max=1,
                                                  program="tiny.py 1")))

    def check_pin(self, found):
        found = ":".join(found[i:i + 2] for i in range(0, 64, 2))
        pin = os.environ.get("ROOST_PIN")
        if pin and pin.lower() != found:
            print(f"tiny.py: THE CERTIFICATE HAS CHANGED: {found}", file=sys.stderr)
            sys.exit(3)
        if not pin:
            print(f"tiny.py: believing {self.host}:{self.port} {found}", file=sys.stderr)

    def read(self, size):
        """So many bytes; pings a silent server and gives up a dead one."""
        pinged = False
        while len(self.buffer) < size:
            self.sock.settimeout(DEAD_S if pinged else PING_S)
            try:
                got = self.sock.recv(65536)
            except TimeoutError:
                if pinged:
                    raise ConnectionError("the server stopped answering")
                self.send(self.request(ping=pb.Ping()))
                pinged = True
                continue
            if not got:
                raise ConnectionError("the server closed the connection")
            self.buffer += got
        got, self.buffer = self.buffer[:size], self.buffer[size:]
        return got

    def receive(self):
        size = struct.unpack(">I", self.read(4))[0]
        if size > FRAME_MAX:
            raise ConnectionError("the frame is too long")
        return pb.ToClient.FromString(self.read(size))

    # --- requests ------------------------------------------------------------

    def send(self, message):
        body = message.SerializeToString()
        self.sock.sendall(struct.pack(">I", len(body)) + body)

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
            except OSError:
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
        elif kind == "room_changed" and not (frame.room_changed.gone or self.place):
            if frame.room_changed.room.room not in self.cursors:
                self.cursors[frame.room_changed.room.room] = 0
                self.sync_later.add(frame.room_changed.room.room)
        elif kind == "meet_now":
            self.state = frame.meet_now.you.state
        elif kind == "session_over":
            raise Refused(frame.session_over.error)

    # --- life --------------------------------------------------------------------

    def login(self, name, password):
        self.on_session(self.exchange(self.request(login=pb.Login(
            name=name, password=password, device=self.device, device_name="tiny.py"))))

    def on_session(self, session):
        self.token, self.ignored = session.token, set(session.ignored)

    def reconnect(self):
        """At once, then at most 1 s apart, after 30 s ever more slowly."""
        started, wait = time.monotonic(), random.uniform(0, 0.25)
        while self.token:
            time.sleep(wait)
            try:
                self.connect()
                self.on_session(self.exchange(self.request(resume=pb.Resume(
                    token=self.token, device=self.device))))
                if self.place:
                    self.state = self.exchange(self.request(meet_join=self.place)).you.state
                self.sync_later = set(self.cursors)
                return
            except OSError:
                eager = time.monotonic() - started < 30
                wait = random.uniform(0.25, 1) if eager else min(30, max(2, wait * 2))
        raise ConnectionError("the connection was lost before the login")

    # --- following ---------------------------------------------------------------

    def listen(self):
        try:
            self.on_frame(self.receive())
        except OSError:
            self.reconnect()

    def sync(self, room):
        synced = None
        while not synced or synced.more:
            synced = self.ask(sync=pb.Sync(room=room, after=self.cursors[room], limit=200))
            self.cursors[room] = max(self.cursors[room], synced.upto)

    def come_in(self, code, secret):
        """Waits in the lobby until somebody lets one in."""
        self.place = pb.MeetJoin(code=code, secret=secret)
        while self.state != pb.IN or not self.cursors:
            ticket = self.ask(meet_join=self.place)
            self.state = ticket.you.state
            self.cursors = {ticket.meeting.room: ticket.head} if self.state == pb.IN else {}
            if self.state == pb.WAITING:
                print("tiny.py: waiting in the lobby", file=sys.stderr, flush=True)
            while self.state == pb.WAITING:
                self.listen()
            if self.state != pb.IN:
                raise SystemExit(1)  # not let in
        self.place = pb.MeetJoin(meeting=ticket.meeting.room)

    def follow(self):
        """Every event of one's rooms, or of the meeting, each once and in order."""
        for room in () if self.place else self.ask(list_rooms=pb.ListRooms(mine=True)).rooms:
            self.cursors[room.room] = room.head
        self.sync_later, told = set(self.cursors), False
        while True:
            while self.sync_later:
                self.sync(self.sync_later.pop())
            if not told:
                print("tiny.py: following", file=sys.stderr, flush=True)
                told = True
            while self.events:
                yield self.events.pop(0)
            if not self.sync_later:
                self.listen()


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
    elif command == "follow" or (command == "meet" and args):
        if command == "meet":  # https://HOST:PORT/j/CODE#SECRET, or a bare code
            code, _, secret = args.pop(0).rpartition("/")[2].partition("#")
            client.come_in(code, secret)
        left = int(args[0]) if args else -1
        for event in client.follow() if left else ():
            if event.sender not in client.ignored and show(event):
                left -= 1
            if not left or event.met.meeting.ended:
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
