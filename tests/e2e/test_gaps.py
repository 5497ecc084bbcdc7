"""What a change of the way costs a voice: how long nothing is heard, in samples of what was heard.

Virtual time is exact (tests/unit/test_voice.c). Here real programs do it several times, and the best counts: a machine
that is busy elsewhere makes gaps of its own, and none shorter.
"""
import contextlib
import time

from harness import PATIENCE, check, story, until
from test_datagrams import bent, between
from test_meet import new
from test_voice import RATE, Ear, Voice

PIECE = RATE // 100
LOUD = 1000  # of 32768; the tone has 8000


class Heard(Ear):
    """Pieces of 10 ms in which something was heard, or not."""

    def __init__(self, path):
        super().__init__(path)
        self.pieces = []

    def look(self):
        samples = self.samples(len(self.pieces) * PIECE)
        self.pieces += [max(map(abs, samples[i:i + PIECE])) > LOUD for i in range(0, len(samples) - PIECE + 1, PIECE)]
        return self.pieces

    def until_heard(self, seconds, patience=PATIENCE):
        """For so long more."""
        before = sum(self.look())
        until(lambda: sum(self.look()) >= before + 100 * seconds, "a voice", patience)

    def longest(self, first):
        """The longest silence since then, in seconds."""
        most = run = 0
        for heard in self.look()[first:]:
            run = 0 if heard else run + 1
            most = max(most, run)
        return most / 100


@contextlib.contextmanager
def behind_a_way(hall):
    """Anna, who sends a tone; Bea, who hears it through what can be bent."""
    with between(hall) as way:
        anna, bea = hall.user("anna"), bent(hall, "bea")
        code = new(anna, "--title", "Train", "--open")["code"]
        Voice(anna, code, 440).entered()
        b = Voice(bea, code)
        b.entered()
        heard = Heard(b.wav)
        until(lambda: b.figures()["way"] == "udp", "a way")
        heard.until_heard(2)
        yield way, b, heard


def on(b, way):
    until(lambda: b.figures()["way"] == way, f"by {way}", 3 * PATIENCE)


@story
def a_voice_goes_on_from_another_address(hall):
    with behind_a_way(hall) as (way, b, heard):
        gaps = []
        for _ in range(5):
            first = len(heard.look())
            way.move()
            heard.until_heard(2)
            gaps.append(heard.longest(first))
        check(min(gaps) < 0.8, "nothing was heard for", gaps)
        check(b.figures()["way"] == "udp", b.figures())


@story(long=True)
def a_voice_goes_into_a_tunnel_and_back(hall):
    with behind_a_way(hall) as (way, b, heard):
        there, back = [], []
        for _ in range(3):
            first = len(heard.look())
            way.udp_open = False
            on(b, "tunnel")
            heard.until_heard(2, 2 * PATIENCE)
            there.append(heard.longest(first))
            first = len(heard.look())
            way.udp_open = True  # tried again every 15 s
            on(b, "udp")
            heard.until_heard(2, 2 * PATIENCE)
            back.append(heard.longest(first))
        check(min(there) < 0.8 and min(back) < 0.8, "nothing was heard for", there, back)


@story
def a_voice_is_back_with_the_server(hall):
    """Within 2 s of its return."""
    anna, bea = hall.users("anna", "bea")
    code = new(anna, "--title", "Train", "--open")["code"]
    Voice(anna, code, 440).entered()
    b = Voice(bea, code)
    b.entered()
    heard = Heard(b.wav)
    heard.until_heard(2)
    began_s = b.figures()["speaker_began_ms"] / 1000
    took = []
    for _ in range(3):
        hall.kill()
        until(lambda: not any(heard.look()[-20:]), "silence")
        hall.start()
        there_s = time.monotonic()
        first = max(0, int(100 * (there_s - began_s)))
        until(lambda: any(heard.look()[first:]), "a voice again", 3 * PATIENCE)
        took.append((first + heard.pieces[first:].index(True)) / 100 + began_s - there_s)
        heard.until_heard(1)
    check(min(took) < 2, "heard again after", took)
