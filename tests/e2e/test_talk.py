"""Who is on, saying, reading, history, what is done to a message."""
from harness import check, equal, story


def lobby(hall, *names):
    people = hall.users(*names)
    people[0].run("room", "new", "lobby", *names[1:])
    return people


@story(short=True)
def said_in_a_room_is_read_by_all_of_it(hall):
    anna, ben, carl = lobby(hall, "anna", "ben", "carl")
    watching = ben.follow("read", "#lobby", "--follow")
    said = anna.rows("say", "#lobby", "hello", "all")[-1]
    equal((said["event"], said["text"]), ("said", "hello all"))
    got = watching.event(event="message", text="hello all")
    equal((got["from"], got["id"], got["to"], got["reply_to"]), ("anna", said["id"], "#lobby", None))
    equal(carl.texts("read", "#lobby"), ["hello all"])


@story(short=True)
def private_is_private(hall):
    anna, ben, carl = hall.users("anna", "ben", "carl")
    watching = ben.follow("read", "--follow")
    anna.run("say", "@ben", "psst")
    equal(watching.event(text="psst")["from"], "anna")
    equal(ben.texts("read", "@anna"), ["psst"])
    equal(anna.texts("read", "@ben"), ["psst"])
    room = ben.messages("read", "@anna")[0]["room"]
    equal(carl.run("read", str(room), status=1).rows[-1]["name"], "no-such-room")
    equal(carl.texts("read", "--search", "psst"), [])


@story
def a_broadcast_reaches_who_is_on(hall):
    anna, ben = hall.users("anna", "ben")
    watching = ben.follow("read", "--follow")
    anna.run("say", "--everyone", "fire drill")
    equal(watching.event(text="fire drill")["to"], "*")
    equal(ben.texts("read", "--everyone"), ["fire drill"])


@story(options=("--set", "broadcast=moderators"))
def who_may_broadcast(hall):
    admin = hall.admin()
    anna = hall.user("anna")
    equal(anna.run("say", "--everyone", "hi", status=1).rows[-1]["name"], "not-allowed")
    admin.run("say", "--everyone", "welcome")


@story(short=True)
def who_is_on(hall):
    anna, ben = hall.users("anna", "ben")
    staying = ben.follow("chat", stdin=True)
    people = {}
    while "ben" not in people:
        people = {p["name"]: p for p in anna.rows("who")}
    check(people["anna"]["self"] and not people["ben"]["self"], people)
    check(not people["ben"]["addresses"], "addresses are for admins", people)
    staying.type("/away at lunch\n")
    while people["ben"]["away"] != "at lunch":
        people = {p["name"]: p for p in anna.rows("who")}


@story
def the_offline_get_what_they_missed(hall):
    anna, ben = lobby(hall, "anna", "ben")
    for i in range(30):
        anna.run("say", "#lobby", f"line {i}")
    unread = [r for r in ben.rows("rooms") if r["name"] == "lobby"][0]
    check(unread["unread"] >= 30, unread)
    equal(ben.texts("read"), [f"line {i}" for i in range(30)])
    equal(ben.texts("read"), [])
    unread = [r for r in ben.rows("rooms") if r["name"] == "lobby"][0]
    equal(unread["unread"], 0)


@story
def history_by_time_page_and_words(hall):
    anna, ben = lobby(hall, "anna", "ben")
    for text in ("the quick brown fox", "jumps over", "the lazy dog", "gru\u00dfe aus k\u00f6ln"):
        anna.run("say", "#lobby", text)
    equal(ben.texts("read", "#lobby", "--last", "2"), ["the lazy dog", "gru\u00dfe aus k\u00f6ln"])
    equal(len(ben.texts("read", "#lobby", "--since", "10 minutes ago")), 4)
    equal(ben.texts("read", "#lobby", "--since", "2099-01-01"), [])
    equal(ben.texts("read", "--search", "lazy"), ["the lazy dog"])
    equal(ben.texts("read", "--search", "brow*"), ["the quick brown fox"])
    equal(ben.texts("read", "--search", '"quick brown"'), ["the quick brown fox"])
    equal(ben.texts("read", "--search", '"brown quick"'), [])
    equal(ben.texts("read", "#lobby", "--search", "K\u00d6LN"), ["gru\u00dfe aus k\u00f6ln"])


@story
def long_history_comes_whole(hall):
    anna, ben = lobby(hall, "anna", "ben")
    chat = anna.follow("chat", "#lobby", stdin=True)
    n = 49  # the burst that a user may say at once
    chat.type("".join(f"number {i}\n" for i in range(n)))
    watching = ben.follow("read", "#lobby", "--follow")
    for i in range(n):
        watching.event(text=f"number {i}")
    equal(ben.texts("read", "#lobby", "--last", "1000"), [f"number {i}" for i in range(n)])


@story(short=True)
def edit_delete_react_reply(hall):
    anna, ben = lobby(hall, "anna", "ben")
    first = anna.rows("say", "#lobby", "teh fox")[-1]["id"]
    watching = ben.follow("read", "#lobby", "--follow")
    watching.event(event="message", id=first)
    anna.run("edit", first, "the fox")
    equal(watching.event(event="edited")["ref"], first)
    ben.run("react", first, "\U0001f44d")
    watching.event(event="reacted", ref=first, text="\U0001f44d")
    answer = ben.rows("say", "--reply", first, "#lobby", "indeed")[-1]["id"]
    equal(watching.event(text="indeed")["reply_to"], first)
    got = {m["id"]: m for m in anna.messages("read", "#lobby")}
    equal((got[first]["text"], got[first]["edited"]), ("the fox", True))
    equal([(r["emoji"], r["count"]) for r in got[first]["reactions"]], [("\U0001f44d", 1)])
    equal(ben.run("edit", first, "mine", status=1).rows[-1]["name"], "not-allowed")
    equal(ben.run("delete", first, status=1).rows[-1]["name"], "not-allowed")
    ben.run("delete", answer)
    watching.event(event="deleted", ref=answer)
    got = {m["id"]: m for m in anna.messages("read", "#lobby")}
    equal((got[answer]["deleted"], got[answer]["text"]), (True, ""))
    equal(anna.texts("read", "--search", "indeed"), [])
    equal(anna.texts("read", "--search", "teh"), [])


@story
def a_moderator_deletes_and_sees_what_it_was(hall):
    anna, ben = lobby(hall, "anna", "ben")
    bad = ben.rows("say", "#lobby", "something rude")[-1]["id"]
    anna.run("delete", bad)
    equal([m["text"] for m in anna.rows("earlier", bad)], ["something rude"])
    equal(ben.run("earlier", bad, status=1).rows[-1]["name"], "not-allowed")


@story
def mentions_and_actions(hall):
    anna, ben, carl = lobby(hall, "anna", "ben", "carl")
    anna.run("say", "#lobby", "look here @ben")
    anna.run("say", "#lobby", "/me waves")
    rows = ben.messages("read", "#lobby")
    check(rows[0]["mentions_me"] and not rows[1]["mentions_me"], rows)
    check(rows[1]["action"] and rows[1]["text"] == "waves", rows)
    check(not carl.messages("read", "#lobby")[0]["mentions_me"])


@story
def ignored_people_are_hidden(hall):
    anna, ben = lobby(hall, "anna", "ben")
    ben.run("ignore", "anna")
    anna.run("say", "#lobby", "blah blah")
    check("blah blah" not in ben.run("read", "#lobby", json=False).out)
    ben.run("ignore", "anna", "--off")
    check("blah blah" in ben.run("read", "#lobby", json=False).out)


@story(short=True)
def terminal_escapes_are_neutralised(hall):
    anna, ben = lobby(hall, "anna", "ben")
    evil = "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe \x9b2J\x7f"
    anna.run("say", "#lobby", input=evil)
    shown = ben.run("read", "#lobby", json=False).out
    check("red" in shown, shown)
    bad = [c for c in shown if c in "\x1b\x07\x7f\u202e" or 0x80 <= ord(c) < 0xa0]
    check(not bad, bad, shown)
    anna.run("room", "topic", "lobby", "\x1b[2Jtopic")
    check("\x1b" not in ben.run("rooms", json=False).out)


@story
def too_long_too_fast_too_strange(hall):
    anna, = lobby(hall, "anna")
    equal(anna.run("say", "#lobby", input="x" * 16384).rows[-1]["event"], "said")
    equal(anna.run("say", "#lobby", status=1, input="x" * 16385).rows[-1]["name"], "too-long")
    anna.run("say", "#lobby", status=None, input="")
    chat = anna.follow("chat", "#lobby", stdin=True)
    chat.type("".join(f"fast {i}\n" for i in range(120)))
    chat.event(event="status", state="waiting")  # and says them all; see client.lines_from_a_pipe_are_all_said


@story
def text_comes_back_as_it_was(hall):
    anna, ben = lobby(hall, "anna", "ben")
    texts = ["  spaces  ", "a\nb\n\nc", "quotes \" ' \\", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "e\u0301 \u4e2d\u6587", "--json"]
    for text in texts:
        anna.run("say", "#lobby", input=text)
    equal([t.strip("\n") for t in ben.texts("read", "#lobby")], texts)
