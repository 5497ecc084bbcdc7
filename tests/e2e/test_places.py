"""How many files travel at a time: of all and of one account, over all threads; places are given back however a transfer ends."""
import signal
import subprocess

import raw
from harness import check, equal, story, until
from parcels import MB, digest, make
from test_depot import curl, kept

CRAWL = ("--link", "rate=1M delay=5ms queue=64K")  # 12 MB take longer than any story
LIMITS = ("--set", "files.transfers=3", "--set", "files.transfers_user=2")


def sent(hall, anna, room, names, size=12 * MB):
    """Files of one size in a room: their numbers, by name."""
    for i, name in enumerate(names):
        make(hall.dir / name, size, seed=i + 1)
        anna.run("send", hall.dir / name, room)
    rows = kept(anna, room, len(names))
    return {row["name"]: row["file"] for row in rows}


def fetches(user, number, to, *link):
    return user.follow(*link, "get", number, "-o", to)


def crawls(user, number, to):
    """A get that is on its way and will be for long."""
    running = fetches(user, number, to, *CRAWL)
    running.event(event="transfer", stage="going")
    running.event(event="progress")
    return running


def waits(running, why):
    equal(running.event(event="transfer", stage="waiting", why=why)["why"], why)


def figures(admin):
    return admin.run("admin", "stats").rows[-1]


def path_of(hall, name, number):
    return raw.Raw(hall, name).ask(file_get=raw.pb.FileGet(file=number, web=True)).file_ticket.path


@story(options=LIMITS)
def as_many_as_the_server_carries(hall):
    admin, (anna, ben, carl, dora) = hall.admin(), hall.users("anna", "ben", "carl", "dora")
    anna.run("room", "new", "maths", "ben", "carl", "dora")
    files = sent(hall, anna, "#maths", ("a", "b", "c"))
    first, second = (crawls(ben, files[n], hall.dir / f"ben-{n}") for n in "ab")
    third = fetches(ben, files["c"], hall.dir / "ben-c")
    waits(third, "transfers-own")
    hers = crawls(carl, files["a"], hall.dir / "carl-a")
    fourth = fetches(dora, files["a"], hall.dir / "dora-a")
    waits(fourth, "transfers")
    # browsers hear it too
    status, head, _ = curl(hall, path_of(hall, "dora", files["b"]))
    equal((status, head["retry-after"]), (503, "5"))
    status, head, _ = curl(hall, path_of(hall, "ben", files["c"]))
    equal((status, head["retry-after"]), (429, "5"))
    row = figures(admin)
    check(row["files_crowded"] >= 4, row)
    # who ends one goes on with what waited, and has no more than before
    first.end()
    equal(third.process.wait(120), 0)
    equal(digest(hall.dir / "ben-c"), digest(hall.dir / "c"))
    equal(fourth.process.wait(120), 0)
    # one's account that goes, and a connection that is cut, leave their places
    second.end(signal.SIGKILL)
    carl.run("account", "delete", "--yes")
    check(hers.process.wait(60) != 0)
    running = [subprocess.Popen(["curl", "-sk", "--limit-rate", "100K", "-o", str(hall.dir / f"web-{i}"), f"https://127.0.0.1:{hall.port}{path_of(hall, 'dora', files['a'])}"])
               for i in range(2)]
    until(lambda: all((hall.dir / f"web-{i}").exists() for i in range(2)), "two downloads")
    equal(curl(hall, path_of(hall, "dora", files["b"]), "-r", "0-9")[0], 429)
    for curling in running:
        curling.kill()
        curling.wait()
    until(lambda: curl(hall, path_of(hall, "dora", files["b"]), "-r", "0-9")[0] == 206, "a place")


@story(options=("--set", "files.transfers=20", "--set", "files.transfers_user=1"))
def a_killed_program_does_not_keep_its_own_out(hall):
    """Nobody hears of a kill -9 before the session has been silent for long: the next one takes the place over."""
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    files = sent(hall, anna, "#maths", ("a",))
    for _ in range(2):
        crawls(ben, files["a"], hall.dir / "out").end(signal.SIGKILL)
    ben.run("get", files["a"], "-o", hall.dir / "out")
    equal(digest(hall.dir / "out"), digest(hall.dir / "a"))
    # the same for who sends
    make(hall.dir / "d", 12 * MB, seed=9)
    for _ in range(2):
        sending = anna.follow(*CRAWL, "send", hall.dir / "d", "#maths")
        sending.event(event="transfer", stage="going")
        sending.event(event="progress")
        sending.end(signal.SIGKILL)
    equal(anna.run("send", hall.dir / "d", "#maths").rows[-1]["event"], "sent")
