"""The two small clients of examples/, against names and a port drawn at random."""
import pathlib
import random
import string

from harness import PATIENCE, User, check, equal, story, until
from test_meet import Seat

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


class Tiny(User):
    """A user whose program is one of the examples; words are its command."""

    def __init__(self, hall, program, name):
        super().__init__(hall, name)
        self.program = [str(w) for w in program]

    def argv(self, *words, json=False):
        return [*self.program, self.hall.address, self.name, *(str(w) for w in words)]

    def env(self, **more):
        return super().env(ROOST_HOME=str(self.home), HOME=str(self.home), **more)


def a_name():
    return "".join(random.choices(string.ascii_lowercase, k=4)) + str(random.randrange(10, 10000))


def lines(done):
    return [line.split(" ", 1)[1] for line in done.out.splitlines()]


def trip(hall, *program):
    me, friend, room = Tiny(hall, program, a_name()), User(hall, a_name()), "#" + a_name()
    me.run("register")
    me.run("register", status=1)  # taken by now
    friend.register()
    friend.run("room", "new", room[1:], me.name)
    secret = f"caf\u00e9 {random.random()}"
    done = me.run("say", room, *secret.split())
    equal(friend.texts("read", room), [secret])
    equal(done.out.strip().replace(".", ":"), friend.messages("read", room)[0]["id"], "the printed id")
    equal(lines(me.run("read", room)), [f"{me.name}: {secret}"])
    me.run("say", "#" + a_name(), "x", status=1)
    Tiny(hall, program, me.name).run("read", room, status=4, env={"ROOST_PASSWORD": "not the password"})

    # what follows survives the server
    following = me.follow("follow", 3)
    while not any(p["name"] == me.name for p in friend.rows("who")):
        pass
    friend.run("say", room, "one")
    following.until(f"{friend.name}: one$")
    hall.kill()
    hall.start()
    friend.run("say", room, "two")
    following.until(f"{friend.name}: two$")
    friend.run("say", room, "three\x1b[31m")
    last = following.until(f"{friend.name}: three").string
    check("\x1b" not in last, "an escape reached the terminal:", repr(last))
    following.drain()
    equal(following.process.wait(PATIENCE), 0, "after three messages")
    equal(sum(": one" in line for line in following.seen), 1, "one, once")
    equal(lines(me.run("read", room))[:3], [f"{me.name}: {secret}", f"{friend.name}: one", f"{friend.name}: two"])
    hall.stop()
    me.run("read", room, status=3)


@story(short=True)
def tiny_c(hall):
    trip(hall, hall.bin.parent / "examples/tiny")


def waits_in_a_lobby(hall, *program):
    host, me = User(hall, a_name()).register(), Tiny(hall, program, a_name())
    me.run("register")
    made = host.rows("meet", "new", "--title", a_name())[-1]
    seat = Seat(host, made["code"])
    seat.event(event="ticket")
    waiting = me.follow("meet", made["code"], 3)
    equal(seat.event(event="lobby")["waiting"][0]["name"], me.name)
    waiting.until("waiting in the lobby")
    hall.kill()  # who waits goes on waiting
    hall.start()
    seat.event(event="ticket", again=True)
    until(lambda: any(a["here"] for a in seat.do("who")["waiting"]), f"{me.name} in the lobby again")
    seat.do("admit", user=me.name)
    waiting.until("following")
    seat.do("say", text="one")
    waiting.until(f"{host.name}: one$")
    hall.kill()
    hall.start()
    seat.event(event="ticket", again=True)
    seat.do("say", text="two")
    waiting.until(f"{host.name}: two$")
    until(lambda: all(a["here"] for a in seat.do("who")["attendees"]), "both are here")
    seat.do("end")  # before the third
    waiting.drain()
    equal(waiting.process.wait(PATIENCE), 0, "after the meeting")
    me.run("meet", made["code"], status=1)


@story
def tiny_py(hall):
    trip(hall, "/usr/bin/python3", EXAMPLES / "tiny.py")
    text = (EXAMPLES / "tiny.py").read_text()
    check(text.count("\n") < 300, "tiny.py has 300 lines or more")


@story
def tiny_py_in_a_meeting(hall):
    waits_in_a_lobby(hall, "/usr/bin/python3", EXAMPLES / "tiny.py")


@story
def tiny_c_in_a_meeting(hall):
    waits_in_a_lobby(hall, hall.bin.parent / "examples/tiny")
