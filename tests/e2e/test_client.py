"""What a client owes its user: everything once, nothing lost, no server taken for another."""
import collections
import threading

from harness import User, check, equal, story


@story
def the_last_three_are_three_messages(hall):
    anna = hall.user("anna")
    anna.run("room", "new", "lobby")
    ids = [anna.rows("say", "#lobby", f"line {i}")[-1]["id"] for i in range(4)]
    for i in range(3):
        anna.run("edit", ids[3], f"line 3, version {i}")
    for sign in ("\U0001f44d", "\U0001f44e", "\u2764", "\U0001f389"):
        anna.run("react", ids[0], sign)
    equal(anna.texts("read", "#lobby", "--last", "3"), ["line 1", "line 2", "line 3, version 2"])
    shown = anna.run("read", "#lobby", "--last", "3", json=False).out
    check("line 1" in shown and "line 3, version 2" in shown and "line 0" not in shown, shown)


@story(options=("--set", "say.rate=100000", "--set", "say.burst=100000"))
def what_is_said_while_the_reading_begins_is_shown_once(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    speaker, over = anna.follow("chat", "#lobby", stdin=True), threading.Event()
    said = []

    def speak():
        while not over.is_set():
            said.append(f"word {len(said)}")
            speaker.type(said[-1] + "\n")
            speaker.event(event="message", text=said[-1])

    speaking = threading.Thread(target=speak)
    speaking.start()
    try:
        watching = []
        for _ in range(12):
            watching.append(ben.follow("read", "#lobby", "--follow"))
            watching[-1].event(event="message")
    finally:
        over.set()
        speaking.join()
    for w in watching:
        w.event(event="message", text=said[-1])
        texts = collections.Counter(line for line in w.seen if '"event": "message"' in line)
        check(max(texts.values()) == 1, "shown twice:", texts.most_common(3))
        got = [int(line.split('"word ')[1].split('"')[0]) for line in w.seen if '"word ' in line]
        equal(got, list(range(got[0], len(said))), "all, in order")
