"""Files that the server keeps for one person, who is there and gets them while they come."""
import signal

from harness import check, equal, story, until
from parcels import MB, digest, folder, make, tree

SLOW = ("--link", "rate=20M delay=5ms queue=128K")


def two(hall):
    return hall.users("anna", "ben")


def receiving(ben, to):
    """Until it is there: only who is there gets what comes."""
    running = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
    until(lambda: any(r.get("name") == "ben" for r in ben.rows("who")), "who receives is there")
    return running


def progress(running, least):
    while (row := running.event(patience=60))["event"] != "progress" or row["bytes"] < least:
        check(row["event"] not in ("sent", "received", "error"), "it is over", row)
    return row


def names(to):
    return sorted(p.name for p in to.iterdir() if p.name != ".roost-parts")


def ended(running, event):
    row = running.event(event=event, patience=60)
    equal(running.process.wait(60), 0)
    return row


@story
def who_is_killed_goes_on(hall):
    anna, ben = two(hall)
    size, source, to = 12 * MB, hall.dir / "film.mkv", folder(hall, "ben")
    wanted = make(source, size)
    getting = receiving(ben, to)
    sending = anna.follow(*SLOW, "send", source, "@ben", "--via", "server")
    progress(sending, size * 0.5)
    sending.end(signal.SIGKILL)
    # nobody sends it any more, and the server does not have all of it: what there is was given on
    was = progress(getting, size * 0.3)
    equal(names(to), [], "what is not whole has no name")
    until(lambda: any(any(m.read_bytes()) for m in to.glob(".roost-parts/*/map.*")), "some of it is synced")
    getting.end(signal.SIGKILL)
    sending = anna.follow(*SLOW, "send", source, "@ben", "--via", "server")
    getting = ben.follow("get", str(was["file"]), "-o", to)
    got, sent = ended(getting, "received"), ended(sending, "sent")
    equal((sent["file"], got["bytes"], digest(to / "film.mkv")), (was["file"], size, wanted))
    check(got["had"] and sent["had"], "all of it came again:", got, sent)


@story
def a_killed_server_goes_on_with_both(hall):
    anna, ben = two(hall)
    size, source, to = 12 * MB, hall.dir / "film.mkv", folder(hall, "ben")
    wanted = make(source, size)
    getting = receiving(ben, to)
    sending = anna.follow(*SLOW, "send", source, "@ben", "--via", "server")
    progress(getting, size * 0.3)
    hall.kill()
    hall.start()
    ended(sending, "sent")
    equal((ended(getting, "received")["bytes"], digest(to / "film.mkv")), (size, wanted))


@story
def a_folder_comes(hall):
    anna, ben = two(hall)
    source, to = folder(hall, "photos"), folder(hall, "ben")
    for i in range(60):
        make(source / f"day {i % 7}" / f"{i}.jpg", i * 3000, i)
    (source / "nothing in it").mkdir()
    getting = receiving(ben, to)
    sending = anna.follow(*SLOW, "send", source, "@ben", "--via", "server")
    progress(getting, MB)
    check(sending.process.poll() is None, "it was sent already")
    ended(sending, "sent")
    ended(getting, "received")
    equal(tree(to / "photos"), tree(source))


@story
def who_gives_up_ends_it_for_both(hall):
    anna, ben = two(hall)
    source, to = hall.dir / "film.mkv", folder(hall, "ben")
    make(source, 12 * MB)
    getting = receiving(ben, to)
    sending = anna.follow(*SLOW, "send", source, "@ben", "--via", "server")
    file = progress(getting, 2 * MB)["file"]
    anna.run("cancel", str(file))
    for running in (sending, getting):
        while (row := running.event(patience=60))["event"] == "progress" or row["event"] == "transfer":
            pass
        check(row["event"] not in ("sent", "received"), row)
        running.process.wait(60)
    equal(names(to), [])


@story
def a_small_one_and_a_text(hall):
    anna, ben = two(hall)
    to = folder(hall, "ben")
    (hall.dir / "empty").write_bytes(b"")
    for source, wanted in ((hall.dir / "empty", None), (hall.dir / "note.txt", make(hall.dir / "note.txt", 700))):
        getting = receiving(ben, to)
        anna.run("send", source, "@ben", "--via", "server")
        ended(getting, "received")
        equal(digest(to / source.name), wanted or digest(source))
