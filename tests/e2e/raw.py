"""A client that says what no client of ours would: control and tunnels, frame by frame."""
import contextlib
import os
import socket
import ssl
import struct

import tiny_pb
from harness import PATIENCE

pb = tiny_pb.load()
PING, PATH, PATH_BACK = b"\x01", b"\x0b", b"\x0c"  # kinds of frames in a tunnel


def message(body):
    return struct.pack(">I", len(body)) + body


class Raw:
    def __init__(self, hall, name=None):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        tls.set_alpn_protocols(["roost/1"])
        self.hall = hall
        self.socket = tls.wrap_socket(socket.create_connection(("127.0.0.1", hall.port)), server_hostname="localhost")
        self.socket.settimeout(PATIENCE)
        self.ask(hello=pb.Hello(version_min=1, version_max=1, program="raw"))
        if name:
            self.ask(login=pb.Login(name=name, password=f"secret of {name}", device=os.urandom(32), device_name="raw"))

    def send(self, data):
        self.socket.sendall(data)

    def _read(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise EOFError("closed")
            data += piece
        return data

    def next(self):
        return self._read(struct.unpack(">I", self._read(4))[0])

    def ask(self, **body):
        self.send(message(pb.ToServer(id=os.urandom(16), **body).SerializeToString()))
        while True:
            m = pb.ToClient.FromString(self.next())
            if m.WhichOneof("body") == "reply":
                return m.reply

    def keys(self):
        return self.ask(datagrams=pb.Datagrams()).datagrams

    def tunnel(self, keys):
        """Another connection, that carries frames of the session of these keys."""
        other = Raw(self.hall)
        other.ask(tunnel=pb.Tunnel(session=keys.session, token=keys.token))
        return other

    def answers(self):
        """Does this tunnel?"""
        question = os.urandom(8)
        self.send(message(PATH + question))
        return self.next() == PATH_BACK + question

    def is_closed(self):
        """Sooner or later, whatever is still said."""
        with contextlib.suppress(EOFError, ConnectionError, ssl.SSLError):
            while True:
                self.next()
        return True

    def close(self):
        self.socket.close()
