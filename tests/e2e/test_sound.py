"""Devices of sound, on a real PipeWire with speakers that nobody hears: what is played is recorded, and found again."""
import json

from harness import check, equal, story, until
from sounds import daemons, has_tone


def next_look(lines, which, **wanted):
    """The first line about `which` (in or out) that is as wanted."""
    while True:
        line = lines.until(rf'^{{"{which}"').string
        look = json.loads(line)
        if all(look[k] == v for k, v in wanted.items()):
            return look


@story(short=True)
def what_is_played_is_heard(hall):
    with daemons(hall) as sound:
        sound.add_speaker("hall")
        devices = {d["name"]: d for d in sound.devices()}
        equal((devices["hall"]["out"], devices["hall"]["in"]), (1, 0))
        monitor = devices["hall.monitor"]
        equal((monitor["out"], monitor["in"], monitor["monitor"]), (0, 1, 1))
        playing = sound.pump("tone:1000", "hall")
        look = next_look(playing, "out", out="hall", state="goes")
        check(0 < look["latency_us"] < 1_000_000, look)
        until(lambda: has_tone(sound.record("hall.monitor"), 1000), "the tone is heard")
        check(not has_tone(sound.record("hall.monitor", 1), 1300), "another tone is not")
        # the default, by no name
        sound.ask("pactl", "set-default-sink", "hall")
        other = sound.pump("tone:600", "default")
        next_look(other, "out", out="hall", state="goes")
        playing.end()
        until(lambda: has_tone(sound.record("hall.monitor"), 600), "the other tone is heard")


@story
def a_device_goes_and_comes_back(hall):
    with daemons(hall) as sound:
        number = sound.add_speaker("hall")
        sound.add_speaker("other")
        playing, hearing = sound.pump("tone:1000", "hall"), sound.pump("hall.monitor", "null")
        next_look(playing, "out", out="hall", state="goes")
        next_look(hearing, "in", **{"in": "hall.monitor"}, state="goes")
        for _ in range(2):
            sound.remove(number)
            look = next_look(playing, "out")
            check(look["state"] == "gone" or look["out"] != "hall", look)
            number = sound.add_speaker("hall")
            next_look(playing, "out", out="hall", state="goes")
            until(lambda: has_tone(sound.record("hall.monitor"), 1000), "the tone is heard again")
        equal(playing.process.poll(), None)
        equal(hearing.process.poll(), None)


@story
def the_sound_server_is_started_again(hall):
    with daemons(hall) as sound:
        sound.add_speaker("hall")
        playing = sound.pump("tone:1000", "hall")
        next_look(playing, "out", out="hall", state="goes")
        sound.kill_pulse()
        next_look(playing, "out", state="gone")
        sound.start_pulse()
        if "hall" not in sound.ask("pactl", "list", "short", "sinks").split():
            sound.add_speaker("hall")
        next_look(playing, "out", out="hall", state="goes")
        until(lambda: has_tone(sound.record("hall.monitor"), 1000), "the tone is heard again")


@story(short=True)
def what_is_not_there_is_said(hall):
    with daemons(hall) as sound:
        sound.add_speaker("hall")
        for mic, speaker, why in (("tone", "nowhere", "there is no speaker 'nowhere'"),
                                  ("nowhere", "null", "there is no microphone 'nowhere'")):
            lines = sound.pump(mic, speaker).drain()
            equal(lines[-1], why)
        sound.kill_pulse()
        lines = sound.pump("default", "null").drain()
        check("the sound server (PipeWire or PulseAudio) gives no microphone" in lines[-1], lines)
