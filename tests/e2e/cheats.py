#!/usr/bin/python3
"""cheats.py BUILD CHEATING [NAME...] - a server that cheats (CHEATING/bin/roostd, of a build with -Dcheat=true), one cheat a story, and
real clients of BUILD: each is noticed, or does no harm. docs/SECURITY.md says which.

Three take part: anna (440 Hz), who came first, bea (620 Hz) and carl (800 Hz). Of frames anna's suffer, as her stream is the
first."""
import pathlib
import sys
import time

import harness
import run
from harness import check, equal, story, until
from test_crowd import metrics
from test_meet import new
from test_voice import Voice

VARIABLE, A_CHEAT = b"ROOST_CHEAT", b"sender-swapped"
NAMES = ("anna", "bea", "carl")
HZ = {"anna": 440, "bea": 620, "carl": 800}


class Cheating(harness.Hall):
    """A hall whose server is another build's."""

    cheating = None

    def __init__(self, build, *options, **more):
        super().__init__(build, *options, **more)
        self.roostd = pathlib.Path(self.cheating).resolve() / "bin" / "roostd"
        self.more_env["ROOST_CHEAT"] = "none"

    def cheats(self, name):
        """From now on: it begins anew."""
        self.stop()
        self.more_env["ROOST_CHEAT"] = name
        self.start()
        check(any(name in line for line in self.server.seen), "it does not say that it cheats:", self.server.seen)


def three(hall, cheat):
    """In a meeting of a server that cheats so; who they are, by name."""
    hall.cheats(cheat)
    users = hall.users(*NAMES)
    code = new(users[0], "--title", "Choir", "--open")["code"]
    seats = [Voice(users[0], code, HZ["anna"])]
    until(lambda: metrics(hall)["roost_media_parts_total"] > 0, "anna's stream is the first")
    seats += [Voice(user, code, HZ[user.name]) for user in users[1:]]
    for seat in seats:
        check(seat.entered()["sealed"], "not sealed end to end")
    return dict(zip(NAMES, seats))


def alarm(seat, text, **wanted):
    """The next one that says this."""
    while True:
        row = seat.event(event="voice", what="alarm", **wanted)
        if text in row["text"]:
            return row


def others_go_on(seats):
    seats["carl"].hears(620)
    seats["anna"].hears(620)
    seats["bea"].hears(800)


def is_not_played(hall, cheat):
    """Anna's voice is altered: nobody plays it, all are told, and all others are heard."""
    seats = three(hall, cheat)
    for name in ("bea", "carl"):
        alarm(seats[name], "changed on the way", name="anna")
    others_go_on(seats)
    for name in ("bea", "carl"):
        equal(seats[name].ear.loud(440), 0, f"{name} hears what anna did not say")
    row = until(lambda: next((p for p in seats["bea"].others() if p["name"] == "anna" and p["unopened"] > 25), None), "it is counted")
    check(not row["heard"], row)


@story
def a_frame_with_the_tail_of_another(hall):
    is_not_played(hall, "frame-swapped")


@story
def a_frame_whose_parts_are_swapped(hall):
    is_not_played(hall, "parts-swapped")


@story
def a_frame_that_is_cut_short(hall):
    is_not_played(hall, "frame-truncated")


@story
def a_frame_that_is_said_to_be_no_key_frame(hall):
    is_not_played(hall, "key-flag")


@story
def a_frame_with_the_tail_of_another_sender(hall):
    seats = three(hall, "sender-swapped")
    names = {alarm(seats["carl"], "changed on the way")["name"] for _ in range(2)}
    check(names <= {"anna", "bea"}, names)
    for name, seat in seats.items():
        for hz in HZ.values():
            # the first frames came before there was anybody to swap with
            check(seat.ear.loud(hz) <= 10, name, "hears", hz, "Hz")


@story
def frames_once_more(hall):
    """Each is taken once: it sounds as if nobody cheated."""
    seats = three(hall, "frame-replayed")
    seats["bea"].hears(440, 30)
    others_go_on(seats)
    equal(seats["bea"].verify(), seats["anna"].verify())
    quiet(seats)


@story
def frames_that_come_late(hall):
    """One in ten, two seconds later: what the next frame carries of them is played, or they are made up for; nobody plays them
    when they come."""
    seats = three(hall, "frame-delayed")
    seats["bea"].hears(440, 50)
    others_go_on(seats)
    quiet(seats)


def quiet(seats):
    """Nobody was alarmed until now."""
    for seat in seats.values():
        seat.do("who")
        rows = [harness.parse(line) for line in seat.lines.seen]
        alarms = [r for r in rows if r and r.get("what") == "alarm"]
        check(not alarms, alarms)


def is_shown(hall, cheat, name, trust):
    """Somebody is in everybody's list who is not in the meeting: it is seen, and changes the words."""
    seats = three(hall, cheat)
    for seat in seats.values():
        row = until(lambda: next((p for p in seat.others() if p["device"] == "box"), None), "who was inserted")
        equal((row["name"], row["trust"]), (name, trust))
    there, _ = seats["anna"].there()
    equal(sorted(there), sorted(NAMES), "in the meeting nobody else is")
    others_go_on(seats)
    words = {seat.verify() for seat in seats.values()}
    equal(len(words), 1)
    hall.cheats("none")
    for seat in seats.values():
        until(lambda: not any(p["device"] == "box" for p in seat.others()) and len(seat.others()) == 2, "the list without")
    check(seats["anna"].verify() not in words, "the words do not tell")


@story
def somebody_is_inserted(hall):
    is_shown(hall, "member-inserted", "Eve", "guest")


@story
def a_device_of_somebody_is_inserted(hall):
    is_shown(hall, "device-inserted", "anna", "unproven")


@story
def people_are_shown_different_lists(hall):
    """Keys that are bound to another list are not taken, and it is said; the words differ too."""
    seats = three(hall, "list-differs")
    alarm(seats["bea"], "shown another list", name="anna")
    alarm(seats["anna"], "shown another list")
    seats["carl"].hears(620)
    seats["bea"].hears(800)
    equal(seats["bea"].verify(), seats["carl"].verify())
    check(seats["anna"].verify() != seats["bea"].verify(), "the words are the same")
    equal(seats["bea"].ear.loud(440), 0, "anna is heard all the same")


@story
def an_old_list_is_shown_again(hall):
    """A roll back: it is not taken, and it is said."""
    seats = three(hall, "list-old")
    until(lambda: all(len(seat.others()) == 2 for seat in seats.values()), "a list of all")
    dora = Voice(hall.user("dora"), seats["anna"].user.rows("meet", "list")[-1]["code"], 1000)
    alarm(seats["anna"], "old list")
    seats["anna"].hears(1000)
    dora.leave()
    until(lambda: all(len(seat.others()) == 2 for seat in seats.values()), "a list without dora")
    seats["bea"].hears(440)
    others_go_on(seats)
    equal({p["name"] for p in seats["anna"].figures()["people"]}, set(NAMES), "the list is the new one")
    equal(len({seat.verify() for seat in seats.values()}), 1)


@story
def old_messages_of_keys_come_again(hall):
    """They are known, and change nothing: also not after somebody has left, and all keys are new."""
    seats = three(hall, "keys-old")
    seats["carl"].hears(440)
    others_go_on(seats)
    seats.pop("carl").leave()
    until(lambda: len(seats["anna"].others()) == 1, "carl is gone")
    seats["bea"].hears(440, 20)
    seats["anna"].hears(620, 20)
    quiet(seats)


def nobody_believes_them(seats):
    """Messages of keys that are not what they say: all are told, and nobody hears anybody."""
    for seat in seats.values():
        alarm(seat, "did not write a message of keys")
    for name, seat in seats.items():
        for hz in HZ.values():
            equal(seat.ear.loud(hz), 0, f"{name} hears {hz} Hz")


@story
def messages_of_keys_are_forged(hall):
    """Nobody takes such a key, so nobody is heard; all are told."""
    seats = three(hall, "keys-forged")
    nobody_believes_them(seats)


@story
def keys_in_the_name_of_somebody_else(hall):
    seats = three(hall, "keys-renamed")
    nobody_believes_them(seats)


@story
def a_key_of_the_servers(hall):
    """In a meeting that is sealed end to end, the server wants to give the key: no sound leaves."""
    hall.cheats("unsealed")
    anna, = hall.users("anna")
    made = new(anna, "--open")
    check(made["sealed"], made)
    seat = Voice(anna, made["code"], 440)
    row = seat.event(event="voice", what="over")
    check("sealed otherwise" in row["text"], row)
    equal([p for p in seat.lines.seen if '"entered"' in p], [])


@story
def a_meeting_that_is_said_not_to_be_sealed_after_all(hall):
    """Who is in it sends nothing more, and is told."""
    hall.cheats("unsealed-later")
    anna, bea = hall.users("anna", "bea")
    code = new(anna, "--open")["code"]
    a, b = Voice(anna, code, 440), Voice(bea, code, 620)
    check(a.entered()["sealed"] and b.entered()["sealed"])
    a.hears(620)
    a.do("title", text="Another")
    for seat in (a, b):
        check("sealed otherwise" in seat.event(event="voice", what="over")["text"])
    until(lambda: nothing_comes(hall), "nobody sends any more")


def nothing_comes(hall):
    before = metrics(hall)["roost_media_parts_total"]
    time.sleep(0.5)
    return metrics(hall)["roost_media_parts_total"] == before


def no_other_server_cheats(build, cheating):
    """The programs that people get know nothing of it."""
    for program in ("roostd", "roost", "roost-crowd"):
        bytes_of = (pathlib.Path(build) / "bin" / program).read_bytes()
        check(VARIABLE not in bytes_of and A_CHEAT not in bytes_of, program, "can cheat")
    bytes_of = (pathlib.Path(cheating) / "bin" / "roostd").read_bytes()
    check(VARIABLE in bytes_of and A_CHEAT in bytes_of, "the other one cannot cheat")


def main(build, cheating, *names):
    Cheating.cheating = cheating
    harness.Hall = Cheating
    stories = [s for s in harness.STORIES if s[0].__module__ == __name__ and (not names or any(n in s[0].__name__ for n in names))]
    for told in stories:
        told[0].__module__ = "test_cheats"
    failed = 0
    try:
        no_other_server_cheats(build, cheating)
        print("ok cheats.no_other_server_cheats")
    except harness.Failure as e:
        print(f"FAIL cheats.no_other_server_cheats: {e}")
        failed = 1
    return failed + run.tell(build, stories) > 0


if __name__ == "__main__":
    sys.modules["cheats"] = sys.modules["__main__"]
    sys.exit(main(*sys.argv[1:]))
