"""Meetings: under which name people speak there, at once and whenever it is read."""
import csv

from harness import check, equal, story
from test_meet import Seat, guest, meeting
from test_meet_words import Screenless


def told(rows):
    """Who said what, and what happened to names."""
    said = [(r["from"], r["text"]) for r in rows if r["event"] == "message"]
    return said, [(r["from"], r["old_name"], r["attendees"][0]["name"]) for r in rows if r.get("action") == "rename"]


@story
def two_of_one_name_and_a_renamed_one(hall):
    admin = hall.admin()
    anna, made, host = meeting(hall, "--title", "Tea", "--open")
    people = Screenless(hall.user("carl"), made["code"])
    ben = Seat(hall.user("ben"), made["code"])
    ben.event(event="ticket")
    first = Seat(guest(hall), made["link"], "--name", "Gus")
    equal(first.event(event="ticket")["you"]["name"], "Gus")
    second = Seat(guest(hall), made["link"], "--name", "Gus")
    equal(second.event(event="ticket")["you"]["name"], "Gus 2")
    seats = {first: "Gus", second: "Gus 2", ben: "ben"}
    numbers, expected = {}, []
    for seat, name in seats.items():
        seat.do("say", text=f"I am {name}")
        expected.append((name, f"I am {name}"))
        heard = host.event(event="message", text=f"I am {name}")
        equal((heard["from"], heard["account"]), (name, host.row(name)["account"]))
        numbers[seat] = heard["account"]
    equal(len(set(numbers.values())), 3)
    people.lines.until(r"\d Gus 2 \(guest\): I am Gus 2")

    # the number in a message is one that a host acts on
    host.do("mute", user=f"#{numbers[second]}")
    equal((host.row(seats[second])["muted"], host.row(seats[first])["muted"]), (True, False))
    second.do("rename", text="Gustav")
    people.lines.until(f"- {seats[second]} is called Gustav \\(guest\\) now")
    host.do("rename", user="ben", text="Benjamin")
    people.lines.until("- anna gave ben a new name: Benjamin")
    ben.event(event="met", action="rename", old_name="ben")
    for seat, name in ((second, "Gustav"), (ben, "Benjamin")):
        seat.do("say", text=f"now I am {name}")
        expected.append((name, f"now I am {name}"))
        equal(host.event(event="message", text=f"now I am {name}")["account"], numbers[seat])
    chat = str(made["meeting"])
    ben.user.run("send", "--text", "a text that is kept", chat)
    equal(host.event(event="filed")["from"], "Benjamin")
    second.do("note", user="anna", text="psst")
    note = host.event(event="message", text="psst")
    equal((note["from"], note["account"], note["to"]), ("Gustav", numbers[second], "@anna"))
    people.lines.until(r"\d Benjamin: now I am Benjamin")

    # who comes back to a server that was away, and whoever reads later, is told the same
    hall.stop()
    hall.start()
    for seat in (host, ben):
        seat.event(event="ticket", again=True)
    ben.do("say", text="still Benjamin")
    expected.append(("Benjamin", "still Benjamin"))
    equal(host.event(event="message", text="still Benjamin")["from"], "Benjamin")
    anna.run("meet", "who", made["code"], "--csv", str(hall.dir / "list.csv"))
    rows = {r["name"]: r for r in csv.DictReader((hall.dir / "list.csv").read_text().splitlines())}
    equal(rows["Benjamin"]["account"], "ben")
    equal(rows["Gustav"]["number"], str(numbers[second]))
    host.do("end")
    host.over("ended", 0)
    for since in ((), ("--since", "1 hour ago")):
        rows = anna.rows("read", chat, "--last", "200", *since)
        said, names = told(rows)
        equal(said, expected)
        equal([r["from"] for r in rows if r["event"] == "filed"], ["Benjamin"])
        equal(names, [(seats[second], seats[second], "Gustav"), ("anna", "ben", "Benjamin")])
    equal([(r["from"], r["account"]) for r in anna.rows("read", chat, "--search", "Gustav")], [("Gustav", numbers[second])])
    equal([r["from"] for r in anna.rows("read", "--search", "psst")], ["Gustav"])
    equal([r["from"] for r in anna.rows("files", chat) if r["event"] == "file"], ["Benjamin"])
    (notes,) = [r for r in anna.rows("rooms", "--mine") if r["kind"] == "direct"]
    equal((notes["name"], notes["closed"], notes["room"]), ("Gustav", True, note["room"]))  # readable, and nobody is there any more
    admin.run("admin", "export", str(hall.dir / "export"))
    (text,) = [p.read_text() for p in (hall.dir / "export").glob("meeting-Tea-*.log")]
    for name, words in expected:
        check(f"; {name}; {words}\n" in text, name, text)

    # with an account goes what it was called; that something was done stays
    admin.run("admin", "user", "delete", "ben", "--yes")
    rows = anna.rows("read", chat, "--last", "200")
    left = [r for r in rows if {"ben", "Benjamin"} & {r["from"], r.get("old_name"), *(a["name"] for a in r.get("attendees") or [])}]
    equal(left, [])
    equal([r["action"] for r in rows if r["event"] == "met" and r["action"] not in ("created", "came", "mute", "rename", "leave", "end")], [])
    equal([r["from"] for r in rows if r.get("action") == "rename"], ["Gus 2", "anna"])
