"""Accounts, sessions, blocks."""
import time

from harness import User, check, equal, story, until

WRONG = {"ROOST_PASSWORD": "not the password"}


@story(short=True)
def register_login_logout(hall):
    anna = User(hall, "anna")
    anna.run("whoami", status=4, env={"ROOST_PASSWORD": None})
    equal(anna.rows("register", "anna")[-1]["event"], "logged-in")
    me = anna.rows("whoami", env={"ROOST_PASSWORD": None})[-1]
    equal((me["event"], me["name"], me["role"]), ("me", "anna", "user"))
    anna.run("logout")
    anna.run("whoami", status=4, env={"ROOST_PASSWORD": None})
    anna.login()
    anna.run("whoami", env={"ROOST_PASSWORD": None})


@story
def names_are_unique_and_checked(hall):
    hall.user("paul")
    for name, error in (("paul", "name-taken"), ("PAUL", "name-taken"), ("p\u0430ul", "name-bad"),
                        ("no spaces", "name-bad"), ("\u202eevil", "name-bad"), ("x" * 65, "name-bad")):
        row = User(hall, None).run("register", name, status=None)
        check(row.status in (1, 2), "registered", repr(name), row)
        if row.status == 1:
            equal(row.rows[-1]["name"], error, repr(name))
    # alike in capitals only, whichever comes first
    hall.user("BAM")
    equal(User(hall, None).run("register", "\u0412\u0410\u041c", status=1).rows[-1]["name"], "name-taken")
    hall.user("\u043d\u043e\u0442\u0430")
    equal(User(hall, None).run("register", "HOTA", status=1).rows[-1]["name"], "name-taken")
    hall.user("\u017barko_\u00d6")
    equal(User(hall, None).run("register", "carl", status=1, env={"ROOST_PASSWORD": "short"}).rows[-1]["name"], "password-weak")


@story
def wrong_password_and_unknown_name_look_alike(hall):
    hall.user("anna")
    said = [User(hall, None).run("login", name, status=4, env=WRONG).rows[-1] for name in ("anna", "nobody")]
    equal(said[0], said[1])


@story(options=("--set", "login.block=60s"))
def five_wrong_tries_block_for_a_while(hall):
    admin = hall.admin()
    hall.user("anna")
    guess = User(hall, None)
    for _ in range(5):
        last = guess.run("login", "anna", status=None, env=WRONG)
    blocked = guess.run("login", "anna", status=5).rows[-1]  # even with the right one
    equal(blocked["name"], "blocked")
    check(0 < blocked["retry_after_ms"] <= 60000, blocked)
    check(last.status in (4, 5), last)
    # a name that does not exist is blocked just so
    for _ in range(5):
        guess.run("login", "ghost", status=None, env=WRONG)
    equal(guess.run("login", "ghost", status=5, env=WRONG).rows[-1]["name"], "blocked")
    # somebody else behind the same address is not
    hall.user("ben").run("whoami")
    # an admin sees it and lifts it
    names = {row.get("name") for row in admin.rows("admin", "block")}
    check("anna" in names and "ghost" in names, names)
    admin.run("admin", "unblock", "anna")
    guess.run("login", "anna", env={"ROOST_PASSWORD": "secret of anna"})


@story(options=("--set", "login.block=60s"))
def a_stranger_cannot_lock_the_owner_out(hall):
    anna = hall.user("anna")
    for _ in range(6):
        User(hall, None).run("login", "anna", status=None, env=WRONG)
    anna.login()


BLOCK_S = 3


@story(options=("--set", f"login.block={BLOCK_S}s"))
def a_block_ends_and_doubles(hall):
    hall.user("anna")
    guess = User(hall, None)

    def tried():
        """A wrong one: the time before, the answer, the time after."""
        return time.monotonic(), guess.run("login", "anna", status=None, env=WRONG), time.monotonic()

    def blocked(last):
        """How often the block that it meets may have been doubled, by the clock of who asks."""
        while last[1].status != 5:
            began, _, begun = last  # it begins with the last wrong one, between these
            last = tried()
        before, refused, after = last
        left_s = refused.rows[-1]["retry_after_ms"] / 1000
        least, most = before - begun + left_s - 0.001, after - began + left_s + 0.001
        doubled = [n for n in range(12) if least <= BLOCK_S * 2 ** n <= most]
        check(doubled, "a block of", least, "to", most, "s")
        return doubled

    first = blocked(tried())
    # each refusal is a round trip; the block does not grow by it
    check(blocked(until(lambda: (t := tried())[1].status != 5 and t, "the end"))[-1] > first[0], first)


@story(short=True)
def sessions_are_listed_and_ended(hall):
    anna = hall.user("anna")
    phone = User(hall, "anna", password=anna.password)
    phone.login()
    sessions = anna.rows("sessions")
    equal(len(sessions), 2)
    other = [s["session"] for s in sessions if not s["own"]]
    equal(len(other), 1)
    anna.run("sessions", "end", other[0])
    phone.run("whoami", status=4, env={"ROOST_PASSWORD": None})
    equal(len(anna.rows("sessions")), 1)


@story
def passwd_ends_the_other_sessions(hall):
    anna = hall.user("anna")
    phone = User(hall, "anna", password=anna.password)
    phone.login()
    anna.run("passwd", env={"ROOST_NEW_PASSWORD": "another secret"})
    phone.run("whoami", status=4, env={"ROOST_PASSWORD": None})
    anna.run("whoami", env={"ROOST_PASSWORD": None})
    phone.run("login", "anna", status=4)
    phone.run("login", "anna", env={"ROOST_PASSWORD": "another secret"})


@story
def a_forgotten_password(hall):
    admin = hall.admin()
    anna = hall.user("anna")
    token = admin.rows("admin", "user", "passwd", "anna")[-1]
    word = next(v for k, v in token.items() if k in ("token", "text", "reset"))
    new = {"ROOST_NEW_PASSWORD": "yet another secret"}
    User(hall, None).run("passwd", "anna", "--reset", word, env=new)
    anna.run("login", "anna", env={"ROOST_PASSWORD": "yet another secret"})
    User(hall, None).run("passwd", "anna", "--reset", word, status=1, env=new)  # good once


@story
def deleting_an_account_takes_its_texts(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    anna.run("say", "#lobby", "my secret plan")
    anna.run("account", "delete", "--yes")
    anna.run("whoami", status=4)
    rows = ben.rows("read", "#lobby")
    check(not any("secret plan" in str(row) or row.get("from") == "anna" for row in rows), rows)


@story
def who_is_deleted_is_a_number_in_the_log(hall):
    admin = hall.admin()
    anna, ben, carl = hall.users("anna", "ben", "carl")
    anna.run("say", "@Carl", "hello")
    anna.run("room", "new", "lobby", "carl", "ben")
    anna.run("room", "role", "lobby", "ben", "moderator")
    ben.run("account", "delete", "--yes")
    admin.run("admin", "user", "delete", "carl", "--yes")
    lines = admin.rows("admin", "log")
    check(len(lines) > 10)
    left = [one for one in lines if {"ben", "carl"} & set(str(one["name"] + " " + (one["target"] or "")).lower().replace("@", " ").split())]
    equal(left, [])
    equal([one["target"][:2] for one in lines if one["kind"] == "say"], ["@#"])


@story(options=("--registration", "invite"))
def by_invitation_only(hall):
    equal(User(hall, None).run("register", "anna", status=1).rows[-1]["name"], "invite-needed")
    admin = hall.admin()
    equal(admin.rows("whoami")[-1]["role"], "admin")
    row = admin.rows("admin", "invite")[-1]
    word = next(v for k, v in row.items() if k in ("token", "text", "invite"))
    User(hall, "anna").run("register", "anna", "--invite", word)
    equal(User(hall, None).run("register", "ben", "--invite", word, status=1).rows[-1]["name"], "invite-bad")


@story(options=("--registration", "admin"))
def only_admins_make_accounts(hall):
    equal(User(hall, None).run("register", "anna", status=1).rows[-1]["name"], "registration-closed")
