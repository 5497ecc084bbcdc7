"""Devices of sound, on a real PipeWire with speakers that nobody hears: what is played is recorded, and found again."""
import json
import pathlib
import shutil
import subprocess

from harness import Lines, Skip, check, equal, story, until
from sounds import daemons, has_tone, height, samples


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


def recorder(hall, to, seconds, apart_ms):
    """A program that records three people, who come one after the other."""
    tool = pathlib.Path(hall.bin).parent / "tests/tools/sounds"
    return hall.keep(Lines([str(tool), "record", str(to), str(seconds), str(apart_ms)], hall.plain_env()))


def probed(path):
    """What ffprobe finds, and how many packets each track has."""
    if not shutil.which("ffprobe"):
        raise Skip("ffprobe is not installed")
    done = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-show_streams", "-of", "json", str(path)],
                          capture_output=True, text=True, timeout=60)
    equal(done.returncode, 0)
    return {s["tags"]["title"]: s for s in json.loads(done.stdout)["streams"]}, done.stderr


def played(path, track, to):
    """Samples of a track, decoded by ffmpeg."""
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:{track}", "-ar", "48000", "-ac", "1", str(to)],
                   capture_output=True, timeout=60, check=True)
    return samples(to)


@story(short=True)
def a_recording_outlives_kill_9(hall):
    """The tracks of who came first and who came later play, and are mixed, whenever its writer is killed."""
    anna = hall.user("anna")
    for least in (1, 60, 400):
        path = hall.dir / f"{least}.webm"
        writing = recorder(hall, path, 3600, 100)
        while int(writing.until(r'"frames":(\d+)').group(1)) < least:
            pass
        writing.process.kill()
        writing.process.wait()
        tracks, wrong = probed(path)
        equal((list(tracks), wrong), (["Ann", "Bea", "Cor"][:len(tracks)], ""))
        rows = anna.rows("meet", "compose", path, hall.dir / f"{least}.wav")
        equal((rows[-1]["event"], rows[-1]["cut"], [r["name"] for r in rows[:-1]]), ("composed", True, list(tracks)))
        if least == 1:
            continue
        for at, (name, hz) in enumerate((("Ann", 400), ("Bea", 700), ("Cor", 1100))):
            equal(tracks[name]["codec_name"], "opus")
            check(has_tone(played(path, at, hall.dir / f"{least}-{at}.wav"), hz), f"{name} is heard")


@story(short=True)
def a_recording_is_composed(hall):
    path = hall.dir / "all.webm"
    writing = recorder(hall, path, 12, 3000)
    writing.drain()
    equal(writing.process.wait(), 0)
    tracks, wrong = probed(path)
    equal((sorted(tracks), wrong), (["Ann", "Bea", "Cor"], ""))
    anna = hall.user("anna")
    for kind, codec in (("wav", "pcm_s16le"), ("opus", "opus"), ("ogg", "opus"), ("webm", "opus"), ("mka", "opus")):
        to = hall.dir / f"mix.{kind}"
        rows = anna.rows("meet", "compose", path, to)
        equal((rows[-1]["cut"], [r["whole"] for r in rows[:-1]]), (False, [True] * 3))
        check(abs(rows[-1]["length_ms"] - 12000) < 100, rows[-1])
        found = json.loads(subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(to)],
                                          capture_output=True, text=True, timeout=60, check=True).stdout)
        equal(found["streams"][0]["codec_name"], codec)
        check(abs(float(found["format"]["duration"]) - 12) < 0.1, found["format"])
        x = played(to, 0, hall.dir / f"{kind}.out.wav")
        late = x[10 * 48000:10 * 48000 + 24000]
        check(all(height(late, hz) > 3000 for hz in (400, 700, 1100)), f"{kind}: all three are heard")
        early = x[24000:48000]
        check(height(early, 400) > 3000 and height(early, 1100) < 200, f"{kind}: who came later is heard later")
    # seeking: the end says where
    subprocess.run(["ffmpeg", "-v", "error", "-ss", "9", "-i", str(path), "-t", "1", str(hall.dir / "seek.wav")],
                   timeout=60, check=True, capture_output=True)
    for words, error in ((("nowhere.webm", "x.wav"), "the recording cannot be read"), ((path, "x.mp3"), "no name of a file"),
                         ((path, hall.dir / "mix.wav"), "there already"), ((hall.dir / "mix.wav", hall.dir / "y.wav"), "no recording")):
        done = anna.run("meet", "compose", *words, status=None)
        check(error in done.out + done.err, done)
    check(not (hall.dir / "y.wav").exists(), "nothing is left of what failed")
