"""What files are called where they arrive: Unicode forms, long names, deep trees, and names that deceive or do harm."""
import os
import subprocess
import unicodedata

from harness import PATIENCE, check, equal, story, until
from parcels import folder
from test_files import nothing_left, passes

NFC, NFD = unicodedata.normalize("NFC", "Grüße é.txt"), unicodedata.normalize("NFD", "Grüße é.txt")
REORDER = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
LONG = {"l" * 255, "ä" * 127, "文" * 85, "x" * 250 + ".html", "🙂" * 63}
ODD = {
    NFC, NFD,  # two for a system that keeps bytes, one name for people
    "CON", "nul.txt", "COM1", "lpt9.tar.gz", "aux",  # reserved elsewhere
    "dots...", "spaces   ", ". ", "a. .",  # ends that others drop
    ".hidden", "..gz", "...",
    "tab\there", "line\nbreak", "bell\x07", "esc\x1b[2J", "del\x7f", "c1\x9b31m",
    "invoice\u202efdp.exe", *(f"bidi{c}{i}" for i, c in enumerate(REORDER)),
    "a:b", "back\\slash", 'quote"', "less<more>", "pipe|", "what?", "star*",
    "README", "readme", "ReadMe", "STRASSE", "straße",
    "-rf", "~", "$HOME", "`id`", "%s%n", " leading", "#", "@ben",
}


def fill(top):
    for name in ODD | LONG:
        (top / name).write_text(name)


def all_safe(names, what):
    folded = {unicodedata.normalize("NFC", n).casefold() for n in names}
    equal(len(folded), len(names), f"{what}: some are the same to a system that folds case")
    for name in names:
        equal(name, unicodedata.normalize("NFC", name), what)
        check(len(name.encode()) <= 255, what, "too long:", name)
        check(not any(unicodedata.category(c) == "Cc" or c in REORDER for c in name), what, "does harm:", repr(name))
        check(not set(name) & set(':"<>|?*\\/') and name[-1] not in ". ", what, "does not exist elsewhere:", repr(name))
        check(name.split(".")[0].upper() not in ("CON", "NUL", "AUX", "COM1", "LPT9"), what, "reserved:", name)


@story
def in_a_folder_all_arrive_and_none_does_harm(hall):
    anna, ben = hall.users("anna", "ben")
    source, to = folder(hall, "odd"), folder(hall, "to")
    fill(source)
    (source / "sub" / "CON").mkdir(parents=True)
    (source / "sub" / "CON" / "\u202egpj.exe").write_text("inside")
    passes(anna, ben, source, to)
    got = {p.name: p.read_text() for p in (to / "odd").iterdir() if p.is_file()}
    equal(sorted(got.values()), sorted(ODD | LONG), "all came, each once")
    all_safe(got, "in a folder")
    for plain in ("README", "-rf", "$HOME", "@ben", "dots") & got.keys():
        check(got[plain].startswith(plain[:4]), plain)
    for path in (to / "odd" / "sub").rglob("*"):
        all_safe([path.name], "below")
    nothing_left(to)


@story
def alone_and_beside_each_other(hall):
    """As things at the top: none is hidden, and each name is shown without harm to the terminal of who is asked."""
    anna, ben = hall.users("anna", "ben")
    source, to = folder(hall, "odd"), folder(hall, "to")
    names = sorted(ODD | LONG)
    fill(source)
    receiving = ben.follow("receive", "--accept", "all", "--dir", to, "--count", "1")
    until(lambda: any(row.get("name") == "ben" for row in anna.rows("who")), "ben to be on")
    anna.run("send", *(source / n for n in names), "@ben")
    receiving.event(event="received")
    got = {p.name: p.read_text() for p in to.iterdir()}
    equal(sorted(got.values()), names)
    all_safe(got, "at the top")
    check(not any(name.startswith(".") for name in got), "hidden:", sorted(got))
    # one file, whose name is all that is told of it
    there = folder(hall, "there")
    for name in (NFD, "invoice\u202efdp.exe", "x" * 250 + ".html", ".hidden", "esc\x1b[2J"):
        passes(anna, ben, source / name, there)
    one = [p.name for p in there.iterdir()]
    all_safe(one, "one by one")
    equal(len(one), 5)
    check(NFC in one and any(n.endswith(".html") for n in one), one)
    nothing_left(to)


@story
def what_the_server_shows_does_no_harm(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "maths", "ben")
    source = folder(hall, "odd")
    (source / "bad").write_text("no UTF-8")
    os.rename(source / "bad", os.fsencode(source) + b"/bad\xff")
    names = ("invoice\u202efdp.exe", NFD, "文" * 85, "esc\x1b[2J", "line\nbreak")
    for name in names:
        (source / name).write_text(name)
        anna.run("send", source / name, "#maths")
    for path in source.iterdir():
        if path.name not in names:
            subprocess.run([os.fsencode(str(w)) for w in anna.argv("send", path, "#maths")], env=anna.env(), check=True,
                           capture_output=True, timeout=PATIENCE)
    for words in (("files", "#maths"), ("read", "#maths"), ("transfers",)):
        shown = ben.run(*words, json=False).out
        check(not any(c in shown for c in "\x1b\x07" + REORDER), words, repr(shown))
    to = folder(hall, "to")
    for row in ben.rows("files", "#maths"):
        ben.run("get", row["file"], "-o", to)
    all_safe([p.name for p in to.iterdir()], "of a room")
    equal(sorted(p.read_text() for p in to.iterdir()), sorted((*names, "no UTF-8")))


@story
def a_deep_tree(hall):
    """As deep as it may be arrives; what is deeper is said, and the rest arrives."""
    anna, ben = hall.users("anna", "ben")
    source, to = folder(hall, "deep"), folder(hall, "to")
    here = source
    for i in range(70):
        (here / "file").write_text(str(i))
        here = here / f"d{i}"
        here.mkdir()
    wide = source / ("w" * 200)
    for i in range(8):  # longer than a path may be
        wide.mkdir()
        (wide / "file").write_text("wide")
        wide = wide / ("w" * 255)
    done = anna.run("send", source, "@ben", "--via", "server", json=False, status=1)
    check("could not be sent" in done.err, done.err)
    file = ben.rows("transfers")[-1]["file"]
    ben.run("get", file, "-o", to)
    found = sorted(p.read_text() for p in (to / "deep").glob("**/file"))
    check(len(found) >= 60 and "0" in found and "60" in found and "wide" in found, len(found), found[-3:])
    equal(os.path.commonpath([str(p.resolve()) for p in to.rglob("*")]), str((to / "deep").resolve()), "nothing lies elsewhere")
