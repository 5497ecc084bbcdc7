"""`chat` on a terminal: tmux is the terminal, and what it shows is looked at."""
import shlex
import shutil
import subprocess
import time

from harness import PATIENCE, Failure, Skip, User, check, equal, story, until


class Screen:
    """A command on a terminal of its own."""

    def __init__(self, hall, argv, env, columns=60, rows=16):
        if not shutil.which("tmux"):
            raise Skip("tmux is not installed")
        self.tmux = ["tmux", "-u", "-S", str(hall.dir / f"tmux-{len(hall.kept)}-{time.monotonic_ns()}"), "-f", "/dev/null"]
        words = ["env", "-i", *(f"{k}={v}" for k, v in env.items() if k not in ("TERM", "TMUX", "TMUX_PANE"))]
        words += ["TERM=screen-256color", *argv]
        self.call("new-session", "-d", "-x", columns, "-y", rows, shlex.join(words) + "; echo ended $?; exec sleep 600")
        hall.screens = getattr(hall, "screens", []) + [self]

    def call(self, *words):
        done = subprocess.run([*self.tmux, *(str(w) for w in words)], capture_output=True, timeout=PATIENCE)
        if done.returncode:
            raise Failure(f"tmux {words}: {done.stderr.decode()}")
        return done.stdout.decode("utf-8", "replace")

    def keys(self, *keys):
        self.call("send-keys", *keys)

    def type(self, text):
        self.call("send-keys", "-l", text)

    @property
    def rows(self):
        """What can be seen, without the empty rows at the end."""
        return [row.rstrip() for row in self.call("capture-pane", "-p").rstrip("\n").split("\n")]

    @property
    def cursor(self):
        return tuple(int(n) for n in self.call("display-message", "-p", "#{cursor_x} #{cursor_y}").split())

    def until(self, wanted, what):
        end = time.monotonic() + PATIENCE
        while not wanted(self.rows):
            if time.monotonic() > end:
                raise Failure(f"{what}: never seen; the screen:\n" + "\n".join(self.rows))
        return self.rows

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], capture_output=True)


def same(rows, text):
    """Whether the screen ends with this text, however it is wrapped."""
    return "".join(rows).replace(" ", "").endswith(text.replace(" ", ""))


def with_screens(f):
    def run(hall):
        try:
            f(hall)
        finally:
            for screen in getattr(hall, "screens", []):
                screen.close()

    run.__name__, run.__module__ = f.__name__, f.__module__
    return run


def lobby(hall):
    anna, ben = hall.users("anna", "ben")
    anna.run("room", "new", "lobby", "ben")
    screen = Screen(hall, ben.argv("chat", "#lobby", json=False), ben.env())
    screen.until(lambda rows: any("[#lobby]" in row for row in rows), "the prompt")
    return anna, ben, screen


@story
@with_screens
def a_message_does_not_break_the_line_being_typed(hall):
    anna, ben, screen = lobby(hall)
    typed = "w\u00fcrde \u732b gern"  # two columns for the cat
    screen.type(typed)
    screen.keys("Left", "Left")
    rows = screen.until(lambda rows: rows[-1].endswith(typed), "what was typed")
    x, prompt = screen.cursor[0], rows[-1]
    anna.run("say", "#lobby", "here I come")
    rows = screen.until(lambda rows: any("here I come" in row for row in rows) and rows[-1] == prompt,
                        "the message above the same line")
    equal(sum(typed in row for row in rows), 1, "the line is there once:\n" + "\n".join(rows))
    equal(screen.cursor[0], x, "the cursor stays where it was")
    # many of them, and a line longer than the terminal is wide
    screen.keys("End")
    more = " " + "and so on " * 8
    screen.type(more)
    for i in range(12):
        anna.run("say", "#lobby", f"message {i}", f"\x1b[2Jevil{i}")
    rows = screen.until(lambda rows: any("evil11" in row for row in rows) and same(rows, typed + more),
                        "the long line below all of them")
    equal(sum("gern and so on" in row for row in rows), 1, "the long line is there once:\n" + "\n".join(rows))
    screen.keys("Enter")
    wanted = (typed + more).rstrip()
    while wanted not in [t.rstrip() for t in anna.texts("read", "#lobby")]:
        pass


@story
@with_screens
def chat_has_history_completion_and_resize(hall):
    anna, ben, screen = lobby(hall)
    screen.type("first line")
    screen.keys("Enter")
    screen.until(lambda rows: any("first line" in row for row in rows[:-1]), "what was said")
    screen.keys("Up")
    screen.until(lambda rows: rows[-1].endswith("] first line"), "the line of before")
    screen.keys("C-u")
    screen.type("/who")
    screen.keys("Tab")
    screen.keys("Enter")
    screen.until(lambda rows: any("ben" in row and "NAME" not in row for row in rows), "who is on")
    screen.type("/quer")
    screen.keys("Tab", "C-u")
    screen.call("resize-window", "-x", "30", "-y", "12")
    screen.type("0123456789 0123456789 0123456789")
    anna.run("say", "#lobby", "small")
    screen.until(lambda rows: any("small" in row for row in rows) and same(rows, "0123456789 0123456789 0123456789"),
                 "the line on a narrow terminal")
    screen.keys("C-u")
    screen.type("/quit")
    screen.keys("Enter")
    screen.until(lambda rows: any("ended 0" in row for row in rows), "the end")


@story
@with_screens
def a_password_is_asked_for_and_not_shown(hall):
    hall.user("anna")
    anna = User(hall, "anna")
    screen = Screen(hall, anna.argv("login", "anna", json=False), anna.env(ROOST_PASSWORD=None))
    rows = screen.until(lambda rows: any(r.rstrip().endswith(("?", ":", "]")) for r in rows), "a question")
    if not any("assword" in row for row in rows):  # the pin of a new home comes first
        check(any("ertificate" in row or "ingerprint" in row for row in rows), rows)
        screen.type("yes")
        screen.keys("Enter")
        screen.until(lambda rows: any("assword" in row for row in rows), "the password's prompt")
    screen.type("secret of anna")
    screen.keys("Enter")
    rows = screen.until(lambda rows: any("ended 0" in row for row in rows), "the end")
    check(not any("secret of anna" in row for row in rows), "the password is on the screen", rows)
    anna.run("whoami", env={"ROOST_PASSWORD": None})


@story
@with_screens
def one_talks_while_the_server_is_pinged(hall):
    anna, ben, screen = lobby(hall)
    heard = anna.follow("read", "#lobby", "--follow")
    screen.type("/ping --count 400")
    screen.keys("Enter")
    screen.until(lambda rows: any("answered in" in row for row in rows), "the first answer")
    screen.type("still here")
    screen.keys("Enter")
    heard.event(event="message", text="still here")
    screen.until(lambda rows: any("still here" in row for row in rows), "the line among them")
    screen.type("/ping --count 1")  # the earlier ones end with it
    screen.keys("Enter")

    def still():  # each of them answers four times a second, for longer than anybody waits here
        rows = screen.rows
        time.sleep(0.6)
        return screen.rows == rows

    until(still, "the end of the answers")
