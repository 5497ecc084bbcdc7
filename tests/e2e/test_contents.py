"""What the server keeps, damaged and gone: found by roostd --check, by admin check and when it is fetched, named, and mended by sending it again."""
import hashlib
import re
import shutil
import subprocess
import time

from harness import PATIENCE, check, equal, story, until
from parcels import make
from test_depot import contents, curl, kept
from test_https import bearer, with_word
import web

MB = 1 << 20


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 0x40]))


def body_of(hall, before):
    """The one that came since."""
    new = set(contents(hall)) - set(before)
    equal(len(new), 1)
    return hall.data / "files" / new.pop()


def keep(hall, user, name, size):
    """Its number, source and body."""
    before = contents(hall)
    make(hall.dir / name, size)
    number = user.run("send", hall.dir / name, "#maths").rows[-1]["file"]
    return number, hall.dir / name, body_of(hall, before)


def get(hall, user, number, source):
    out = hall.dir / "out"
    out.unlink(missing_ok=True)
    user.run("get", number, "-o", out)
    equal(out.read_bytes() == source.read_bytes(), True, source)


def room(hall):
    admin, (anna, ben) = hall.admin(), hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    return admin, anna, ben


def offline(hall, *words):
    return subprocess.run([str(hall.roostd), "--data", str(hall.data), "--check", *words], capture_output=True, text=True, timeout=60, env=hall.plain_env())


@story(short=True)
def found_by_who_fetches_and_mended_by_sending_again(hall):
    _, anna, ben = room(hall)
    number, source, body = keep(hall, anna, "notes.bin", 5 * MB)
    flip(body, 3 * MB + 5)
    refused = ben.run("get", number, "-o", hall.dir / "out", status=None)
    check(refused.status and not (hall.dir / "out").exists(), refused)
    hall.server.until(f"file {number}: its contents, .*{body.name}, are damaged; .* sent again")
    check(not body.exists() and body.with_name(body.name + ".damaged").exists(), "it was set aside")
    # whoever sends it again, as what it likes, mends all that refer to it
    row = ben.run("send", source, "#maths", "--name", "mine.bin").rows[-1]
    check(not row.get("had"), row)
    check(body.exists() and not body.with_name(body.name + ".damaged").exists(), "it is whole again")
    get(hall, ben, number, source)
    get(hall, anna, row["file"], source)
    row = anna.run("send", source, "#maths", "--name", "third.bin").rows[-1]
    equal(row["had"], 5 * MB)


@story
def admin_check_looks_at_each(hall):
    admin, anna, ben = room(hall)
    first = keep(hall, anna, "first.bin", 3 * MB)
    second = keep(hall, anna, "second.bin", 100_000)
    folder = hall.dir / "folder"
    folder.mkdir()
    for i in range(50):
        make(folder / f"{i}.txt", 2000 + i, seed=i)
    before = contents(hall)
    tree = anna.run("send", folder, "#maths").rows[-1]["file"]
    tree_body = body_of(hall, before)
    done = admin.run("admin", "check", json=False)
    check("3 files" in done.out, done)
    flip(first[2], MB)
    second[2].unlink()
    flip(tree_body.with_name(tree_body.name + ".list"), 40)
    refused = admin.run("admin", "check", json=False, status=None)
    said = refused.out + refused.err
    check(refused.status and "is damaged" in said + " is missing" and "and others" in said and "sent again" in said, refused)
    named = {}
    while len(named) < 3:
        number, name, what = hall.server.until(r"file (\d+): its contents, .*/([0-9a-f-]+), are (\w+)").groups()
        named[int(number)] = name, what
    equal(named, {first[0]: (first[2].name, "damaged"), second[0]: (second[2].name, "missing"), tree: (tree_body.name, "damaged")})
    # each is mended by sending it again
    for words in ((first[1], "--name", "again"), (second[1], "--name", "again"), (folder,)):
        row = anna.run("send", words[0], "#maths", *words[1:]).rows[-1]
        check(not row.get("had"), row)
    equal(admin.run("admin", "check").rows[-1]["whole"], True)
    get(hall, ben, first[0], first[1])
    get(hall, ben, second[0], second[1])
    (hall.dir / "got").mkdir()
    ben.run("get", tree, "-o", hall.dir / "got")
    equal((hall.dir / "got" / "folder" / "17.txt").read_bytes(), (folder / "17.txt").read_bytes())


@story
def roostd_check_looks_at_each(hall):
    _, anna, ben = room(hall)
    first = keep(hall, anna, "first.bin", 3 * MB)
    second = keep(hall, anna, "second.bin", 100_000)
    hall.stop()
    done = offline(hall)
    check(done.returncode == 0 and "2 files are kept" in done.stderr and "0 missing, 0 damaged" in done.stderr, done)
    loose = first[2].with_name("ab" * 32)
    loose.write_bytes(b"nobody's")
    done = offline(hall)
    check(done.returncode == 0 and f"nobody refers to {loose}" in done.stderr, done)
    flip(first[2], 5)
    away = hall.dir / "away"
    shutil.move(second[2], away)
    done = offline(hall)
    equal((done.returncode, done.stdout), (1, ""), done.stderr)
    check(f"file {first[0]}, 'first.bin': its contents, {first[2]}, are damaged; copy them from a backup" in done.stderr, done)
    check(f"file {second[0]}, 'second.bin': its contents, {second[2]}, are missing" in done.stderr, done)
    check("1 missing, 1 damaged" in done.stderr, done)
    equal(offline(hall, "--quick").returncode, 0)  # it can be started
    # as it says: copied from a backup
    shutil.copy(away, second[2])
    flip(first[2], 5)
    equal(offline(hall).returncode, 0)
    loose.unlink()
    hall.start()
    get(hall, ben, first[0], first[1])
    get(hall, ben, second[0], second[1])


@story
def a_backup_and_the_folder_make_a_server(hall):
    admin, anna, ben = room(hall)
    first = keep(hall, anna, "first.bin", 2 * MB)
    admin.run("admin", "backup", str(hall.dir / "one.roost"))
    shutil.copytree(hall.data / "files", hall.dir / "files")
    late = keep(hall, anna, "late.bin", MB)
    hall.stop()
    # another disk: the database from the backup, the contents as they were copied
    shutil.rmtree(hall.data / "files")
    for path in hall.data.glob("roost.db*"):
        path.unlink()
    subprocess.run([str(hall.roostd), "--data", str(hall.data), "--restore", str(hall.dir / "one.roost")], check=True, capture_output=True, env=hall.plain_env())
    done = offline(hall)
    check(done.returncode == 1 and "1 missing" in done.stderr, done)
    shutil.copytree(hall.dir / "files", hall.data / "files")
    done = offline(hall)
    check(done.returncode == 0 and "0 missing, 0 damaged" in done.stderr, done)
    hall.start()
    anna.login(), ben.login(), admin.login()
    get(hall, ben, first[0], first[1])
    equal(admin.run("admin", "check").rows[-1]["whole"], True)
    check(ben.run("get", late[0], "-o", hall.dir / "none", status=None).status, "what came later is not there")


@story
def a_download_ends_before_a_damaged_block(hall):
    _, anna, ben = room(hall)
    number, source, body = keep(hall, anna, "film.bin", 4 * MB)
    data, word = source.read_bytes(), with_word(bearer(ben))
    bad = 2 * MB + 77
    equal(curl(hall, f"/files/{number}", *word, "-r", "100-199999")[2] == data[100:200000], True)
    flip(body, bad)
    # a page of the tree whose hashes were read before, and one after a new start: from its leaves, and from the body alone
    got = curl(hall, f"/files/{number}", *word)[2]
    check(len(got) <= bad // 65536 * 65536 and data.startswith(got), "it ends before what is damaged", len(got))
    hall.server.until(f"file {number}: its contents, .*{body.name}, are damaged")
    equal(curl(hall, f"/files/{number}", *word)[0], 404)
    anna.run("send", source, "#maths", "--name", "again.bin")
    equal(curl(hall, f"/files/{number}", *word)[2] == data, True)
    flip(body, bad)
    body.with_name(body.name + ".leaves").unlink()
    equal(curl(hall, f"/files/{number}", *word, "-r", f"{bad - 5}-{bad + 5}")[2], b"")
    hall.server.until(f"file {number}: its contents, .*{body.name}, are damaged")


@story(options=("--set", "files.quota_room=1500K"))
def a_room_is_full(hall):
    _, anna, ben = room(hall)
    anna.run("room", "new", "other")
    one = keep(hall, anna, "one.bin", 900_000)
    make(hall.dir / "two.bin", 700_000, seed=2)
    refused = ben.run("send", hall.dir / "two.bin", "#maths", status=None)
    check(refused.status and "quota" in refused.out + refused.err, refused)
    # of an unknown size: it is found out when it has come
    refused = ben.run("send", "-", "--name", "pipe", "#maths", input="x" * 700_000, status=None)
    check(refused.status and "quota" in refused.out + refused.err, refused)
    equal(len(kept(ben, "#maths")), 1)
    # another room has its own; what fits comes in; what was forgotten makes room
    anna.run("send", hall.dir / "two.bin", "#other")
    make(hall.dir / "three.bin", 500_000, seed=3)
    ben.run("send", hall.dir / "three.bin", "#maths")
    anna.run("forget", one[0])
    ben.run("send", hall.dir / "two.bin", "#maths")
    equal(len(kept(ben, "#maths", 2)), 2)


@story
def into_a_pipe_that_is_read_slowly(hall):
    """All of it is there long before it was read: it is fetched once."""
    anna = hall.user("anna")
    anna.run("room", "new", "maths")
    wanted = make(hall.dir / "film.mkv", 8 * MB)
    file = anna.run("send", hall.dir / "film.mkv", "#maths").rows[-1]["file"]

    def given():
        return int(re.search(r"^roost_files_given_total (\d+)", web.get(hall, "/metrics").body.decode(), re.M)[1])

    before = given()
    process = subprocess.Popen(anna.argv("get", file, "-o", "-", json=False), env=anna.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    bytes_ = process.stdout.read(1)
    until(lambda: given() > before, "that it is fetched")
    while more := process.stdout.read(20_000):
        bytes_ += more
        time.sleep(0.002)  # slower than it comes
    process.stderr.read()
    equal(process.wait(PATIENCE), 0)
    equal(hashlib.sha256(bytes_).hexdigest(), wanted)
    equal(given(), before + 1, "how often it was fetched")
