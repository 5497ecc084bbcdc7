"""What one can choose of one's own sound: when it goes, how loud others are, how long a frame is."""
import json

from harness import check, story, until
from test_meet import new
from test_voice import Voice, in_a_meeting


def wish(seat, cmd, **members):
    """What has no answer but that it is so."""
    seat.lines.type(json.dumps({"cmd": cmd, **members}) + "\n")


@story
def push_to_talk(hall):
    anna, bea = hall.users("anna", "bea")
    code = new(anna, "--title", "Radio", "--open")["code"]
    a = Voice(anna, code, 440, "--ptt")
    a.entered()
    b = Voice(bea, code)
    b.entered()
    check(b.is_silent(440), "she is heard before she talks")
    until(lambda: a.figures()["muted"], "anna knows that nothing goes")
    check(a.figures()["frames_sent"] == 0, a.figures())
    wish(a, "talk")
    b.hears(440)
    wish(a, "hush")
    until(lambda: a.figures()["muted"], "anna knows that nothing goes")
    sent = a.figures()["frames_sent"]
    check(b.is_silent(440), "she is heard after she talked")
    check(a.figures()["frames_sent"] <= sent + 10, "frames leave", sent, a.figures())


@story
def each_is_as_loud_as_one_likes(hall):
    link, (anna, bea, carl) = in_a_meeting(hall, "bea", "carl")
    carl.hears(440)
    carl.hears(620)
    wish(carl, "volume", user="anna", text="0")
    check(carl.is_silent(440), "anna is heard all the same")
    carl.hears(620)
    bea.hears(440)  # it is carl's affair alone
    wish(carl, "volume", user="anna", text="100")
    carl.hears(440)


@story
def frames_of_each_length(hall):
    anna, bea = hall.users("anna", "bea")
    code = new(anna, "--title", "Lab", "--open")["code"]
    for words, shown in ((["--frame", "10"], ("opus", 10)), (["--frame", "60"], ("opus", 60)),
                         (["--music", "--bitrate", "96"], ("opus", 20)), (["--codec", "pcm"], ("pcm", 20))):
        a = Voice(anna, code, 440, *words)
        a.entered()
        b = Voice(bea, code, 620)
        b.entered()
        b.hears(440)
        a.hears(620)
        line = a.figures()
        check((line["codec"], line["frame_ms"]) == shown, words, line)
        a.leave()
        b.leave()
        for seat in (a, b):
            seat.wav.unlink()
            seat.stats.unlink()


@story
def figures_say_why_and_stay(hall):
    anna, bea = hall.users("anna", "bea")
    code = new(anna, "--title", "Train", "--open")["code"]
    a = Voice(anna, code, 440)
    a.entered()
    b = Voice(bea, code, None, "--link", "loss=10%")
    b.entered()
    b.hears(440, 30)
    until(lambda: any("lost" in p["why"] or "held" in p["why"] for p in b.others()), "why it changed", 60)
    def reported():
        rows = {d["name"]: d for d in anna.rows("meet", "stats", code)}
        there = rows.get("bea")
        done = there and there["server"] and there["summary"]["loss_percent"] > 1 and there["summary"]["why"]
        return there if done else None
    row = until(reported, "bea's summary", 60)
    check(row["here"] and any(f["loss_percent"] > 0 for f in row["figures"]), row)
    number = f"#{b.figures()['meeting']}"
    b.leave()
    a.do("end")
    a.over("ended", 0)
    row = next(d for d in anna.rows("meet", "stats", number) if d["name"] == "bea")
    check(not row["here"] and row["summary"]["loss_percent"] > 1 and row["summary"]["left"], row)
    check("lost" in row["summary"]["why"] or "held" in row["summary"]["why"], row)
