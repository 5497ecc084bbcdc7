"""Servers that die and come back, certificates that change, a class of thirty."""
import random
import shutil

from harness import User, check, equal, story


@story(short=True)
def killed_and_back_without_a_password(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    watching = ben.follow("read", "#lobby", "--follow")
    anna.run("say", "#lobby", "before")
    watching.event(text="before")
    hall.kill()
    hall.start()
    anna.run("say", "#lobby", "after", env={"ROOST_PASSWORD": None})
    watching.event(text="after")
    texts = [line for line in watching.seen if '"before"' in line]
    equal(len(texts), 1, "the first message once: " + "\n".join(watching.seen))
    equal(ben.texts("read", "#lobby"), ["before", "after"])


@story
def many_kills_nothing_lost(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    anna.run("say", "#lobby", "before")
    watching = ben.follow("read", "#lobby", "--follow")
    watching.event(text="before")  # who was never connected gives up
    for i in range(5):
        anna.run("say", "#lobby", f"round {i}")
        hall.kill()
        hall.start()
        watching.event(text=f"round {i}")
    equal(anna.texts("read", "#lobby"), ["before", *(f"round {i}" for i in range(5))])


@story(short=True)
def stops_cleanly(hall):
    anna = hall.user("anna")
    watching = anna.follow("read", "--follow")
    while not any(p["name"] == "anna" and p["sessions"] >= 1 for p in anna.rows("who")):
        pass
    equal(hall.stop(), 0)
    hall.start()
    anna.run("whoami")
    watching.end()


@story(short=True)
def a_changed_certificate_is_refused(hall):
    anna = hall.user("anna")
    hall.stop()
    for path in list(hall.data.iterdir()):
        if path.suffix in (".pem", ".crt", ".key", ".cert"):
            path.unlink()
    hall.start()
    done = anna.run("whoami", status=3)
    words = done.out + done.err
    check("ertificate" in words, words)
    check(words.count(":") > 40 or len(words) > 150, "both fingerprints are shown", words)


@story
def an_unreachable_server(hall):
    anna = hall.user("anna")
    hall.stop()
    anna.run("whoami", status=3)
    anna.run("login", "anna", status=3)
    hall.start()


@story
def the_port_is_taken(hall):
    from harness import Lines
    other = Lines([str(hall.roostd), "--data", str(hall.dir / "other"), "--listen", "127.0.0.1", "--port", str(hall.port)])
    said = "\n".join(other.drain())
    check(other.end() != 0)
    check(str(hall.port) in said and "--port" in said, said)


@story
def a_class_of_thirty(hall):
    teacher, *pupils = hall.users("teacher", *(f"pupil{i}" for i in range(1, 30)))
    teacher.run("room", "new", "maths", *(p.name for p in pupils))
    here = pupils[:20]
    screens = [p.follow("read", "--follow") for p in here]
    on = set()
    while not {p.name for p in here} <= on:
        on = {p["name"] for p in teacher.rows("who")}
    teacher.run("say", "--everyone", "we begin")
    teacher.run("say", "#maths", "page seven")
    for p in here[:5]:
        p.run("say", "#maths", f"{p.name} is here")
    here[0].run("say", "@pupil2", "what page?")
    for screen in screens:
        screen.event(text="page seven")
        for p in here[:5]:
            screen.event(text=f"{p.name} is here")
    screens[1].event(text="what page?")
    for i, screen in enumerate(screens):
        check(i in (0, 1) or not any("what page?" in line for line in screen.seen), "a private word leaked")
    # nine were away and read it later
    late = random.choice(pupils[20:])
    wanted = ["page seven"] + [f"{p.name} is here" for p in here[:5]]
    equal([m["text"] for m in late.messages("read") if m["to"] == "#maths"], wanted)
    equal(teacher.rows("calc", "7 % 3")[-1]["text"], "1")


@story
def another_data_directory_is_another_server(hall):
    anna = hall.user("anna")
    anna.run("say", "@anna", "note", status=None)
    hall.stop()
    shutil.rmtree(hall.data)
    hall.start()
    anna.run("whoami", status=3)  # its certificate is another one
    fresh = User(hall, "anna")
    fresh.register()
