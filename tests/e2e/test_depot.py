"""Files that the server keeps: sent to rooms and fetched, with kill -9 of the server in the middle, full disks,
limits, and what lies on its disk."""
import hashlib
import subprocess
import time

import raw
from harness import PATIENCE, check, equal, story, until


def write(hall, name, size, seed=1):
    path = hall.dir / name
    block = hashlib.shake_256(seed.to_bytes(4, "big")).digest(65521)
    with open(path, "wb") as f:
        left, n = size, 0
        while left:
            piece = (n.to_bytes(8, "big") + block)[:left]
            f.write(piece)
            left, n = left - len(piece), n + 1
    return path


def contents(hall):
    """Names of what the server keeps, without what goes beside it."""
    folder = hall.data / "files"
    return sorted(p.name for p in folder.iterdir() if p.is_file() and not p.suffix)


def kept(user, room, n=1):
    return until(lambda: [row for row in user.rows("files", room) if row.get("event") == "file"][n - 1:] and
                 [row for row in user.rows("files", room) if row.get("event") == "file"], "the file in its room")


@story(short=True)
def a_room_keeps_a_file(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    path = write(hall, "notes.bin", 3_000_001)
    anna.run("send", path, "#maths")
    rows = kept(ben, "#maths")
    equal(len(contents(hall)), 1)
    out = hall.dir / "out"
    ben.run("get", rows[0]["file"], "-o", out)
    equal(out.read_bytes(), path.read_bytes())
    # once more under another name: nothing is kept twice
    anna.run("send", path, "#maths", "--name", "again.bin")
    kept(ben, "#maths", 2)
    equal(len(contents(hall)), 1)


@story
def an_empty_file_and_a_folder(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    anna.run("send", write(hall, "empty", 0), "#maths")
    tree = hall.dir / "tree"
    (tree / "deep").mkdir(parents=True)
    for i in range(300):
        (tree / "deep" / f"{i}.txt").write_text(f"text {i}\n")
    anna.run("send", tree, "#maths")
    rows = kept(ben, "#maths", 2)
    folder = hall.dir / "got"
    folder.mkdir()
    for row in rows:
        ben.run("get", row["file"], "-o", folder)
    equal((folder / "empty").read_bytes(), b"")
    equal(len(list((folder / "tree" / "deep").iterdir())), 300)
    equal((folder / "tree" / "deep" / "17.txt").read_text(), "text 17\n")


def restart_in_the_middle(hall, user, *words):
    """kill -9 of the server while the command runs; it goes on by itself, or by the same command."""
    running = user.follow(*words)
    time.sleep(0.4)
    hall.kill()
    hall.start()
    if running.process.wait(60) != 0:
        user.run(*words)


@story
def the_server_dies_while_it_takes(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    path = write(hall, "big.bin", 20_000_000)
    restart_in_the_middle(hall, anna, "send", path, "#maths", "--limit", "40M")
    rows = kept(ben, "#maths")
    equal(len(rows), 1)
    out = hall.dir / "out"
    ben.run("get", rows[0]["file"], "-o", out)
    equal(hashlib.sha256(out.read_bytes()).digest(), hashlib.sha256(path.read_bytes()).digest())
    check(not any((hall.data / "files" / "parts").iterdir()), "a part was left")


@story
def the_server_dies_while_it_gives(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    path = write(hall, "big.bin", 20_000_000)
    anna.run("send", path, "#maths")
    row = kept(ben, "#maths")[0]
    out = hall.dir / "out"
    restart_in_the_middle(hall, ben, "get", row["file"], "-o", out, "--limit", "40M")
    equal(hashlib.sha256(out.read_bytes()).digest(), hashlib.sha256(path.read_bytes()).digest())


@story(options=("--set", "files.max=1M", "--set", "files.quota_user=1500K"))
def limits_are_said(hall):
    anna, = hall.users("anna")
    anna.run("room", "new", "maths")
    refused = anna.run("send", write(hall, "large", 1_100_000), "#maths", status=None)
    check(refused.status and "larger than this server keeps" in refused.out + refused.err, refused)
    anna.run("send", write(hall, "one", 1_000_000), "#maths")
    refused = anna.run("send", write(hall, "two", 1_000_000, 2), "#maths", status=None)
    check(refused.status and "quota" in refused.out + refused.err, refused)
    equal(len(contents(hall)), 1)


@story(options=("--set", "files.reserve=1000000G"))
def a_disk_without_room_is_said(hall):
    anna, = hall.users("anna")
    anna.run("room", "new", "maths")

    def refused():
        done = anna.run("send", write(hall, "one", 1_000_000), "#maths", status=None)
        return done.status and ("no room for files" in done.out + done.err or "full" in done.out + done.err)
    until(refused, "a refusal")
    equal(contents(hall), [])
    anna.run("say", "#maths", "talk goes on")


def curl(hall, path, *words):
    done = subprocess.run(["curl", "-sk", "--max-time", "30", "-D", "-", *words, f"https://127.0.0.1:{hall.port}{path}"], capture_output=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}, body


@story(short=True)
def a_file_over_https(hall):
    anna, = hall.users("anna")
    anna.run("room", "new", "maths")
    path = write(hall, "film clip.mp4", 1_000_003)
    data = path.read_bytes()
    anna.run("send", path, "#maths")
    number = kept(anna, "#maths")[0]["file"]
    ticket = raw.Raw(hall, "anna").ask(file_get=raw.pb.FileGet(file=number, web=True)).file_ticket
    check(ticket.path.startswith(f"/files/{number}/"), ticket)
    status, head, body = curl(hall, ticket.path)
    equal((status, body == data), (200, True))
    equal(head["content-type"], "video/mp4")
    equal(head["etag"], '"' + ticket.file.root.hex() + '"')
    check("attachment" in head["content-disposition"] and "film%20clip.mp4" in head["content-disposition"], head)
    status, head, body = curl(hall, ticket.path, "-r", "100000-299999")
    equal((status, head["content-range"], body == data[100000:300000]), (206, "bytes 100000-299999/1000003", True))
    status, head, body = curl(hall, ticket.path, "-r", "-5")
    equal((status, body), (206, data[-5:]))
    equal(curl(hall, ticket.path, "-r", "1000003-")[0], 416)
    status, _, body = curl(hall, ticket.path, "-r", "5-9", "-H", 'If-Range: "another"')
    equal((status, len(body)), (200, len(data)))
    equal(curl(hall, ticket.path, "-r", "5-9", "-H", "If-Range: " + head["etag"])[2], data[5:10])
    status, head, body = curl(hall, ticket.path, "-I", "-o", "/dev/null")
    equal((status, head["content-length"], body), (200, "1000003", b""))
    wrong = ticket.path.replace(ticket.token.hex(), "0" * 32)
    equal(curl(hall, wrong)[0], 404)
    equal(curl(hall, f"/files/{number + 1}/{ticket.token.hex()}")[0], 404)
    equal(curl(hall, "/files/x")[0], 404)


@story
def who_was_removed_gets_nothing_more(hall):
    anna, ben, carl = hall.users("anna", "ben", "carl")
    anna.run("room", "new", "maths", "ben", "carl")
    path = write(hall, "big.bin", 40_000_000)
    anna.run("send", path, "#maths")
    number = kept(ben, "#maths")[0]["file"]
    ticket = raw.Raw(hall, "ben").ask(file_get=raw.pb.FileGet(file=number, web=True)).file_ticket
    equal(curl(hall, ticket.path, "-r", "0-4")[0], 206)
    slow = subprocess.Popen(["curl", "-sk", "--limit-rate", "1M", "-o", hall.dir / "slow", f"https://127.0.0.1:{hall.port}{ticket.path}"])
    his = ben.follow("--link", "rate=1M delay=5ms queue=64K", "get", number, "-o", hall.dir / "his")
    hers = carl.follow("get", number, "-o", hall.dir / "hers")
    until(lambda: (hall.dir / "slow").exists(), "the beginning of it")
    his.event(event="progress")
    anna.run("room", "remove", "#maths", "ben")
    equal(curl(hall, ticket.path, "-r", "0-4")[0], 404)
    check(his.process.wait(PATIENCE) != 0, "a running get ends")
    check(slow.wait(PATIENCE) != 0, "a running download ends")
    check(not (hall.dir / "his").exists(), "nothing has its name")
    equal(hers.process.wait(PATIENCE), 0)
    equal((hall.dir / "hers").read_bytes() == path.read_bytes(), True)
