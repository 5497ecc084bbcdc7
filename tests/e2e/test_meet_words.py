"""What people in a meeting are told: whose meeting, why not, who is a guest, where one left."""
import json

from harness import PATIENCE, Lines, User, check, equal, story, until
from test_cli import completed
from test_meet import Seat, guest, meeting, new
from test_terminal import Screen, with_screens


class Screenless:
    """In a meeting as people see it, without a terminal."""

    def __init__(self, user, *words):
        argv = user.argv("meet", "join", *words, json=False)
        self.lines = user.hall.keep(Lines(argv, user.env(), True))
        self.lines.until("You (are in|wait in the lobby of)")


def said_of(reply):
    check(not reply["ok"], reply)
    return reply["error"]["text"] + "; " + reply["error"]["advice"]


@story
def a_mistyped_successor_is_nobody_and_one_stays(hall):
    anna, made, host, dora = meeting(hall, others=("dora",))
    said = said_of(host.ask("leave", user="dorra"))
    check("“dorra”" in said and "you have not left" in said, said)
    equal(host.row("anna")["role"], "host")
    equal(host.ask("leave", user="anna")["ok"], False)
    host.do("leave", user="dora")
    host.over("left", 0)
    until(lambda: dora.row("dora")["role"] == "host", "dora is host")


@story
def two_meetings_at_once_do_not_mix(hall):
    anna = hall.user("anna")
    other = User(hall, "anna", password=anna.password)
    other.login()
    one, two = new(anna, "--title", "One"), new(anna, "--title", "Two")
    first, second = Seat(anna, one["code"]), Seat(other, two["code"])
    for seat in (first, second):
        seat.event(event="ticket")
    dora = Seat(hall.user("dora"), two["code"])
    dora.event(event="ticket")
    equal(second.event(event="lobby")["waiting"][0]["name"], "dora")
    dora.leave()
    until(lambda: second.event(event="lobby")["waiting"][0]["state"] == "out", "dora is out")
    second.do("react", emoji="x")
    second.do("say", text="in the second")
    second.do("end")
    second.over("ended", 0)
    first.do("say", text="still here")
    first.leave()
    rows = [json.loads(line) for line in first.lines.seen]
    foreign = [r for r in rows if two["meeting"] in (r.get("meeting"), r.get("room"))]
    check(not foreign, "of the other meeting:", foreign)


@story
def who_leaves_on_one_device_has_left_on_all(hall):
    anna, made, host, ben = meeting(hall, others=("ben",))
    tablet = User(hall, "ben", password="secret of ben")
    tablet.login()
    again, window = Seat(tablet, made["code"]), Seat(ben.user, made["code"])
    for seat in (again, window):
        equal(seat.event(event="ticket")["you"]["state"], "in")
    people = Screenless(tablet, made["code"])
    ben.leave()
    again.over("left", 0)
    window.over("left", 0)
    people.lines.until("You left this meeting in another window or on another device")
    equal(people.lines.process.wait(PATIENCE), 0)
    until(lambda: host.there()[0] == ["anna"], "ben is out")
    # who waits is told too
    carl = hall.user("carl")
    phone = User(hall, "carl", password=carl.password)
    phone.login()
    seats = [Seat(user, made["code"]) for user in (carl, phone)]
    for seat in seats:
        equal(seat.event(event="ticket")["you"]["state"], "waiting")
    seats[0].leave()
    seats[1].over("left", 0)


@story
def guests_are_marked(hall):
    anna, made, host = meeting(hall, "--open")
    gus = Seat(guest(hall), made["link"], "--name", "Gus")
    equal(gus.event(event="ticket")["you"]["guest"], True)
    host.event(event="met", action="came")
    people = Screenless(hall.user("ben"), made["code"])
    gus.do("say", text="hello")
    equal(host.event(event="message", text="hello")["guest"], True)
    people.lines.until(r"\d Gus \(guest\): hello")
    gus.do("note", user="anna", text="psst")
    equal(host.event(event="message", text="psst")["guest"], True)
    gus.do("react", emoji="👍")
    equal(host.event(event="reaction")["guest"], True)
    people.lines.until(r"- Gus \(guest\): 👍")
    gus.do("hand")
    people.lines.until(r"- Gus \(guest\) raised the hand")
    host.do("say", text="yes?")
    equal(gus.event(event="message", text="yes?")["guest"], False)
    gus.leave()
    equal(host.event(event="met", action="leave")["guest"], True)


@story
def a_command_beside_the_meeting_says_as_much(hall):
    anna, made, host, ben = meeting(hall, others=("ben",))
    carl = Seat(hall.user("carl"), made["code"])
    carl.event(event="ticket")

    def said(user, *words):
        error = user.run("meet", "host", made["code"], *words, status=1).error
        return error["text"] + "; " + error["advice"]
    equal(said(ben.user, "lock"), "only a host or co-host can do this; roost meet who CODE shows who they are")
    equal(said(ben.user, "end"), "only the host can do this; roost meet who CODE shows who they are")
    check("“carl” still waits" in said(anna, "mute", "carl"))
    check("“ben” is in the meeting already" in said(anna, "admit", "ben"))
    check("nobody called “dora” is in the meeting" in said(anna, "mute", "dora"))
    host.do("make-cohost", user="ben")
    check("a co-host cannot do this to a host" in said(ben.user, "mute", "anna"))
    check("or you are not in this meeting" in said(hall.user("eve"), "mute", "anna"))
    names = {word: anna.run("meet", "host", made["code"], *word.split(), status=1).error["name"] for word in ("mute dora", "unlock")}
    equal(names, {"mute dora": "not-in-meeting", "unlock": "already"})


@story
def refusals_say_what_they_are_about(hall):
    anna, made, host, ben = meeting(hall, others=("ben",))
    carl = Seat(hall.user("carl"), made["code"])
    carl.event(event="ticket")
    for cmd, more in (("say", {"text": "hello?"}), ("hand", {}), ("react", {"emoji": "x"})):
        check("you wait in the lobby" in said_of(carl.ask(cmd, **more)), cmd)
    check("still waits" in said_of(host.ask("mute", user="carl")))
    check("is in the meeting already" in said_of(host.ask("admit", user="ben")))
    host.do("deny", user="carl")
    check("nobody waits in the lobby" in said_of(host.ask("admit-all")))
    for act in ("forbid-chat", "forbid-notes", "forbid-share", "forbid-rename", "lock-mic"):
        host.do(act)
        ben.event(event="met", action=act)
    check("turned the chat off" in said_of(ben.ask("say", text="x")))
    check("locked the microphones" in said_of(ben.ask("unmute")))
    check("turned off presenting" in said_of(ben.ask("share")))
    check("turned off renaming" in said_of(ben.ask("rename", text="Benjamin")))
    check("only a host or co-host" in said_of(ben.ask("lock")))
    check("at most 200 bytes" in said_of(host.ask("title", text="x" * 300)))
    check("single spaces" in said_of(host.ask("rename", text="what's this?")))
    check("turned the chat off" in said_of(ben.ask("say", text="x")))
    for wrong in ('{"cmd":"mute","user":null}', '{"cmd":"hand-up","text":"I SHOUT"}'):
        ben.lines.type(wrong + "\n")
        equal(ben.event(event="reply")["error"]["name"], "usage")
    # and from outside
    dora = hall.user("dora")
    check("you are not in this meeting" in dora.run("meet", "who", made["code"], json=False, status=1).err)
    done = anna.run("meet", "host", made["code"], "mute", "nobody", json=False, status=1)
    check("“nobody”" in done.err, done.err)


@story(options=("--set", "code_tries=4"))
def the_door_says_why(hall):
    anna, made, host = meeting(hall)
    code = made["code"]
    ben, visitor = hall.user("ben"), guest(hall)
    # a code as it is printed; a name as it is pasted
    equal(Seat(ben, code[:3], code[3:]).event(event="ticket")["you"]["state"], "waiting")
    equal(Seat(visitor, code, "--name", " Gus ").event(event="ticket")["you"]["name"], "Gus")
    anna.run("meet", "host", code[:3], code[3:], "lock")
    host.event(event="met", action="lock")
    done = hall.user("carl").run("meet", "join", code, status=1)
    equal([r["event"] for r in done.rows], ["error", "over"])
    equal((done.rows[-1]["reason"], done.rows[-1]["meeting"], done.rows[-1]["status"]), ("refused", None, 1))
    host.do("deny", user="ben")
    done = ben.run("meet", "join", code, status=1)
    equal((done.rows[0]["name"], done.rows[-1]["reason"]), ("denied", "denied"))
    done = guest(hall).run("meet", "join", code, "--name", "a*b", json=False, status=1)
    check("single spaces" in done.err, done.err)
    # other numbers of digits are no codes: nothing is asked, and nothing counted
    dora = hall.user("dora")
    for word in ("12345", "1234567890", "12345", "12345", "12345", "12345"):
        done = dora.run("meet", "join", word, json=False, status=2)
        check("six to nine digits" in done.err, done.err)
    for n in range(4):
        dora.run("meet", "join", f"00000{n}", status=1)
    done = dora.run("meet", "join", code, json=False, status=5)
    check("or wait (" in done.err and "log in" not in done.err, done.err)


@story(options=("--set", "code_tries=3"))
def tab_costs_no_guesses(hall):
    anna, made, host, ben = meeting(hall, others=("ben",))
    wrong = "111111" if made["code"] != "111111" else "222222"
    for _ in range(5):
        equal(completed(anna, "meet", "host", wrong, "mute", ""), [])
    equal(sorted(completed(anna, "meet", "host", made["code"], "mute", "")), ["anna", "ben"])
    anna.run("meet", "who", made["code"])


@story
@with_screens
def the_first_host_is_told_of_take_back(hall):
    anna, made, host, ben = meeting(hall, others=("ben",))
    people = Screenless(hall.user("carl"), made["code"])
    host.do("admit", user="carl")
    people.lines.until("You are in")
    host.do("leave", user="carl")
    host.over("left", 0)
    people.lines.until("you are host for now: until .* the first host can take the place back")
    screen = Screen(hall, anna.argv("meet", "join", made["code"], json=False), anna.env(), 120, 20)
    screen.until(lambda rows: any("carl is host in your place: /take-back takes it back, until" in r for r in rows), "the advice")
    screen.type("/take-back")
    screen.keys("Enter")
    screen.until(lambda rows: any("you took the host's place back" in r for r in rows), "host again")
    dora = Seat(hall.user("dora"), made["code"])
    dora.event(event="ticket")
    screen.until(lambda rows: any("dora waits" in r for r in rows), "the lobby")
    screen.type("/message a minute")
    screen.keys("Enter")
    screen.until(lambda rows: any("you wrote to all who wait" in r for r in rows), "the echo")
    screen.type("/ban dora")
    screen.keys("Enter")
    dora.over("banned", 1)
    screen.until(lambda rows: any("dora was banned" in r for r in rows), "the ban")
    screen.type("/leave dorra")
    screen.keys("Enter")
    screen.until(lambda rows: any("nobody called “dorra” is in the meeting" in r for r in rows), "who that is")
    screen.type("/who")
    screen.keys("Enter")
    screen.until(lambda rows: any(r.startswith("In the meeting: 3") for r in rows), "still in")
