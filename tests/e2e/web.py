"""web.py - HTTP over TLS by hand, for stories about what the control port says to browsers."""
import re
import socket
import ssl

from harness import PATIENCE, Failure, check

class Answer:
    def __init__(self, head, body):
        self.lines = head.decode("latin-1").split("\r\n")
        found = re.fullmatch(r"HTTP/1\.1 (\d{3}) (.+)", self.lines[0])
        check(found, "no status line:", head)
        self.status, self.body = int(found.group(1)), body
        self.headers = {}
        for line in self.lines[1:]:
            name, _, value = line.partition(": ")
            check(name.lower() not in self.headers, "twice:", line)
            self.headers[name.lower()] = value

    @property
    def text(self):
        return self.body.decode("utf-8")


class Web:
    """One connection. alpn None: the client does not know of ALPN."""

    def __init__(self, hall, alpn="http/1.1", host="127.0.0.1"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols([alpn])
        raw = socket.create_connection((host, hall.port), timeout=PATIENCE)
        self.s = context.wrap_socket(raw)
        self.waiting = b""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.s.close()

    def send(self, data):
        self.s.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def more(self):
        try:
            data = self.s.recv(65536)
        except ConnectionResetError:
            data = b""
        self.waiting += data
        return bool(data)

    def answer(self, head_only=False):
        """The next answer, whole."""
        while b"\r\n\r\n" not in self.waiting:
            check(self.more(), "closed within the head:", self.waiting)
        head, _, rest = self.waiting.partition(b"\r\n\r\n")
        answer = Answer(head, b"")
        length = 0 if head_only else int(answer.headers["content-length"])
        self.waiting = rest
        while len(self.waiting) < length:
            check(self.more(), "closed within the body")
        answer.body, self.waiting = self.waiting[:length], self.waiting[length:]
        return answer

    def ends(self):
        """Nothing comes any more but the end of the connection."""
        try:
            while self.more():
                pass
        except socket.timeout:
            raise Failure("it was not closed")
        check(not self.waiting, "came too:", self.waiting)

    def get(self, path, *headers, method="GET"):
        lines = "".join(f"{h}\r\n" for h in headers)
        return self.send(f"{method} {path} HTTP/1.1\r\nHost: hall\r\n{lines}\r\n").answer(method == "HEAD")


def get(hall, path, *headers, host="127.0.0.1"):
    with Web(hall, host=host) as web:
        return web.get(path, *headers)


SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="([^"\\\n]*)"\})? (\d+(?:\.\d+)?)')


def figures(text):
    """{name or name{label}: value} of Prometheus' text format, read strictly: each metric has
    its HELP, then its TYPE, then its samples, once; counters are called _total and others not."""
    check(text.endswith("\n") and "\n\n" not in text, "lines")
    values, kinds, helped = {}, {}, None
    for line in text.splitlines():
        words = line.split(" ", 3)
        if line.startswith("# HELP "):
            helped = words[2]
            check(helped not in kinds and len(words) == 4 and words[3], line)
        elif line.startswith("# TYPE "):
            check(words[2] == helped and words[3] in ("counter", "gauge"), line)
            check(words[2].endswith("_total") == (words[3] == "counter"), line)
            kinds[helped] = words[3]
        else:
            found = SAMPLE.fullmatch(line)
            check(found and found.group(1) == helped and helped in kinds, "not a sample:", line)
            name = line.rsplit(" ", 1)[0]
            check(name not in values, "twice:", line)
            values[name] = float(found.group(4))
    return values
