"""Rooms: who may do what in them."""
from harness import check, equal, story


def refused(done, name):
    equal(done.rows[-1]["name"], name, str(done))


def members(user, room):
    return {m["name"]: m for m in user.rows("room", "members", room)}


@story(short=True)
def join_and_leave(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby")
    refused(ben.run("say", "#lobby", "hi", status=1), "not-member")
    refused(ben.run("read", "#lobby", status=1), "not-member")
    ben.run("room", "join", "lobby")
    ben.run("say", "#lobby", "hi")
    equal(set(members(anna, "lobby")), {"anna", "ben"})
    refused(anna.run("room", "leave", "lobby", status=1), "last-owner")
    ben.run("room", "leave", "lobby")
    refused(ben.run("say", "#lobby", "hi", status=1), "not-member")
    refused(ben.run("room", "join", "nowhere", status=1), "no-such-room")
    refused(ben.run("room", "new", "LOBBY", status=1), "name-taken")


@story
def private_rooms_are_not_seen(hall):
    anna, ben, carl = hall.users("anna", "ben", "carl")
    anna.run("room", "new", "cellar", "ben", "--private")
    check("cellar" in {r["name"] for r in ben.rows("rooms")})
    check("cellar" not in {r["name"] for r in carl.rows("rooms")})
    for words in (("room", "join", "cellar"), ("say", "#cellar", "x"), ("read", "#cellar"), ("room", "members", "cellar")):
        refused(carl.run(*words, status=1), "no-such-room")
    anna.run("room", "invite", "cellar", "carl")
    carl.run("say", "#cellar", "thank you")
    # taken out, nothing of it arrives any more
    watching = carl.follow("read", "--follow")
    anna.run("room", "remove", "cellar", "carl")
    anna.run("say", "#cellar", "now in private")
    anna.run("say", "@carl", "the end")
    watching.event(text="the end")
    check(not any("now in private" in line for line in watching.seen), watching.seen)
    refused(carl.run("read", "#cellar", status=1), "no-such-room")


@story
def roles(hall):
    anna, ben, carl = hall.users("anna", "ben", "carl")
    anna.run("room", "new", "lobby", "ben", "carl")
    equal(members(anna, "lobby")["anna"]["role"], "owner")
    for words in (("topic", "lobby", "mine"), ("remove", "lobby", "carl"), ("ban", "lobby", "carl"),
                  ("role", "lobby", "ben", "owner"), ("close", "lobby")):
        refused(ben.run("room", *words, status=1), "not-allowed")
    anna.run("room", "role", "lobby", "ben", "moderator")
    ben.run("room", "topic", "lobby", "all things")
    equal([r["topic"] for r in carl.rows("rooms") if r["name"] == "lobby"], ["all things"])
    refused(ben.run("room", "role", "lobby", "ben", "owner", status=1), "not-allowed")
    refused(ben.run("room", "remove", "lobby", "anna", status=1), "not-allowed")
    ben.run("room", "remove", "lobby", "carl")
    refused(carl.run("say", "#lobby", "hi", status=1), "not-member")
    anna.run("room", "role", "lobby", "ben", "owner")
    anna.run("room", "leave", "lobby")
    ben.run("room", "close", "lobby")
    check(ben.run("say", "#lobby", "hi", status=1).rows[-1]["name"] in ("room-closed", "no-such-room"))


@story
def banned_is_out_until_it_is_lifted(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    anna.run("room", "ban", "lobby", "ben")
    refused(ben.run("say", "#lobby", "hi", status=1), "banned")
    refused(ben.run("room", "join", "lobby", status=1), "banned")
    anna.run("room", "ban", "lobby", "ben", "--lift")
    ben.run("room", "join", "lobby")
    ben.run("say", "#lobby", "back")


@story
def moderated(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "hall", "ben", "--moderated")
    refused(ben.run("say", "#hall", "hi", status=1), "moderated")
    anna.run("say", "#hall", "welcome")
    equal(ben.texts("read", "#hall"), ["welcome"])
    anna.run("room", "role", "hall", "ben", "moderator")
    ben.run("say", "#hall", "hi")
    anna.run("room", "role", "hall", "ben", "member")
    anna.run("room", "set", "hall", "--moderated", "off")
    ben.run("say", "#hall", "freedom")


@story
def a_closed_room_is_read_by_its_number(hall):
    anna, ben = hall.users("anna", "ben")
    room = anna.rows("room", "new", "hall", "ben")[-1]["room"]
    anna.run("say", "#hall", "the last word")
    anna.run("room", "close", "hall")
    refused(ben.run("say", str(room), "no", status=1), "room-closed")
    equal(ben.texts("read", str(room)), ["the last word"])
    ben.run("room", "new", "hall")
    equal(ben.texts("read", "#hall"), [])


@story
def pins_and_mutes(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    rules = anna.rows("say", "#lobby", "the rules")[-1]["id"]
    anna.run("room", "pin", rules)
    row = [r for r in ben.rows("rooms") if r["name"] == "lobby"][0]
    equal(row["pins"], [rules])
    anna.run("room", "pin", rules, "--off")
    ben.run("room", "mute", "lobby")
    row = [r for r in ben.rows("rooms") if r["name"] == "lobby"][0]
    equal((row["pins"], row["muted"]), ([], True))
