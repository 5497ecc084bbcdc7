"""What a client owes its user: everything once, nothing lost, no server taken for another."""
import collections
import threading

from harness import Lines, check, equal, parse, story, until


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


@story(options=("--set", "say.rate=2", "--set", "say.burst=300"))
def lines_from_a_pipe_are_all_said(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    lines = [f"line {i}" for i in range(300)]  # at once
    anna.run("chat", "#lobby", input="\n".join(lines))
    equal(ben.texts("read", "#lobby", "--last", "1000"), lines)

    # what is refused for good is told, costs the exit status, and stops nothing
    done = anna.run("chat", "#lobby", input="before\n" + "x" * 20000 + "\n" + "y" * 200000 + "\nafter", status=1)
    equal([r["name"] for r in done.rows if r["event"] == "error"], ["too-long"] * 2)
    equal(ben.texts("read", "#lobby", "--last", "2"), ["before", "after"])
    shown = anna.run("chat", "#lobby", input="z" * 20000 + "\n", json=False, status=1).out
    check("not said: zzz" in shown, shown[:400])


@story
def a_chat_in_json_is_json_alone(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    ben.run("say", "@anna", "unread")
    words = ["hello", "/who", "/rooms", "/topic news", "/go @ben", "psst", "/help", "/help say", "/nonsense", "/go #nowhere",
             "/read #lobby --last 5", "/say --help", "/calc 7 % 3", "/me waves", "//slash", "/whoami", "/ping --count 1"]
    for env in ({}, {"TERM": "xterm-256color"}):
        done = anna.run("chat", "#lobby", input="\n".join(words), env=env, status=None)
        check(done.rows and "\x1b" not in done.out, done)  # rows: each line is an object


@story
def the_log_is_followed_over_a_restart(hall):
    admin = hall.admin()
    anna = hall.user("anna")
    everything = admin.follow("admin", "log", "--follow")
    chosen = admin.follow("admin", "log", "--follow", "--user", "Anna", "--kind", "say")
    anna.run("say", "@root", "one")
    for log in (everything, chosen):
        log.event(event="log", kind="say", name="anna")
    for sign in (hall.stop, hall.kill):
        sign()
        hall.start()
        anna.run("whoami")
        anna.run("say", "@root", "again")
        for log in (everything, chosen):
            log.event(event="log", kind="say", name="anna")
    anna.run("say", "@root", "last")
    rows = {}
    for log in (everything, chosen):
        log.event(event="log", kind="say", name="anna")
        rows[log] = [r for r in (parse(line) for line in log.seen) if r and r["event"] == "log"]
        numbers = [r["n"] for r in rows[log]]
        equal(numbers, sorted(set(numbers)), "each once, in order")
    equal({(r["name"], r["kind"]) for r in rows[chosen]}, {("anna", "say")}, "only what was asked for")
    equal(len(rows[chosen]), 4)
    numbers = [r["n"] for r in rows[everything]]
    equal(numbers, [r["n"] for r in admin.rows("admin", "log") if numbers[0] <= r["n"] <= numbers[-1]], "no line is missing")


@story
def who_is_away_and_who_watches_outlive_a_restart(hall):
    anna, ben = hall.users("anna", "ben")
    watching = anna.follow("chat", stdin=True)
    lunching = ben.follow("chat", stdin=True)
    lunching.type("/away at lunch\n")
    watching.event(event="person", name="ben", away="at lunch")
    for sign, where in ((hall.stop, "at lunch"), (hall.kill, "at tea")):
        sign()
        hall.start()
        watching.event(event="status", state="lost")
        watching.event(event="status", state="ready")
        # either may be back first; what happened before anna was back is in `who`
        until(lambda: any(p["name"] == "ben" and p["away"] == where for p in anna.rows("who")), f"ben {where}")
        lunching.type("/away at tea\n")
        watching.event(event="person", name="ben", away="at tea")
    lunching.type("/away\n")
    watching.event(event="person", name="ben", away=None)


@story(options=("--set", "say.rate=2", "--set", "say.burst=3"))
def what_is_said_too_fast_is_said_later(hall):
    anna, ben = hall.users("anna", "ben")
    words = [f"word {i}" for i in range(8)]
    anna.run("chat", input="".join(f"/msg ben {w}\n" for w in words))
    equal(ben.texts("read", "@anna"), words)
    shells = [hall.keep(Lines(anna.argv("say", "@ben", w), anna.env())) for w in words]
    for s in shells:
        equal((s.drain(), s.process.wait())[1], 0, "\n".join(s.seen))
    equal(sorted(ben.texts("read", "@anna", "--last", len(words))), words)

    anna.run("room", "new", "lobby", "ben")
    done = anna.run("chat", "#lobby", input="\n".join(words))
    equal([r["state"] for r in done.rows if r["event"] == "status"], ["waiting"], "told once")
    equal(ben.texts("read", "#lobby"), words)


@story
def what_fails_in_a_pipe_shows_in_the_exit_status(hall):
    anna = hall.user("anna")
    for text, status in (("/whoami\n", 0), ("/go #nowhere\n/whoami\n", 1), ("/msg nobody hi\n/whoami", 1), ("/nonsense", 2)):
        done = anna.run("chat", input=text, status=status)
        check(status == 2 or done.rows[-1]["event"] == "me", "and the rest is done", done)


@story
def who_went_off_during_an_outage_is_off_after_it(hall):
    anna, ben = hall.users("anna", "ben")
    watching = anna.follow("chat", stdin=True)
    other = ben.follow("chat", stdin=True)
    watching.event(event="person", name="ben", sessions=1)
    hall.kill()
    watching.event(event="status", state="lost")
    other.process.kill()
    hall.start()
    watching.event(event="status", state="ready")
    gone = watching.event(event="person", name="ben")
    equal((gone["sessions"], gone["away"]), (0, None))


@story
def away_is_for_those_who_are_on(hall):
    anna, ben = hall.users("anna", "ben")
    refused = anna.run("away", "at lunch", status=1).rows[-1]
    check("nowhere else" in refused["text"], refused)
    watching = ben.follow("chat", stdin=True)
    anna.follow("chat", stdin=True)
    watching.event(event="person", name="anna", sessions=1)
    anna.run("away", "at", "lunch")
    watching.event(event="person", name="anna", away="at lunch")
    equal([p["away"] for p in ben.run("who").rows if p["name"] == "anna"], ["at lunch"])
    anna.run("away")
    watching.event(event="person", name="anna", away=None)
