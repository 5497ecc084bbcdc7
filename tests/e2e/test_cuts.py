"""What is under way when the right to it ends: an account, a place in a room, a meeting, a session. Both ways, on streams and HTTPS."""
import subprocess

from harness import User, check, equal, story, until
from parcels import MB, make
from test_depot import curl, kept
from test_https import bearer
from test_meet import Seat, guest, meeting
from test_places import crawls, CRAWL, figures, path_of, sent


def browses(hall, path, name, *words):
    """A slow download by curl that has begun."""
    to = hall.dir / name
    curling = subprocess.Popen(["curl", "-sk", "--limit-rate", "500K", *words, "-o", str(to), f"https://127.0.0.1:{hall.port}{path}"])
    until(lambda: to.exists() and to.stat().st_size, "the beginning of it")
    return curling


def uploads(user, hall, room, name="own.bin", seed=77):
    make(hall.dir / name, 12 * MB, seed)
    running = user.follow(*CRAWL, "send", hall.dir / name, room)
    running.event(event="transfer", stage="going")
    running.event(event="progress")
    return running


def cut(hall, admin, *running, names=()):
    """They end, not well, and nothing has its name; the server has nothing open."""
    for one in running:
        process = one.process if hasattr(one, "process") else one
        check(process.wait(60) != 0, "it ended well:", one.args if process is one else one.argv)
    for name in names:
        check(not (hall.dir / name).exists(), name, "has its name")
    until(lambda: figures(admin)["files_open"] == 0, "nothing open", 60)


@story
def of_an_account_that_goes(hall):
    admin, (anna, ben) = hall.admin(), hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben", "root")
    files = sent(hall, anna, "#maths", ("a",))
    ticket, word = path_of(hall, "ben", files["a"]), bearer(ben)
    running = [crawls(ben, files["a"], hall.dir / "his"), browses(hall, ticket, "web-1"),
               browses(hall, f"/files/{files['a']}", "web-2", "-H", f"Authorization: Bearer {word}"), uploads(ben, hall, "#maths")]
    admin.run("admin", "user", "delete", "ben", "--yes")
    cut(hall, admin, *running, names=("his",))
    equal([curl(hall, ticket)[0], curl(hall, f"/files/{files['a']}", "-H", f"Authorization: Bearer {word}")[0]], [404, 401])
    equal([r["name"] for r in kept(anna, "#maths")], ["a"])
    # what an account that goes had sent ends for all
    hers = crawls(admin, files["a"], hall.dir / "hers")
    anna.run("account", "delete", "--yes")
    cut(hall, admin, hers, names=("hers",))
    until(lambda: not list((hall.data / "files" / "parts").iterdir()), "no part that nobody goes on with", 30)


@story
def of_who_is_removed_from_the_room(hall):
    admin, (anna, ben) = hall.admin(), hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    files = sent(hall, anna, "#maths", ("a",))
    running = [crawls(ben, files["a"], hall.dir / "his"), browses(hall, path_of(hall, "ben", files["a"]), "web-1"), uploads(ben, hall, "#maths")]
    anna.run("room", "remove", "#maths", "ben")
    cut(hall, admin, *running, names=("his",))
    equal([r["name"] for r in kept(anna, "#maths")], ["a"])


@story
def of_a_session_that_is_ended(hall):
    admin, (anna, ben) = hall.admin(), hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    files = sent(hall, anna, "#maths", ("a",))
    other = User(hall, "ben")
    other.login()
    mine = next(r["session"] for r in ben.rows("sessions") if r["own"])
    running = [crawls(ben, files["a"], hall.dir / "his"),
               browses(hall, f"/files/{files['a']}", "web-1", "-H", f"Authorization: Bearer {bearer(ben)}"), uploads(ben, hall, "#maths")]
    beside = browses(hall, f"/files/{files['a']}", "web-2", "-H", f"Authorization: Bearer {bearer(other)}")
    other.run("sessions", "end", str(mine))
    for one in running:
        check((one.process if hasattr(one, "process") else one).wait(60) != 0)
    check(beside.poll() is None, "another session's goes on")
    beside.kill()
    beside.wait()
    cut(hall, admin, names=("his",))


@story
def of_a_meeting_that_is_over(hall):
    admin = hall.admin()
    anna, made, host, ben = meeting(hall, others=("ben",))
    code = made["code"]
    visitor = guest(hall)
    seat = Seat(visitor, code, "--name", "gus")
    equal(seat.event(event="ticket")["you"]["state"], "waiting")
    host.event(event="lobby")
    host.do("admit", user="gus")
    equal(seat.event(event="ticket")["you"]["state"], "in")
    make(hall.dir / "a", 12 * MB)
    room = made["meeting"]
    anna.run("send", hall.dir / "a", str(room))
    number = kept(anna, str(room))[0]["file"]
    running = [uploads(ben.user, hall, str(room))]
    host.do("end")
    cut(hall, admin, *running)
    equal([r["name"] for r in kept(anna, str(room))], ["a"])
    # accounts read what was there; nothing more is taken
    ben.user.run("get", number, "-o", hall.dir / "later")
    ben.user.run("send", hall.dir / "own.bin", str(room), status=1)


@story
def of_a_file_that_is_deleted(hall):
    admin, (anna, ben) = hall.admin(), hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    files = sent(hall, anna, "#maths", ("a", "b"))
    ticket = path_of(hall, "ben", files["a"])
    running = [crawls(ben, files["a"], hall.dir / "his"), browses(hall, ticket, "web-1")]
    anna.run("forget", files["a"])
    cut(hall, admin, *running, names=("his",))
    equal(curl(hall, ticket)[0], 404)
    # another with the same contents is not touched
    equal([r["name"] for r in kept(ben, "#maths")], ["b"])
    ben.run("get", files["b"], "-o", hall.dir / "hers")
