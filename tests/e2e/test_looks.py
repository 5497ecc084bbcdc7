"""Files as a person meets them: on a terminal, at which questions are asked and lines are redrawn."""
from harness import check, equal, story, until
from parcels import MB, digest, folder, make
from test_terminal import Screen, with_screens


def sees(screen, words, what=None):
    return screen.until(lambda rows: words in " ".join(rows), what or words)


def receives(hall, user, to, *options, columns=80):
    screen = Screen(hall, user.argv("receive", "--dir", str(to), *options, json=False), user.env(), columns=columns)
    sees(screen, "Waiting for files")
    return screen


@story
@with_screens
def what_is_no_answer_is_asked_again(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = hall.dir / "notes.pdf", folder(hall, "to")
    wanted = make(source, 1000)
    screen = receives(hall, ben, to)
    sending = anna.follow("send", source, "@ben")
    sees(screen, "anna offers notes.pdf, 1.0 kB. Take it? [y/N]")
    screen.type("ls -la")
    screen.keys("Enter")
    screen.until(lambda rows: sum("Take it?" in row for row in rows) == 2, "the question again")
    screen.type("y")
    screen.keys("Enter")
    sending.event(event="sent")
    sees(screen, "received from @anna")
    equal(digest(to / "notes.pdf"), wanted)


@story
@with_screens
def in_a_chat_the_one_offer_needs_no_number(hall):
    anna, ben = hall.users("anna", "ben")
    source = hall.dir / "notes.pdf"
    wanted = make(source, MB)
    ben.home.mkdir(exist_ok=True)
    screen = Screen(hall, ["env", "-C", str(ben.home), *ben.argv("chat", "@anna", json=False)], ben.env(), columns=90)
    sees(screen, "[@anna]")
    screen.type("/accept")
    screen.keys("Enter")
    sees(screen, "nothing is offered now")
    sending = anna.follow("send", source, "@ben", "--limit", "10M")
    sees(screen, "anna offers notes.pdf, 1.0 MB: /accept")
    screen.type("/accept")
    screen.keys("Enter")
    sending.event(event="sent")
    sees(screen, "received from @anna")
    equal(digest(ben.home / "notes.pdf"), wanted)
    sending = [anna.follow("send", source, "@ben", "--name", f"{i}.pdf") for i in range(2)]
    sees(screen, "anna offers 0.pdf")
    sees(screen, "anna offers 1.pdf")
    screen.type("/decline")
    screen.keys("Enter")
    sees(screen, "several are offered")
    for one in sending:
        one.end()
