"""Two people in a meeting by real programs: one speaks, one listens behind a link of their own.

The server and the speaker are in one namespace, the listener in the other. The speaker's hop is bent by its own
`--link`, the listener's by `roost lab link` between the namespaces, whose counters nobody in the meeting knows.
"""
import array
import json
import math
import os
import pathlib
import shutil
import tempfile
import time
import wave

from .common import Failed
from .flow_net import LEFT, Net

RATE = 48000
EACH = RATE // 2        # from click to click
CLICK = RATE // 100
CLICK_HZ = 3500
PORT = 7600
PATIENCE_S = 20
FILE_BYTES = 80 * 1000 * 1000


def make_voice(path):
    """Something like a vowel whose pitch goes up and down, with a click each half second; 8 s that can be repeated."""
    samples = array.array("h")
    phase = 0.0
    for i in range(16 * EACH):
        phase += (120 + 20 * math.sin(2 * math.pi * i / (4 * EACH))) / RATE
        x = sum(math.sin(2 * math.pi * k * phase) / k for k in range(1, 9)) * 2500
        at = i % EACH
        if at < CLICK:
            x += 14000 * math.sin(math.pi * at / CLICK) * math.sin(2 * math.pi * CLICK_HZ * at / RATE)
        samples.append(int(x))
    with wave.open(str(path), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(samples.tobytes())


def read(path):
    with open(path, "rb") as f:
        head = f.read(4096)
        at = head.find(b"data")
        f.seek(at + 8)
        raw = f.read()
    samples = array.array("h")
    samples.frombytes(raw[:len(raw) // 2 * 2])
    return samples


STEP = 48  # a millisecond
COS = [math.cos(2 * math.pi * CLICK_HZ * i / RATE) for i in range(STEP)]
SIN = [math.sin(2 * math.pi * CLICK_HZ * i / RATE) for i in range(STEP)]


def clicks(samples):
    """Seconds into it of the middle of each click."""
    power = []
    for i in range(0, len(samples) - STEP + 1, STEP):
        part = samples[i:i + STEP]
        a, b = sum(map(float.__mul__, map(float, part), COS)), sum(map(float.__mul__, map(float, part), SIN))
        power.append(a * a + b * b)
    if not power:
        return []
    least, found, i = sorted(power)[int(len(power) * 0.99)] / 4, [], 0
    while i < len(power):
        if power[i] < least:
            i += 1
            continue
        end = min(i + 20, len(power))
        start = max(0, i - 6)
        sum_ = sum(power[start:end])
        found.append(sum((k + 0.5) * power[k] for k in range(start, end)) / sum_ / 1000)
        i = end + 100
    return found


class Parley:
    """In a meeting from its making to close()."""

    def __init__(self, bench, link, seed, first="rtt=50ms", words=(), own=False):
        self.bench, self.programs, self.own = bench, [], own
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="roost-voice-", dir="/dev/shm"))
        self.net = Net(bench.roost, link, seed)
        try:
            self.begin(first, words)
        except BaseException:
            self.close()
            raise

    def user(self, name, *more):
        return [self.bench.roost, "-s", f"{LEFT}:{PORT}", "--home", self.home / name, "-u", name, "--json", *more]

    def run(self, side, argv):
        self.programs.append(self.net.run(side, argv))
        return self.programs[-1]

    def do(self, side, *argv):
        done = self.run(side, [*argv])
        if not done.wait(PATIENCE_S) or done.status:
            raise Failed(f"{argv}: {done.rows} {done.error.decode(errors='replace')}")
        done.threads[0].join(PATIENCE_S)  # what it said has been read
        return done.rows

    def begin(self, first, words):
        os.environ["ROOST_PASSWORD"] = "a password for a bench"
        self.run(0, [self.bench.roostd, "--data", self.home / "data", "--listen", LEFT, "--port", PORT,
                     "--registration", "open", "--set", "mdns=no", "--set", "hash.memory=8K"])
        end = time.monotonic() + PATIENCE_S
        while True:
            tried = self.run(0, [*self.user("anna"), "register", "anna"])
            if tried.wait(PATIENCE_S) and not tried.status:
                break
            if time.monotonic() > end:
                raise Failed(f"register: {tried.error.decode(errors='replace')}")
            time.sleep(0.1)
        self.do(1, *self.user("ben"), "register", "ben")
        code = self.do(0, *self.user("anna"), "meet", "new", "--open", "--title", "Bench")[-1]["code"]
        self.mic, self.wav = self.bench.voice, self.home / "heard.wav"
        bend = ["--link", first] if first else []
        self.anna = self.run(0, [*self.user("anna", *bend), "meet", "join", code, "--mic", f"file:{self.mic}",
                                 "--speaker", "null", "--stats", self.home / "anna.jsonl", *words])
        self.anna.ready(lambda r: r.get("event") == "voice" and r.get("what") == "entered")
        if self.own:
            self.ben = self.run(1, [self.bench.both, f"{LEFT}:{PORT}", "ben", self.home / "ben", code, f"file:{self.wav}",
                                    self.keep()])
        else:
            self.ben = self.run(1, [*self.user("ben"), "meet", "join", code, "--mic", "none", "--speaker",
                                    f"file:{self.wav}", "--stats", self.home / "ben.jsonl", *words])
        self.ben.ready(lambda r: r.get("event") == "voice" and r.get("what") == "entered")
        self.code = code

    def keep(self):
        """A file that the server keeps for ben: its number."""
        with open(self.home / "file", "wb") as f:
            for _ in range(FILE_BYTES // 1000000):  # no holes: those are not sent
                f.write(os.urandom(1000000))
        return self.do(0, *self.user("anna"), "send", self.home / "file", "@ben", "--via", "server")[-1]["file"]

    def figures(self, name):
        if self.own and name == "ben":
            return [row for row in self.ben.rows if "people" in row]
        path = self.home / f"{name}.jsonl"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def now(self, name="ben"):
        """The figures of this second; waits for them."""
        before, end = len(self.figures(name)), time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            rows = self.figures(name)
            if len(rows) > before:
                return rows[-1]
            time.sleep(0.01)
        raise Failed(f"{name} writes no figures: {self.programs[-1].error.decode(errors='replace')}")

    @staticmethod
    def voice(row):
        """Of the other one, as it is heard."""
        return next(p for p in row["people"] if not p["self"])

    def leave(self):
        for one in (self.ben, self.anna):
            if one is self.ben and self.own:
                one.process.stdin.close()
            else:
                one.type(json.dumps({"cmd": "leave", "id": 1}))
        for one in (self.ben, self.anna):
            one.wait(PATIENCE_S)

    def mouth_to_ear(self, from_s):
        """Of each click that was heard from then on (seconds of the machine's clock), in seconds."""
        anna, ben = self.figures("anna")[-1], self.figures("ben")[-1]
        mic, ear = anna["mic_began_ms"] / 1000, ben["speaker_began_ms"] / 1000
        middle = CLICK / RATE / 2
        took = []
        for at in clicks(read(self.wav)):
            if ear + at >= from_s:
                took.append((ear + at - mic - middle) % (EACH / RATE))
        return took

    def close(self):
        for p in reversed(self.programs):
            p.end()
        self.net.close()
        shutil.rmtree(self.home, ignore_errors=True)
