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
