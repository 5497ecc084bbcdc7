"""Kept files over HTTPS for who shows the word of a session: real curl, in a header and never in an address."""
import subprocess

from harness import check, equal, story, until
from parcels import make
from test_depot import curl, kept


def bearer(user):
    return user.run("sessions", "bearer").rows[-1]["bearer"]


def with_word(word):
    return "-H", f"Authorization: Bearer {word}"


@story(short=True)
def a_session_opens_what_it_may_read(hall):
    admin, (anna, ben, carl) = hall.admin(), hall.users("anna", "ben", "carl")
    anna.run("room", "new", "maths", "ben", "--private")
    make(hall.dir / "notes.bin", 1_000_003)
    data = (hall.dir / "notes.bin").read_bytes()
    anna.run("send", hall.dir / "notes.bin", "#maths")
    number = kept(ben, "#maths")[0]["file"]
    path, his, hers = f"/files/{number}", bearer(ben), bearer(carl)
    status, head, body = curl(hall, path, *with_word(his))
    equal((status, body == data, head["accept-ranges"], head["cache-control"]), (200, True, "bytes", "no-store"))
    check('filename="notes.bin"' in head["content-disposition"], head)
    status, part, body = curl(hall, f"{path}/notes.bin", *with_word(his), "-r", "100000-299999")
    equal((status, part["content-range"], body == data[100000:300000]), (206, "bytes 100000-299999/1000003", True))
    equal(curl(hall, path, *with_word(his), "-r", "-5")[2], data[-5:])
    equal(curl(hall, path, *with_word(his), "-r", "5-9", "-H", "If-Range: " + head["etag"])[2], data[5:10])
    status, _, body = curl(hall, path, *with_word(his), "-r", "5-9", "-H", 'If-Range: "another"')
    equal((status, len(body)), (200, len(data)))
    status, past, _ = curl(hall, path, *with_word(his), "-r", "1000003-")
    equal((status, past["content-range"]), (416, "bytes */1000003"))
    status, head, body = curl(hall, path, *with_word(his), "-I", "-o", "/dev/null")
    equal((status, head["content-length"], body), (200, "1000003", b""))
    # as the password that a browser or player asks for, with any name
    equal(curl(hall, path, "-u", f"ben:{his}", "-r", "0-9")[2], data[:10])
    # as the manual says it: the word is on nobody's command line
    line = ben.run("sessions", "bearer", json=False).out
    done = subprocess.run(["curl", "-skOJ", "-H", "@-", f"https://127.0.0.1:{hall.port}{path}"], input=line, text=True, cwd=hall.dir / "home-1")
    equal((done.returncode, (hall.dir / "home-1" / "notes.bin").read_bytes() == data), (0, True))
    # nobody else: without a word, with a wrong one, with one of whom may not read it; nothing tells what is there
    status, head, _ = curl(hall, path)
    equal((status, "Basic" in head["www-authenticate"]), (401, True))
    flipped = his[:-1] + ("0" if his[-1] != "0" else "1")
    other = hers[:32] + his[32:]
    for word in ("x", "", "0" * 80, flipped, other, his + "0", "0" * 3000):
        check(curl(hall, path, *with_word(word))[0] in (401, 431), word)
    for words in (("-u", "ben:x"), ("-H", "Authorization: Basic !!!"), ("-H", "Authorization: Digest x")):
        equal(curl(hall, path, *words)[0], 401)
    equal([curl(hall, p, *with_word(hers))[0] for p in (path, "/files/99999", "/files/x")], [404] * 3)
    # it says nothing but this
    equal(curl(hall, "/metrics", *with_word(his))[0] in (200, 401, 403), True)
    rows = admin.rows("admin", "log", "--since", "1 hour ago")
    got = [r for r in rows if r.get("kind") == "file_https"]
    check(got and all(r["target"].endswith("notes.bin") for r in got if r.get("outcome") in (None, "", "ok")), got[:3])
    # who is no longer in the room; a session that is over
    anna.run("room", "remove", "#maths", "ben")
    equal(curl(hall, path, *with_word(his))[0], 404)
    anna.run("room", "invite", "#maths", "ben", status=None)
    own = bearer(anna)
    equal(curl(hall, path, *with_word(own), "-r", "0-4")[0], 206)
    anna.run("logout")
    equal(curl(hall, path, *with_word(own))[0], 401)
    # after another login the old word stays what it is: none
    anna.run("login", "anna")
    equal(curl(hall, path, *with_word(own))[0], 401)
    equal(curl(hall, path, *with_word(bearer(anna)), "-r", "0-4")[0], 206)


@story(options=("--set", "files.https=no"))
def where_it_is_off(hall):
    anna, = hall.users("anna")
    anna.run("sessions", "bearer", status=1)
    equal(curl(hall, "/files/1", *with_word("0" * 80))[0], 401)
