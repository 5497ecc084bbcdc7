"""way.py - what lies between a client and a server, and can be bent: at 127.0.0.2, the same ports.

UDP is passed on from a socket of its own for each client (as an address translator does), which
can be changed, or nothing is passed. TCP is passed on too, and can be cut. No rights are needed."""
import selectors
import socket
import threading

HOST, SERVER = "127.0.0.2", "127.0.0.1"


class Way:
    def __init__(self, hall, datagrams=None):
        self.port, self.media = hall.port, datagrams or hall.port + 1
        self.udp_open = self.tcp_open = True
        self.passed = self.stopped = 0  # datagrams
        self.lose, self.counted = 0, 0  # every so manyeth is lost
        self.scatter = None  # a list: each datagram of a client comes from another address, and
        # nobody is there who answers: [bytes that came from it, bytes that were sent to it]
        self.selector, self.over = selectors.DefaultSelector(), False
        self.lock = threading.RLock()
        self.pairs, self.upstream, self.clients = {}, {}, {}
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind((HOST, self.media))
        self.listener = socket.create_server((HOST, self.port))
        for s in (self.front, self.listener):
            s.setblocking(False)
            self.selector.register(s, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    # -- bending

    def move(self):
        """Clients come from another address from now on."""
        with self.lock:
            for s in self.upstream.values():
                self.selector.unregister(s)
                s.close()
            self.upstream, self.clients = {}, {}

    def cut(self, control=True):
        """Ends the TCP connections that there are: the first is control, later ones tunnels."""
        with self.lock:
            for a in list(self.pairs)[:1] if control else list(self.pairs):
                if a in self.pairs:
                    self._drop(a)

    def close(self):
        self.over = True
        self.thread.join(5)
        with self.lock:
            for s in [self.front, self.listener, *self.pairs, *self.clients]:
                s.close()

    # -- passing on

    def _run(self):
        while not self.over:
            for key, _ in self.selector.select(0.05):
                with self.lock:
                    try:
                        self._on(key.fileobj)
                    except (OSError, KeyError, ValueError):
                        pass

    def _on(self, s):
        if s is self.listener:
            self._accept()
        elif s is self.front:
            bytes_, client = s.recvfrom(65536)
            self._up(bytes_, client)
        elif s in self.clients:
            bytes_ = s.recv(65536)
            if isinstance(self.clients[s], list):
                self.clients[s][1] += len(bytes_)
            elif self._passes():
                self.front.sendto(bytes_, self.clients[s])
        elif s in self.pairs:
            self._stream(s)

    def _passes(self):
        self.counted += 1
        ok = self.udp_open and not (self.lose and self.counted % self.lose == 0)
        self.passed, self.stopped = self.passed + ok, self.stopped + (not ok)
        return ok

    def _up(self, bytes_, client):
        if not self._passes():
            return
        if self.scatter is not None:
            self._from_elsewhere(bytes_)
            return
        if client not in self.upstream:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect((SERVER, self.media))
            self.upstream[client], self.clients[s] = s, client
            self.selector.register(s, selectors.EVENT_READ)
        self.upstream[client].send(bytes_)

    def _from_elsewhere(self, bytes_):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect((SERVER, self.media))
        s.setblocking(False)
        self.clients[s] = [len(bytes_), 0]
        self.scatter.append(self.clients[s])
        self.selector.register(s, selectors.EVENT_READ)
        s.send(bytes_)

    def _accept(self):
        client, _ = self.listener.accept()
        if not self.tcp_open:
            client.close()
            return
        server = socket.create_connection((SERVER, self.port))
        for s in (client, server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(s, selectors.EVENT_READ)
        self.pairs[client], self.pairs[server] = server, client

    def _drop(self, s):
        other = self.pairs.pop(s, None)
        for end in (s, other):
            if end:
                self.pairs.pop(end, None)
                self.selector.unregister(end)
                end.close()

    def _stream(self, s):
        try:
            bytes_ = s.recv(65536)
            if bytes_:
                self.pairs[s].sendall(bytes_)
                return
        except OSError:
            pass
        self._drop(s)
