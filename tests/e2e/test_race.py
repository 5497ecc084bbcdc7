"""Flows that share a link, to look at: roost lab race."""
import csv
import os
import pty
import re
import select
import subprocess
import xml.etree.ElementTree

from harness import check, equal, parse, story


def race(hall, *words, json=True, status=0):
    argv = [str(hall.roost), *(["--json"] if json else []), "lab", "race", *words]
    done = subprocess.run(argv, env=hall.plain_env(), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    equal(done.returncode, status, done.stderr)
    return done


@story
def figures_and_pictures(hall):
    svg, figures = hall.dir / "race.svg", hall.dir / "race.csv"
    done = race(hall, "--cc", "reno,cubic,bbr", "--time", "5", "--svg", str(svg), "--csv", str(figures))
    rows = [parse(line) for line in done.stdout.splitlines()]
    flows = [r for r in rows if r["event"] == "flow"]
    equal([r["cc"] for r in flows], ["reno", "cubic", "bbr"])
    check(abs(sum(r["share"] for r in flows) - 1) < 0.01, flows)
    check(0 < rows[-1]["fairness"] <= 1 and rows[-1]["seconds"] == 5, rows[-1])
    check(xml.etree.ElementTree.parse(svg).getroot().tag.endswith("svg"), "no SVG")
    with open(figures) as f:
        table = list(csv.DictReader(f))
    equal(len(table), 3 * 101)
    equal({r["cc"] for r in table}, {"reno", "cubic", "bbr"})
    check(max(int(r["queue_bytes"]) for r in table) <= 256 * 1024, "a queue longer than it may be")
    # the same seed is the same race, another is another
    equal(race(hall, "--time", "3", "--seed", "5").stdout, race(hall, "--time", "3", "--seed", "5").stdout)
    check(race(hall, "--time", "3", "--seed", "5").stdout != race(hall, "--time", "3", "--seed", "6").stdout, "seeds")


@story
def a_table_for_people(hall):
    out = race(hall, "--time", "2", "--pacing", "none", json=False).stdout
    check(re.search(r"^2 +bbr +[\d.]+ +\d+ %", out, re.M) and "fairness" in out, out)


@story
def what_there_is_not(hall):
    for words in (["--cc", "vegas"], ["--cc", ""], ["--link", "moon"], ["--pacing", "fast"], ["--time", "x"], ["--time", "0"],
                  ["--cc", ",".join(["reno"] * 11)]):
        race(hall, *words, status=2)
    race(hall, "--time", "1", "--svg", str(hall.dir / "no" / "folder"), status=1)


@story
def live_on_a_terminal(hall):
    """Drawn as it goes, ended by q, and the terminal is as it was."""
    me, terminal = pty.openpty()
    env = hall.plain_env(TERM="xterm-256color", LC_ALL="C.UTF-8")
    process = subprocess.Popen([str(hall.roost), "lab", "race", "--time", "60"], env=env, stdin=terminal, stdout=terminal,
                               stderr=terminal, start_new_session=True)
    os.close(terminal)
    seen = b""
    pressed = False
    try:
        while process.poll() is None or select.select([me], [], [], 0.2)[0]:
            if not select.select([me], [], [], 20)[0]:
                break
            try:
                seen += os.read(me, 65536)
            except OSError:
                break
            if not pressed and seen.count(b"\x1b[H") >= 5:
                os.write(me, b"q")
                pressed = True
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(me)
    equal(process.returncode, 0)
    text = seen.decode()
    check("\x1b[?1049h" in text and text.count("\x1b[?1049l") == 1, "the screen is given back")
    check(any("⠀" < c <= "⣿" for c in text) and "window" in text and "round trip" in text, "no curves")
    check("fairness" in text.split("\x1b[?1049l")[1], "what it came to")
