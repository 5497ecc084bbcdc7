"""Voices in meetings, by real programs: what goes in at one end comes out at the others."""
import array
import json
import math
import pathlib
import wave

from harness import User, check, equal, story, until
from test_cli import documented
from test_meet import Seat, guest, new
from test_terminal import Screen, with_screens

RATE = 48000
SILENT = 0.02  # of full scale: a tone that was stretched leaks as much into its neighbours


def power(samples, hz):
    """How much of this tone there is, as its amplitude (Goertzel); of full scale."""
    if not samples:
        return 0.0
    w = 2 * math.cos(2 * math.pi * hz / RATE)
    a = b = 0.0
    for x in samples:
        a, b = x / 32768 + w * a - b, a
    return 2 * math.sqrt(max(0.0, a * a + b * b - w * a * b)) / len(samples)


class Ear:
    """A WAV file that is being written: how loud a tone is in each tenth of a second. Each is looked at once."""

    def __init__(self, path):
        self.path, self.tones = pathlib.Path(path), {}

    def samples(self, first=0):
        if not self.path.exists():
            return array.array("h")
        with self.path.open("rb") as f:
            head = f.read(4096)
            at = head.find(b"data")
            f.seek(at + 8 + 2 * first)
            raw = f.read() if at >= 0 else b""
        samples = array.array("h")
        samples.frombytes(raw[:len(raw) // 2 * 2])
        return samples

    def tenths(self, hz):
        done = self.tones.setdefault(hz, [])
        n = RATE // 10
        samples = self.samples(len(done) * n)
        done += [power(samples[i:i + n], hz) for i in range(0, len(samples) - n + 1, n)]
        return done

    def loud(self, hz):
        return sum(b > 0.05 for b in self.tenths(hz))


class Voice(Seat):
    """Somebody in a meeting with sound."""

    def __init__(self, user, code, hz=None, *words):
        self.wav = pathlib.Path(user.home) / "heard.wav"
        self.ear = Ear(self.wav)
        self.stats = pathlib.Path(user.home) / "stats.jsonl"
        mic = f"tone:{hz}" if hz else "none"
        super().__init__(user, code, "--mic", mic, "--speaker", f"file:{self.wav}", "--stats", str(self.stats), *words)

    def entered(self):
        return self.event(event="voice", what="entered")

    def hears(self, hz, tenths=5):
        """Waits until this tone was heard for so long more."""
        before = self.ear.loud(hz)
        until(lambda: self.ear.loud(hz) >= before + tenths, f"{self.user.name} hears {hz} Hz")

    def figures(self):
        """What was written last; waits for the first."""
        def last():
            lines = self.stats.read_text().split("\n") if self.stats.exists() else []
            return lines[-2] if len(lines) > 1 else None
        return json.loads(until(last, "figures"))

    def others(self):
        return [p for p in self.figures()["people"] if not p["self"]]

    def is_silent(self, hz, tenths=10):
        """Of what is written from now on, but for what is still under way, nothing is this tone."""
        before = len(self.ear.tenths(hz)) + 5
        until(lambda: len(self.ear.tenths(hz)) >= before + tenths, "the file goes on")
        return all(b < SILENT for b in self.ear.tenths(hz)[before:])

    def verify(self):
        self.n += 1
        self.lines.type(json.dumps({"cmd": "verify", "id": self.n}) + "\n")
        return self.event(event="voice", what="code", id=self.n)["text"]


def in_a_meeting(hall, *others):
    """Anna, who hosts and sends 440 Hz, and others, each with a tone of their own; the link for more."""
    anna, *rest = hall.users("anna", *others)
    made = new(anna, "--title", "Choir", "--open")
    code = made["code"]
    host = Voice(anna, code, 440)
    host.event(event="ticket")
    seats = [host] + [Voice(user, code, 620 + 180 * i) for i, user in enumerate(rest)]
    for seat in seats:
        check(seat.entered()["sealed"], "not sealed end to end")
    return made["link"], seats


@story(short=True)
def two_hear_each_other(hall):
    link, (anna, bea) = in_a_meeting(hall, "bea")
    bea.hears(440)
    anna.hears(620)
    until(lambda: bea.figures()["way"], "a way")
    line = bea.figures()
    equal((line["event"], line["state"], line["codec"]), ("stats", "in", "opus"))
    until(lambda: any(p["heard"] for p in bea.others()), "anna is heard in the figures")
    check(bea.figures()["path"]["rtt_ms"] > 0, bea.figures())
    equal({p["name"] for p in bea.figures()["people"]}, {"anna", "bea"})
    words = [seat.verify() for seat in (anna, bea)]
    equal(words[0], words[1], "the words to compare")
    equal(len(words[0].split()), 8)
    anna.leave()
    bea.leave()


@story
def who_mutes_sends_nothing(hall):
    link, (anna, bea) = in_a_meeting(hall, "bea")
    bea.hears(440)
    anna.do("mute")
    until(lambda: anna.figures()["muted"], "anna knows that she is mute")
    sent = anna.figures()["frames_sent"]
    check(bea.is_silent(440), "she is heard all the same")
    until(lambda: anna.figures()["muted"], "still")
    check(anna.figures()["frames_sent"] <= sent + 10, "frames leave a microphone that is muted", sent, anna.figures())
    anna.do("unmute")
    bea.hears(440)


@story
def a_host_mutes(hall):
    link, (anna, bea) = in_a_meeting(hall, "bea")
    anna.hears(620)
    anna.do("mute", user="bea")
    bea.event(event="voice", what="silenced")
    check(anna.is_silent(620), "bea is heard all the same")
    anna.do("lock-mic")
    anna.do("unlock-mic")


@story
def a_third_comes_and_goes(hall):
    link, (anna, bea) = in_a_meeting(hall, "bea")
    bea.hears(440)
    words = bea.verify()
    gus = Voice(guest(hall), link, 1000, "--name", "Gus")
    gus.entered()
    anna.hears(1000)
    bea.hears(1000)
    gus.hears(440)
    gus.hears(620)
    until(lambda: {p["name"]: p["trust"] for p in anna.others()} == {"bea": "new", "Gus": "guest"}, "who is known")
    check(gus.verify() != words, "the words are those of other people")
    equal(gus.verify(), anna.verify())
    gus.leave()
    until(lambda: {p["name"] for p in anna.figures()["people"]} == {"anna", "bea"}, "gus is gone")
    bea.hears(440)
    check(bea.is_silent(1000), "gus is heard after he left")
    equal(bea.verify(), words)


@story
def plain_samples(hall):
    anna, bea = hall.users("anna", "bea")
    code = new(anna, "--title", "Lab", "--open")["code"]
    a = Voice(anna, code, 440, "--codec", "pcm")
    a.entered()
    b = Voice(bea, code, 620, "--codec", "pcm", "--frame", "5")
    b.entered()
    b.hears(440)
    a.hears(620)
    equal(a.figures()["codec"], "pcm")


@story
def over_a_bad_link(hall):
    anna, bea = hall.users("anna", "bea")
    code = new(anna, "--title", "Train", "--open")["code"]
    a = Voice(anna, code, 440)
    a.entered()
    b = Voice(bea, code, None, "--link", "loss=5% delay=10ms")
    b.entered()
    b.hears(440, 50)
    until(lambda: any(p["bits"] for p in b.others()), "figures of anna's voice")
    anna_there = b.others()[0]
    check(anna_there["loss_percent"] > 0.5, "the link's loss is not seen", anna_there)
    check(anna_there["left_percent"] < anna_there["loss_percent"], "nothing was repaired", anna_there)


@story
def a_server_that_restarts_has_voices_again(hall):
    link, (anna, bea) = in_a_meeting(hall, "bea")
    bea.hears(440)
    hall.kill()
    hall.start()
    bea.hears(440, 10)
    anna.hears(620, 10)


@story(short=True)
def for_so_many_seconds(hall):
    anna, = hall.users("anna")
    code = new(anna, "--title", "Solo", "--open")["code"]
    seat = Voice(anna, code, 440, "--for", "2")
    seat.entered()
    seat.over("left", 0)
    check(len(seat.stats.read_text().splitlines()) >= 1, "no figures")
    with wave.open(str(seat.wav)) as w:
        equal((w.getframerate(), w.getnchannels(), w.getsampwidth()), (RATE, 1, 2))


@story(short=True)
def what_cannot_be_is_said(hall):
    anna, = hall.users("anna")
    code = new(anna, "--title", "Solo", "--open")["code"]
    for words in (["--mic", "file:/nowhere.wav"], ["--codec", "mp3"], ["--frame", "7"], ["--bitrate", "500"],
                  ["--codec", "pcm", "--frame", "60"], ["--for", "0"]):
        done = anna.run("meet", "join", code, *words, status=None)
        check(done.status in (1, 2), words, done)


@story
def a_recording_has_a_track_each(hall):
    anna, bea = hall.users("anna", "bea")
    code = new(anna, "--title", "Choir", "--open")["code"]
    file, mixed = pathlib.Path(anna.home) / "choir.webm", pathlib.Path(anna.home) / "choir.wav"
    a = Voice(anna, code, 440, "--record", file)
    a.entered()
    b = Voice(bea, code, 620)
    b.entered()
    check(b.row("anna")["recording"], "bea is not told that she is recorded")
    a.hears(620, 10)
    a.leave()
    anna.run("meet", "compose", file, mixed)
    for hz in (440, 620):
        check(Ear(mixed).loud(hz) >= 5, hz, "is not in the recording")


@story
def figures_are_for_hosts(hall):
    link, (anna, bea) = in_a_meeting(hall, "bea")
    bea.hears(440)
    code = anna.user.rows("meet", "list")[-1]["code"]
    def measured():
        rows = anna.user.rows("meet", "stats", code)
        return rows if all(any(f["stream"] == 0 and f["rtt_ms"] > 0 for f in d["figures"]) for d in rows) else None
    rows = until(measured, "everybody's figures")
    equal({(d["name"], d["here"]) for d in rows}, {("anna", True), ("bea", True)})
    bea.user.run("meet", "stats", code, status=1)


@story
def words_without_a_sound(hall):
    link, (anna, bea) = in_a_meeting(hall, "bea")
    done = guest(hall).run("meet", "verify", link, "--name", "Ida")
    words = [row["text"] for row in done.rows if row.get("what") == "code"]
    equal([len(w.split()) for w in words], [8])
    known = documented()
    for row in done.rows + [anna.figures()]:
        unknown = [key for key in list(row) + [k for p in row.get("people", []) for k in p] if key not in known]
        check(not unknown, "not in roost-json(5):", unknown)


@story
@with_screens
def what_is_not_sealed_says_so(hall):
    """Wherever it is shown, to everybody, and it can be heard all the same."""
    anna, bea = hall.users("anna", "bea")
    made = new(anna, "--title", "Open air", "--open", "--unsealed")
    check(not made["sealed"] and not anna.rows("meet", "list")[-1]["sealed"], made)
    check("NOT SEALED END TO END" in anna.run("meet", "list", json=False).out, "the list")
    check("NOT SEALED END TO END" in anna.run("meet", "new", "--unsealed", json=False).out, "what was made")
    a = Voice(anna, made["code"], 440)
    check(not a.event(event="ticket")["meeting"]["sealed"], "the ticket")
    check(not a.entered()["sealed"], "sound")
    argv = bea.argv("meet", "join", made["code"], "--mic", "tone:620", "--speaker", "null", json=False)
    screen = Screen(hall, argv, bea.env(), columns=48)
    rows = screen.until(lambda rows: any(r.startswith("[NOT SEALED · ") for r in rows), "the line to type on")
    check(any("NOT SEALED END TO END" in r for r in rows), "who is there", rows)
    a.hears(620)
    check(not a.figures()["sealed"], "figures")
    check(anna.rows("meet", "new", "--sealed")[-1]["sealed"], "and others are")


@story
def a_rehearsal(hall):
    anna, = hall.users("anna")
    wav = pathlib.Path(anna.home) / "heard.wav"
    lines = anna.follow("rehearse", "--people", 3, "--mic", "none", "--speaker", f"file:{wav}", stdin=True)
    check(lines.event(event="meeting")["title"] == "Rehearsal")
    equal(len(lines.event(event="ticket")["attendees"]), 4)
    speakers = {lines.event(event="voice", what="speaker")["name"] for _ in range(2)}
    check(speakers <= {"", "Ada", "Bert", "Cleo"}, speakers)
    ear = Ear(wav)
    until(lambda: any(abs(x) > 1000 for x in ear.samples()), "a voice is heard")
    lines.type('{"cmd": "mute-all", "id": 1}\n')
    check(lines.event(event="reply", id=1)["ok"])
    lines.type('{"cmd": "leave", "id": 2}\n')
    equal(lines.event(event="over")["reason"], "ended")
    equal(lines.process.wait(60), 0)


@story
def another_device_of_somebody_is_a_stranger(hall):
    """Who was met with one device is not believed with another, loudly; both devices of hers are in the list."""
    link, (anna, bea) = in_a_meeting(hall, "bea")
    bea.hears(440)
    until(lambda: [p["trust"] for p in anna.others()] == ["new"], "the first device of bea's")
    bea.leave()
    again = Voice(bea.user, anna.user.rows("meet", "list")[-1]["code"], 620)
    until(lambda: [p["trust"] for p in anna.others()] == ["known"], "the same device again")
    elsewhere = User(hall, "bea", password=bea.user.password)
    elsewhere.login()
    other = Voice(elsewhere, anna.user.rows("meet", "list")[-1]["code"], 800)
    other.entered()
    equal(anna.event(event="voice", what="alarm")["name"], "bea")
    until(lambda: sorted(p["trust"] for p in anna.others()) == ["known", "stranger"], "both devices")
    anna.hears(800)
    anna.hears(620)
    words = {seat.verify() for seat in (anna, again, other)}
    equal(len(words), 1)


@story
@with_screens
def people_above_the_line_that_is_typed(hall):
    """They come and go, speak and fall silent; what is typed stays, and everything is there once."""
    anna, = hall.users("anna")
    argv = anna.argv("rehearse", "--people", 4, "--mic", "none", "--speaker", "null", json=False)
    screen = Screen(hall, argv, anna.env(), columns=80, rows=24)
    is_head = lambda row: row.startswith(" sealed end to end · ")  # noqa: E731
    panel = lambda rows: rows[[i for i, row in enumerate(rows) if is_head(row)][-1]:-1]  # noqa: E731
    rows = screen.until(lambda rows: any(is_head(row) for row in rows) and any("Dag" in row for row in panel(rows)), "people")
    equal(len(panel(rows)), 4, rows)  # five people, two in a row
    screen.type("half a line")
    screen.keys("Left", "Left")
    rows = screen.until(lambda rows: rows[-1].endswith("] half a line") or "half a line" in rows[-1], "what was typed")
    x, levels = screen.cursor[0] - rows[-1].index("half"), {tuple(panel(rows))}

    def lives():
        now = screen.rows
        if "half a line" not in now[-1] or not any(is_head(row) for row in now):
            return False  # in the middle of being drawn
        levels.add(tuple(panel(now)))
        return len(levels) > 3
    until(lives, "levels that change")
    once = lambda rows: (sum("half a line" in row for row in rows), sum(is_head(row) for row in rows)) == (1, 1)  # noqa: E731
    screen.until(lambda rows: once(rows) and "half a line" in rows[-1], "the line, and the people, once")
    until(lambda: screen.cursor[0] - screen.rows[-1].find("half") == x, "the cursor where it was")
    screen.keys("Enter")
    screen.until(lambda rows: any("anna: half a line" in row for row in rows[:-4]) and once(rows), "it is said, above the people")
    screen.type("/mute Ada")
    screen.keys("Enter")
    screen.until(lambda rows: any("Ada" in row and "muted" in row for row in rows[-5:]), "who is muted")
    screen.type("/leave")
    screen.keys("Enter")
    rows = screen.until(lambda rows: any("The meeting has ended" in row for row in rows), "the end")
    equal(sum(is_head(row) for row in rows), 0, rows)
