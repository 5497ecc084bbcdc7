"""sounds.py - a PipeWire of one's own, with speakers that nobody hears, and what is in a recording of them."""
import array
import contextlib
import json
import math
import pathlib
import shutil
import subprocess
import sys
import wave

from harness import Failure, Lines, Skip, until

NEEDED = ["dbus-daemon", "pipewire", "wireplumber", "pipewire-pulse", "pactl"]


class Daemons:
    """The daemons of a session of sound; `env` is what programs need to find them."""

    def __init__(self, hall):
        self.hall, self.running = hall, []
        self.tool = pathlib.Path(hall.bin).parent / "tests/tools/sounds"
        self.run = hall.dir / "s"
        for d in ("s", "s/pulse", "s/home"):
            (hall.dir / d).mkdir(mode=0o700)
        bus = f"unix:path={self.run}/bus"
        self.env = hall.plain_env(XDG_RUNTIME_DIR=str(self.run), HOME=str(self.run / "home"), DBUS_SESSION_BUS_ADDRESS=bus,
                                  XDG_STATE_HOME=str(self.run / "home"), XDG_CONFIG_HOME=str(self.run / "home"),
                                  PULSE_SERVER=f"unix:{self.run}/pulse/native", PIPEWIRE_LATENCY="480/48000")
        self.env.pop("DISPLAY", None)
        self.start(["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={bus}"], self.run / "bus")
        self.start(["pipewire"], self.run / "pipewire-0")
        self.start(["wireplumber"])
        self.pulse = None
        self.start_pulse()
        self.default = self.ask("pactl", "get-default-sink").strip()

    def start(self, argv, appears=None):
        one = self.hall.keep(Lines(argv, self.env))
        self.running.append(one)
        if appears:
            until(lambda: appears.exists(), f"{argv[0]} made {appears.name}")
        return one

    def start_pulse(self):
        self.pulse = self.start(["pipewire-pulse"], self.run / "pulse/native")
        until(lambda: self.try_("pactl", "get-default-sink"), "pipewire-pulse answers")

    def kill_pulse(self):
        self.running.remove(self.pulse)
        self.pulse.end()
        (self.run / "pulse/native").unlink(missing_ok=True)

    def try_(self, *argv):
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=30)
        return done.stdout if done.returncode == 0 else ""

    def ask(self, *argv):
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise Failure(f"{' '.join(argv)}: {done.stderr}")
        return done.stdout

    def add_speaker(self, name):
        """A null sink; its number, to take it away with."""
        number = self.ask("pactl", "load-module", "module-null-sink", f"sink_name={name}").strip()
        until(lambda: name in self.ask("pactl", "list", "short", "sinks").split(), f"{name} is there")
        return number

    def remove(self, number):
        self.ask("pactl", "unload-module", number)

    def devices(self):
        return [json.loads(line) for line in self.ask(str(self.tool), "list").splitlines()]

    def pump(self, mic, speaker, seconds=3600):
        return self.hall.keep(Lines([str(self.tool), "pump", mic, speaker, str(seconds)], self.env))

    def record(self, device, seconds=2):
        """Samples of so many seconds of a device."""
        to = self.hall.dir / "recorded.wav"
        self.ask(str(self.tool), "pump", device, f"file:{to}", str(seconds))
        return samples(to)

    def close(self):
        for one in reversed(self.running):
            one.end()


@contextlib.contextmanager
def daemons(hall):
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        raise Skip(f"{', '.join(missing)} not installed")
    running = Daemons(hall)
    try:
        yield running
    finally:
        running.close()


def samples(path):
    with wave.open(str(path)) as w:
        got = array.array("h", w.readframes(w.getnframes()))
    if sys.byteorder == "big":
        got.byteswap()
    return got


def height(x, hz, rate=48000):
    """How high a tone is in it (Goertzel)."""
    k, a, b = 2 * math.cos(2 * math.pi * hz / rate), 0.0, 0.0
    for v in x:
        a, b = v + k * a - b, a
    return 2 * math.sqrt(abs(a * a + b * b - k * a * b)) / max(1, len(x))


def has_tone(x, hz, least=1000):
    """In some tenth of a second of it there is this tone, and little else."""
    for at in range(0, len(x) - 4800, 2400):
        part = x[at:at + 4800]
        power = sum(v * v for v in part) / len(part)
        h = height(part, hz)
        if h >= least and h * h / 2 >= 0.9 * power:
            return True
    return False
