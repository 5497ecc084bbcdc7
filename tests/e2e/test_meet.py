"""Meetings: coming in, the lobby, guests, what hosts do, and a server that goes away."""
import csv
import json
import os
import pathlib
import re
import signal

from harness import PATIENCE, Follow, User, check, equal, story, until
from test_cli import documented
from test_terminal import Screen, with_screens


class Seat:
    """Somebody in a meeting (or before its door), by --json."""

    def __init__(self, user, *words):
        self.user = user
        self.lines = user.follow("meet", "join", *words, stdin=True)
        self.n = 0

    def event(self, **wanted):
        return self.lines.event(**wanted)

    def ask(self, cmd, **members):
        """Does it, and waits for its reply."""
        self.n += 1
        self.lines.type(json.dumps({"cmd": cmd, "id": self.n, **members}) + "\n")
        return self.lines.event(event="reply", id=self.n)

    def do(self, cmd, **members):
        reply = self.ask(cmd, **members)
        check(reply["ok"], cmd, members, reply)
        return reply

    def there(self):
        """Names of those who are in, and of those who wait."""
        reply = self.do("who")
        return [a["name"] for a in reply["attendees"]], [a["name"] for a in reply["waiting"]]

    def row(self, name):
        reply = self.do("who")
        found = [a for a in reply["attendees"] + reply["waiting"] if a["name"] == name]
        check(len(found) == 1, name, "is not there once:", reply)
        return found[0]

    def over(self, reason, status):
        event = self.event(event="over")
        equal((event["reason"], event["status"]), (reason, status))
        equal(self.lines.process.wait(PATIENCE), status, "exit status")

    def leave(self):
        self.do("leave")
        self.over("left", 0)


def guest(hall):
    """Somebody without an account; the name comes with --name."""
    return User(hall, None)


def new(user, *words):
    return user.rows("meet", "new", *words)[-1]


def meeting(hall, *words, others=()):
    """A meeting with its host in it, and others let in."""
    anna, *rest = hall.users("anna", *others)
    made = new(anna, "--title", "Maths", *words)
    host = Seat(anna, made["code"])
    equal(host.event(event="ticket")["you"]["state"], "in")
    seats = []
    for user in rest:
        seat = Seat(user, made["code"])
        equal(seat.event(event="ticket")["you"]["state"], "waiting")
        host.event(event="lobby")
        host.do("admit", user=user.name)
        equal(seat.event(event="ticket")["you"]["state"], "in")
        seats.append(seat)
    return anna, made, host, *seats


@story(short=True)
def a_lobby_by_code(hall):
    anna, ben, carl = hall.users("anna", "ben", "carl")
    made = new(anna, "--title", "Maths")
    check(re.fullmatch(r"\d{6}", made["code"]), made)
    equal(made["link"].split("#")[0], f"https://{hall.address}/j/{made['code']}")
    host = Seat(anna, made["code"])
    equal(host.event(event="ticket")["link"], made["link"])

    bens = Seat(ben, made["code"])
    ticket = bens.event(event="ticket")
    equal((ticket["you"]["state"], ticket["link"], ticket["attendees"]), ("waiting", None, []))
    equal(host.event(event="lobby")["waiting"][0]["name"], "ben")
    host.do("message", user="ben", text="a minute")
    equal(bens.event(event="now")["text"], "a minute")
    host.do("admit", user="ben")
    equal(bens.event(event="now")["action"], "admit")
    equal(bens.event(event="ticket")["you"]["state"], "in")
    equal(bens.there(), (["anna", "ben"], []))

    carls = Seat(carl, f"{made['code'][:3]} {made['code'][3:]}")
    equal(carls.event(event="ticket")["you"]["state"], "waiting")
    until(lambda: host.there()[1] == ["carl"], "carl in the lobby")
    equal(bens.there()[1], [])  # only hosts see who waits
    host.do("deny", user="carl")
    carls.over("denied", 1)
    carl.run("meet", "join", made["code"], status=1)  # not again at once

    # who was let in comes back without the lobby
    bens.leave()
    bens = Seat(ben, made["code"])
    equal(bens.event(event="ticket")["you"]["state"], "in")
    equal([row["name"] for row in anna.rows("meet", "who", made["code"])], ["anna", "ben"])
    equal([row["title"] for row in anna.rows("meet", "list")], ["Maths"])
    host.do("end")
    host.over("ended", 0)
    bens.over("ended", 0)


@story
def guests_by_code_and_by_link(hall):
    anna, made, host = meeting(hall, "--open")
    visitor = guest(hall)
    by_code = Seat(visitor, made["code"], "--name", "Dora Lind")
    equal(by_code.event(event="ticket")["you"]["state"], "waiting")  # a bare code always waits
    by_link = Seat(guest(hall), made["link"], "--name", "Dora Lind")
    you = by_link.event(event="ticket")["you"]
    equal((you["state"], you["guest"], you["name"]), ("in", True, "Dora Lind 2"))
    host.do("admit", user="Dora Lind")
    equal(by_code.event(event="ticket")["you"]["state"], "in")
    until(lambda: host.there()[0] == ["anna", "Dora Lind 2", "Dora Lind"], "both Doras")

    # the server of a link is its own, unless -s says otherwise; guests come back as themselves
    by_code.leave()
    link = made["link"].replace("127.0.0.1", "localhost").replace("https://", "roost://")
    argv = visitor.argv("meet", "join", link, "--name", "Dora Lind")
    again = Seat(visitor, link, "--name", "Dora Lind")
    equal(again.event(event="ticket")["you"]["name"], "Dora Lind")
    again.leave()
    at = argv.index("-s")
    bare = hall.keep(Follow(argv[:at] + argv[at + 2:], visitor.env(), True))
    equal(bare.event(event="ticket")["you"]["name"], "Dora Lind")
    check(made["link"].split("#")[1] not in pathlib.Path(f"/proc/{bare.process.pid}/cmdline").read_text(),
          "the secret can be read by ps")
    # what a guest may not
    equal(by_link.ask("remove", user="anna")["error"]["name"], "not-allowed")
    equal(by_link.ask("rename", text="anna")["error"]["name"], "name-taken")
    User(hall, None).run("meet", "join", made["code"], "--name", "anna", status=1)
    host.do("end")
    by_link.over("ended", 0)


@story
def a_guest_can_host(hall):
    greta = guest(hall)
    made = new(greta, "--name", "Greta Ek", "--title", "Tea")
    host = Seat(greta, made["code"], "--name", "Greta Ek")
    you = host.event(event="ticket")["you"]
    equal((you["role"], you["guest"], you["state"]), ("host", True, "in"))
    equal([r["name"] for r in greta.rows("meet", "who", made["code"], "--name", "Greta Ek")], ["Greta Ek"])
    greta.run("meet", "host", made["code"], "lock", "--name", "Greta Ek")
    equal(host.event(event="met")["action"], "lock")
    greta.run("meet", "host", made["code"], "lock", "--name", "Somebody", status=4)
    greta.run("meet", "host", made["code"], "end", "--name", "Greta Ek")
    host.over("ended", 0)


@story
def what_hosts_do(hall):
    anna, made, host, ben, carl = meeting(hall, others=("ben", "carl"))
    host.do("mute", user="ben")
    for seat in (ben, carl):
        equal(seat.event(event="met", action="mute")["attendees"][0]["name"], "ben")
    check(carl.row("ben")["muted"], "ben is not muted")
    ben.do("unmute")
    host.do("lock-mic")
    ben.event(event="met", action="lock-mic")
    check(ben.row("ben")["muted"] and ben.row("carl")["muted"], "all are muted")
    equal(ben.ask("unmute")["error"]["name"], "not-allowed")
    ben.do("hand")
    carl.event(event="met", action="hand-up")
    check(carl.row("ben")["hand_at"], "the hand is not up")
    anna.run("meet", "host", made["code"], "lower-hand", "ben")
    carl.event(event="met", action="lower-hand")
    equal(carl.row("ben")["hand_at"], None)

    # a co-host sees the lobby from then on
    dora = Seat(hall.user("dora"), made["code"])
    dora.event(event="ticket")
    host.do("make-cohost", user="ben")
    equal(ben.event(event="ticket", again=True)["waiting"][0]["name"], "dora")
    ben.do("admit", user="dora")
    dora.event(event="ticket", again=True)
    host.do("share")
    equal(ben.event(event="met", action="start-share")["meeting"]["presenter"], host.row("anna")["account"])
    dora.do("react", emoji="👍")
    equal(carl.event(event="reaction")["name"], "dora")
    dora.do("note", user="carl", text="psst")
    equal(carl.event(event="message")["text"], "psst")
    dora.do("say", text="hello all")
    equal(host.event(event="message")["text"], "hello all")

    host.do("remove", user="carl")
    carl.over("removed", 1)
    host.do("ban", user="dora")
    dora.over("banned", 1)
    doras = User(hall, "dora", home=hall.homes[3])
    equal(doras.run("meet", "join", made["code"], status=1).error["name"], "meeting-banned")
    host.do("leave", user="ben")
    host.over("left", 0)
    equal(ben.event(event="met", action="leave")["meeting"]["host"], ben.row("ben")["account"])
    equal(ben.ask("end")["error"]["name"], "successor")


@story
def who_was_there(hall):
    anna, made, host, ben = meeting(hall, others=("ben",))
    ben.do("rename", text="Benjamin")
    until(lambda: [a["login"] for a in host.do("who")["attendees"]] == ["anna", "ben"], "the accounts")
    check("account ben" in anna.run("meet", "who", made["code"], json=False).out, "who Benjamin is")
    ben.leave()
    rows = anna.rows("meet", "who", made["code"], "--all")
    equal([(r["name"], r["login"], r["state"]) for r in rows], [("anna", "anna", "in"), ("Benjamin", "ben", "out")])
    check(rows[1]["came_at"] and rows[1]["left_at"], rows)
    host.do("end")
    host.over("ended", 0)
    number = made["meeting"]
    path = hall.dir / "list.csv"
    anna.run("meet", "who", f"#{number}", "--csv", path)
    anna.run("meet", "who", f"#{number}", "--csv", path, status=1)
    anna.run("meet", "who", f"#{number}", "--csv", path, "--force")
    with open(path, newline="") as f:
        table = list(csv.reader(f))
    equal(table[0], ["name", "kind", "role", "state", "came", "left", "account", "number"])
    equal([(row[0], row[6]) for row in table[1:]], [("anna", "anna"), ("Benjamin", "ben")])
    equal([row[7] for row in table[1:]], [str(r["account"]) for r in rows])
    check("Benjamin  ben" in anna.run("meet", "who", f"#{number}", "--all", json=False).out, "the account")


@story
def everybody_is_back_after_a_crash(hall):
    anna, made, host, ben = meeting(hall, others=("ben",))
    carl = Seat(hall.user("carl"), made["code"])
    equal(carl.event(event="ticket")["you"]["state"], "waiting")
    dora = Seat(guest(hall), made["link"], "--name", "Dora")
    dora.event(event="ticket")
    host.do("admit", user="Dora")
    dora.event(event="ticket", again=True)
    host.do("lock")
    ben.do("hand")
    host.event(event="met", action="hand-up")
    hall.kill()
    for seat in (host, ben, carl, dora):
        seat.event(event="status", state="lost")
    hall.start()
    equal(host.event(event="ticket", again=True)["you"]["role"], "host")
    for seat, state in ((ben, "in"), (dora, "in"), (carl, "waiting")):
        equal(seat.event(event="ticket", again=True)["you"]["state"], state)
    until(lambda: [a["here"] for a in host.do("who")["attendees"]] == [True] * 3, "all are here")
    equal(host.there(), (["anna", "ben", "Dora"], ["carl"]))
    check(host.row("ben")["hand_at"], "the hand fell")
    equal(hall.user("emil").run("meet", "join", made["code"], status=1).error["name"], "meeting-locked")
    ben.do("say", text="still here")
    equal(dora.event(event="message")["text"], "still here")
    host.do("admit", user="carl")
    equal(carl.event(event="now")["action"], "admit")
    equal(carl.event(event="ticket", again=True)["you"]["state"], "in")
    host.do("end")
    for seat in (host, ben, carl, dora):
        seat.over("ended", 0)


@story
def the_meeting_ended_while_one_was_away(hall):
    anna, made, host, ben = meeting(hall, others=("ben",))
    dora = Seat(guest(hall), made["link"], "--name", "Dora")
    dora.event(event="ticket")
    host.do("admit", user="Dora")
    dora.event(event="ticket", again=True)
    for seat in (ben, dora):
        os.kill(seat.lines.process.pid, signal.SIGSTOP)
    host.do("end")
    host.over("ended", 0)
    hall.kill()  # so that nobody tells them
    hall.start()
    for seat in (ben, dora):
        os.kill(seat.lines.process.pid, signal.SIGCONT)
    ben.over("ended", 0)
    dora.over("ended", 0)


@story(options=("--set", "code_tries=3"))
def guessing_ends_with_5(hall):
    visitor = User(hall, None)
    for code in ("000001", "000002", "000003"):
        equal(visitor.run("meet", "join", code, "--name", "Mallory", status=1).error["name"], "no-such-meeting")
    done = visitor.run("meet", "join", "000004", "--name", "Mallory", status=5).error
    equal(done["name"], "guesses")
    check("link" in done["advice"], done)


@story
def what_cannot_be(hall):
    anna = hall.user("anna")
    anna.run("meet", "join", "ann", status=2)
    anna.run("meet", "join", f"https://{hall.address}/nothing", status=2)
    anna.run("meet", "join", "204816", status=1)
    anna.run("meet", "new", "--at", "yesterday 14:00", status=2)
    anna.run("meet", "new", "--at", "soon", status=2)
    equal(anna.run("meet", "new", "--at", "2099-01-01 12:00", status=1).rows[-1]["name"], "too-far")
    anna.run("meet", "new", "--room", "nowhere", status=1)
    anna.run("meet", "host", "204816", "dance", status=2)
    anna.run("meet", "host", "204816", "admit", status=2)
    anna.run("meet", "host", "204816", "lock", "everything", status=2)
    anna.run("meet", "host", "204816", "lock", status=1)
    anna.run("meet", "who", "204816", status=1)
    User(hall, None).run("meet", "join", "204816", status=4, env={"ROOST_PASSWORD": None})
    made = new(anna)
    seat = Seat(anna, made["code"])
    seat.event(event="ticket")
    seat.lines.type("{nonsense\n/dance\n{\"cmd\":\"mute\",\"user\":\"nobody\",\"id\":\"a\"}\n")
    equal([seat.event(event="reply")["ok"] for _ in range(2)], [False, False])
    equal(seat.event(event="reply", id="a")["error"]["name"], "not-in-meeting")
    seat.lines.process.stdin.close()  # the end of the input leaves
    seat.over("left", 0)


@story
def a_meeting_for_a_room_and_for_the_calendar(hall):
    anna, ben, carl = hall.users("anna", "ben", "carl")
    anna.run("room", "new", "maths", "ben")
    path = hall.dir / "m.ics"
    made = new(anna, "--room", "maths", "--at", "tomorrow 14:00", "--ics", path, "--title", "Ex; 4")
    equal((made["room_name"], made["until"], made["ics"]), ("maths", None, str(path)))
    text = path.read_bytes().decode()
    check("SUMMARY:Ex\\; 4\r\n" in text and made["link"] in text.replace("\r\n ", ""), text)
    refused = anna.run("meet", "new", "--ics", path, "--title", "other", status=1).error  # not over it, and no meeting
    check("such a file already" in refused["text"] and "--force" in refused["advice"], refused)
    equal(([m["title"] for m in anna.rows("meet", "list")], path.read_bytes().decode()), (["Ex; 4"], text))
    new(anna, "--room", "maths", "--ics", path, "--force", "--title", "other")
    check("SUMMARY:other" in path.read_bytes().decode())
    equal(Seat(ben, made["code"]).event(event="ticket")["you"]["state"], "in")  # walks in
    equal(Seat(carl, made["code"]).event(event="ticket")["you"]["state"], "waiting")
    admin = hall.admin()
    equal([m["title"] for m in admin.rows("admin", "meetings")], ["Ex; 4", "other"])
    anna.run("admin", "meetings", status=1)


def keys_of(value, event):
    """Every key in it, however deep."""
    if isinstance(value, list):
        return {key for one in value for key in keys_of(one, event)}
    if not isinstance(value, dict):
        return set()
    return {f"{event}.{key}" for key in value} | {key for one in value.values() for key in keys_of(one, event)}


@story
def every_key_of_a_meeting_is_documented(hall):
    anna, made, host, ben = meeting(hall, others=("ben",))
    for cmd, more in (("who", {}), ("link", {}), ("help", {}), ("react", {"text": "x"}), ("hand", {}), ("say", {"text": "x"})):
        ben.do(cmd, **more)
    ben.ask("end")
    ben.leave()
    rows = [json.loads(line) for seat in (host, ben) for line in seat.lines.seen]
    for words in (("meet", "list"), ("meet", "who", made["code"], "--all"), ("meet", "host", made["code"], "end")):
        rows += anna.rows(*words)
    rows += [made] + [json.loads(line) for line in host.lines.drain()]
    check(any(row["event"] == "over" for row in rows), "no end")
    unknown = sorted({key for row in rows for key in keys_of(row, row["event"]) if key.split(".")[1] not in documented()})
    check(not unknown, "not in roost-json(5):", unknown)


@story
@with_screens
def on_a_terminal(hall):
    anna, ben = hall.users("anna", "ben")
    made = new(anna, "--title", "Maths")
    screen = Screen(hall, anna.argv("meet", "join", made["code"], json=False), anna.env(), 80, 24)
    screen.until(lambda rows: any("1 in]" in row for row in rows), "the prompt")
    dora = Seat(guest(hall), made["link"], "--name", "Dora Lind")
    dora.event(event="ticket")
    screen.until(lambda rows: any("Dora Lind (guest) waits in the lobby: /admit Dora Lind" in r for r in rows), "the lobby")
    screen.type("/admit Dora L")
    screen.keys("Tab", "Enter")
    dora.event(event="ticket", again=True)
    screen.type("not yet sent")
    dora.do("hand")
    screen.until(lambda rows: rows[-1] == "[Maths · 2 in · 1 hand] not yet sent", "the line being typed")
    dora.do("say", text="may I?")
    rows = screen.until(lambda rows: any("Dora Lind (guest): may I?" in row for row in rows), "the chat")
    equal(rows[-1], "[Maths · 2 in · 1 hand] not yet sent")
    check(any(row.endswith("- Dora Lind (guest) raised the hand") for row in rows), rows)
    screen.keys("C-c")
    screen.type("thanks, Do")
    screen.keys("Tab")
    screen.until(lambda rows: rows[-1].endswith("] thanks, Dora Lind"), "a name in what is said")
    screen.keys("C-c")
    screen.type("/who")
    screen.keys("Enter")
    screen.until(lambda rows: any(re.fullmatch(r"  Dora Lind  guest, hand up", row) for row in rows), "who is in")
    screen.type('/remove "do')
    screen.keys("Tab")
    screen.until(lambda rows: rows[-1].endswith('/remove "Dora Lind'), "the name within a quote")
    screen.keys("Enter")
    dora.over("removed", 1)
    screen.keys("C-d")
    screen.until(lambda rows: "You have left the meeting." in rows and "ended 0" in rows, "the end")

    narrow = Screen(hall, ben.argv("meet", "join", made["code"], json=False), ben.env(), 40, 12)
    narrow.until(lambda rows: "[waiting]" in rows, "waiting")
    check(all(len(row) <= 40 for row in narrow.rows), narrow.rows)
    narrow.type("/leave")
    narrow.keys("Enter")
    narrow.until(lambda rows: "You no longer wait." in rows and "ended 0" in rows, "the end")
