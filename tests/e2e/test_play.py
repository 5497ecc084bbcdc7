"""Real players at a film that comes: what a seek costs, counted in bytes that came, whatever the container."""
import random
import shutil
import subprocess
import sys

from harness import Skip, check, equal, story

# One second of noise is up to 10 MB; it is copied until a film is long: players read some 5 MB to find out what
# they have before them.
WIDTH, HEIGHT, RATE = 640, 360, 25
SECONDS = {"mkv": 20, "webm": 30, "ogg": 20}
LINK = ("--link", "rate=20M delay=5ms queue=128K")
CODECS = {"mkv": ("mpeg4", "-q:v", "2"), "webm": ("libvpx", "-deadline", "realtime", "-cpu-used", "16", "-b:v", "80M", "-qmin",
                                                  "4", "-qmax", "4"), "ogg": ("libtheora", "-q:v", "10")}

# Plays to its first picture, then seeks to 90 % and waits for that picture; says where it stood.
MPV = """
import json, os, socket, subprocess, sys, time
log, url = sys.argv[1:3]
here, there = socket.socketpair()
mpv = subprocess.Popen(["mpv", "--no-config", "--vo=null", "--ao=null", "--pause", "--really-quiet",
                        f"--input-ipc-client=fd://{there.fileno()}", "--", url], pass_fds=[there.fileno()])
there.close()
lines = here.makefile("r")
def until(wanted):
    for line in lines:
        row = json.loads(line)
        if wanted(row):
            return row
    sys.exit("mpv has gone")
def say(*words):
    here.sendall(json.dumps({"command": words, "request_id": 7}).encode() + b"\\n")
until(lambda row: row.get("event") == "playback-restart")
say("seek", 90, "absolute-percent")
until(lambda row: row.get("event") == "playback-restart")
say("get_property", "percent-pos")
at = until(lambda row: row.get("request_id") == 7 and row.get("data") is not None)["data"]
open(log, "w").write(str(at))
say("quit")
mpv.wait(30)
"""


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"there is no {tool}")


def ffmpeg(*words, stdin=subprocess.DEVNULL):
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *map(str, words)], check=True, timeout=120, stdin=stdin)


def film(hall, kind, name, *more):
    """A film of noise in a container."""
    second = hall.dir / f"second.{kind}"
    noise = hall.dir / "noise"
    noise.write_bytes(random.Random(1).randbytes(WIDTH * HEIGHT * 3 // 2 * RATE))
    codec, *how = CODECS[kind]
    ffmpeg("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", RATE, "-i", noise, "-c:v", codec, *how, "-g",
           5, second)
    path = hall.dir / name
    ffmpeg("-stream_loop", SECONDS[kind] - 1, "-i", second, "-c", "copy", *more, path)
    return path


def plays(hall, path, player, to_person=False, most=0.05):
    """What had come when the player ended, which saw little of it."""
    anna, ben = hall.users("anna", "ben")
    if to_person:
        watching = ben.follow("chat", stdin=True)
        watching.event(event="person")
        anna.follow("send", path, "@ben")
        file = watching.event(event="offer")["file"]
    else:
        anna.run("room", "new", "films", "ben")
        file = anna.run("send", path, "#films").rows[-1]["file"]
    played = ben.run(*LINK, "play", file, "--player", player, patience=120).rows[-1]
    equal(played["event"], "played")
    check(played["bytes"] < most * played["total"], "a seek waits for what it does not need", played)


def mpv_seeks(hall, *film_of, **more):
    need("mpv", "ffmpeg")
    log, player = hall.dir / "log", hall.dir / "player.py"
    player.write_text(MPV)
    plays(hall, film(hall, *film_of), f"{sys.executable} {player} {log}", **more)
    at = float(log.read_text())
    check(85 < at < 95, "the picture is not that of 90 %:", at)


@story
def mpv_seeks_in_an_mp4_with_its_index_at_the_end(hall):
    mpv_seeks(hall, "mkv", "film.mp4")


@story
def mpv_seeks_in_an_mkv_at_a_friend(hall):
    mpv_seeks(hall, "mkv", "film.mkv", to_person=True)


@story
def mpv_seeks_in_a_webm(hall):
    mpv_seeks(hall, "webm", "film.webm")


@story
def mpv_seeks_in_an_ogg(hall):
    mpv_seeks(hall, "ogg", "film.ogg")


@story
def ffplay_begins_at_nine_tenths(hall):
    need("ffplay", "ffmpeg")
    log, at = hall.dir / "log", SECONDS["mkv"] * 9 // 10
    path = film(hall, "mkv", "film.mp4", "-movflags", "+faststart")
    # it reads ahead by 15 MB, so all from there on came, and little before it
    plays(hall, path, f"env SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy ffplay -autoexit -ss {at} -t 0.2 2>{log}", most=0.15)
    check("Video: mpeg4" in log.read_text(), log.read_text()[-2000:])
