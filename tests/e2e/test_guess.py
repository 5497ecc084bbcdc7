"""Guessing the code of a meeting: ten tries an hour from one address, and whom that does not harm."""
from harness import check, equal, story
from test_meet import Seat, guest, new


@story
def ten_wrong_codes_from_one_address(hall):
    anna, ben = hall.users("anna", "ben")
    made = new(anna, "--open")
    mallory = guest(hall)
    codes = [code for code in (f"{n:06}" for n in range(12)) if code != made["code"]]
    for code in codes[:10]:
        done = mallory.run("meet", "join", code, "--name", "Mallory", status=1).error
        equal(done["name"], "no-such-meeting")
    for code in (codes[10], made["code"]):  # the right one too
        done = mallory.run("meet", "join", code, "--name", "Mallory", status=5).error
        equal(done["name"], "guesses")
        check("link" in done["advice"] and "log in" in done["advice"], done)

    # from the same address: an innocent guest with the link, and a user with the code
    zoe = Seat(guest(hall), made["link"], "--name", "Zoe")
    equal(zoe.event(event="ticket")["you"]["state"], "in")
    user = Seat(ben, made["code"])
    equal(user.event(event="ticket")["you"]["state"], "in")

    # and it is remembered when the server starts again
    hall.kill()
    hall.start()
    done = mallory.run("meet", "join", codes[0], "--name", "Mallory", status=5).error
    equal(done["name"], "guesses")


@story
def a_guest_host_is_known_where_guessing_was_stopped(hall):
    gus, mallory = guest(hall), guest(hall)
    made = new(gus, "--name", "Gus", "--open")
    codes = [code for code in (f"{n:06}" for n in range(12)) if code != made["code"]]
    for code in codes[:10]:
        mallory.run("meet", "join", code, "--name", "Mallory", status=1)
    mallory.run("meet", "join", made["code"], "--name", "Mallory", status=5)
    host = Seat(gus, made["code"], "--name", "Gus")  # who made it comes in by the code that it was told
    equal(host.event(event="ticket")["you"]["role"], "host")
    for door in (made["code"], made["link"]):
        equal([r["name"] for r in gus.rows("meet", "who", door, "--name", "Gus")], ["Gus"])
        gus.run("meet", "host", door, "lock", "--name", "Gus")
        gus.run("meet", "host", door, "unlock", "--name", "Gus")
    ann = hall.user("ann")
    own = new(ann, "--open")
    for code in codes[:10]:
        ann.run("meet", "join", code, status=1)
    ann.run("meet", "join", made["code"], status=5)
    seat = Seat(ann, own["code"])
    seat.event(event="ticket")
    ann.run("meet", "host", own["code"], "lock")
    equal([r["name"] for r in ann.rows("meet", "who", own["code"])], ["ann"])
    seat.leave()
    refused = gus.run("meet", "who", f"#{made['meeting']}", "--name", "Gus", status=2).error
    check("code" in refused["text"], refused)
    host.leave()
