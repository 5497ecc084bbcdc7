#!/usr/bin/python3
"""soak.py BUILD [--minutes M] [--people N] [--speakers K] - a meeting that goes on: a crowd of whom some speak, one real client who
stays, and one who comes and goes, so that keys are made anew. The memory of the server, of the crowd and of the client who stays
is looked at every few seconds, and must not grow.

What grows is told from what swings by a line through the samples after a warm-up: it may not rise, from the warm-up to the end,
by more than GROWS_KB or GROWS_OF of what there was, whichever is more. A machine that stands still for minutes ends the crowd's sessions;
then it comes anew, that is told, and the line begins anew too: new people take memory that nobody had touched. The last line has the slopes, for docs/LONG.md."""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import harness
from harness import check, family
from test_meet import new

LOOK = 5.0       # s between two looks
WARM_UP = 0.2    # of the whole
GROWS_KB = 1024  # a page here and there, and what the allocator keeps
GROWS_OF = 0.03
STAYS_AWAY, STAYS = 20, 10  # s of the one who comes and goes
ANEW_MAX = 3     # a server takes 200 guests an hour from one address


def memory_kb(pid):
    """What a process and its children have for themselves: pages of files do not count."""
    kb = 0
    for p in family(pid):
        try:
            status = pathlib.Path(f"/proc/{p}/status").read_text()
        except OSError:
            continue
        kb += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:"))
    return kb


class Course:
    """One program's memory over time, in KB, and a line through it."""

    def __init__(self, name):
        self.name, self.samples = name, []

    def look(self, at, pid):
        kb = memory_kb(pid)
        if kb:
            self.samples.append((at, kb))
            if len(self.samples) % 12 == 1:
                print(f"{at:.0f} s: {self.name} {kb} KB", flush=True)

    def line(self, begin):
        """KB an hour, and KB at the beginning of the line."""
        kept = [(t, kb) for t, kb in self.samples if t >= begin]
        check(len(kept) > 2, "too few looks at", self.name)
        mean_t, mean_kb = (sum(column) / len(kept) for column in zip(*kept))
        square = sum((t - mean_t) ** 2 for t, _ in kept)
        slope = sum((t - mean_t) * (kb - mean_kb) for t, kb in kept) / square
        return slope * 3600, mean_kb + slope * (begin - mean_t)

    def judge(self, begin, end):
        slope, first = self.line(begin)
        grown = slope * (end - begin) / 3600
        problem = f"{self.name} grew by {grown:.0f} KB from {first:.0f}" if grown > max(GROWS_KB, GROWS_OF * first) else None
        return f"{self.name} {first / 1024:.1f} MB {slope:+.0f} KB/h", problem


class Crowd:
    """roost-crowd, again if it ended before its time."""

    def __init__(self, hall, link, o):
        self.hall, self.link, self.o = hall, link, o
        self.anew, self.anew_at, self.figures, self.process = 0, 0.0, [], None
        self.end = time.monotonic() + o.minutes * 60
        self.begin()

    def begin(self):
        argv = [str(self.hall.bin / "roost-crowd"), "-s", self.hall.address, "--link", self.link, "--people", str(self.o.people),
                "--speakers", str(self.o.speakers), "--seconds", str(max(1, int(self.end - time.monotonic()))), "--json"]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def goes_on(self):
        if self.process.poll() is None:
            return True
        said, why = self.process.communicate()
        if self.process.returncode == 0:
            self.figures.append(json.loads(said))
            return False
        self.anew, self.anew_at = self.anew + 1, time.monotonic()
        print(f"the crowd ended early: {why.strip()}", flush=True)
        check(self.anew <= ANEW_MAX, "the crowd ended early again and again:", why)
        self.begin()
        return True

    def told(self):
        f = self.figures[-1]
        check(f["received"] > 0, f)
        due = f["received"] + f["lost"]
        return f"{f['sent']} frames said, {f['received']} heard, {100 * f['lost'] / due:.2f} % lost, {f['strange']} alarms" + (
            f"; the crowd came anew {self.anew} times" if self.anew else "")


class Guest:
    """Somebody who comes for a while, goes, and comes again."""

    def __init__(self, user, code):
        self.user, self.code = user, code
        self.process, self.next, self.times = None, 0.0, 0

    def turn(self, now):
        if self.process and self.process.poll() is not None:
            self.process, self.next = None, now + STAYS_AWAY
        if not self.process and now >= self.next:
            argv = self.user.argv("meet", "join", self.code, "--mic", "tone:620", "--speaker", "null", "--for", STAYS)
            self.process = subprocess.Popen(argv, env=self.user.env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
            self.times += 1

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


def stay(hall, code, anna):
    """A client who stays; what it prints is thrown away."""
    argv = anna.argv("meet", "join", code, "--mic", "tone:440", "--speaker", "null")
    return subprocess.Popen(argv, env=anna.env(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def soak(hall, o):
    anna, bea = hall.users("anna", "bea")
    made = new(anna, "--title", "Soak", "--open")
    client = stay(hall, made["code"], anna)
    crowd, guest = Crowd(hall, made["link"], o), Guest(bea, made["code"])
    courses = {name: Course(name) for name in ("server", "crowd", "client")}
    began = before = time.monotonic()
    stood = 0.0  # s in which nothing was looked at, as the machine stood still
    try:
        while crowd.goes_on():
            late, before = time.monotonic() - before - LOOK, time.monotonic()
            stood += late if late > LOOK else 0
            now = before - began
            courses["server"].look(now, hall.server.process.pid)
            courses["client"].look(now, client.pid)
            if not crowd.anew: # another one's memory is no course
                courses["crowd"].look(now, crowd.process.pid)
            guest.turn(now)
            check(client.poll() is None, "the client who stays has ended")
            time.sleep(LOOK)
    finally:
        for p in (client, crowd.process):
            if p.poll() is None:
                p.terminate()
                p.wait()
        guest.end()
    end = time.monotonic() - began
    begin = max(0, crowd.anew_at - began) + WARM_UP * (end - max(0, crowd.anew_at - began))
    judged = [courses[name].judge(begin, end) for name in courses if not (name == "crowd" and crowd.anew)]
    problems = [problem for _, problem in judged if problem]
    if crowd.figures[-1]["strange"]:
        problems.append(f"{crowd.figures[-1]['strange']} alarms: frames or keys that somebody would have changed")
    still = f" (of which the machine stood still for {stood / 60:.0f})" if stood >= 60 else ""
    told = f"{end / 60:.0f} minutes{still}, {o.people} people, {o.speakers} speak, one came {guest.times} times; the last {(end - begin) / 60:.0f} minutes: " + ", ".join(
        text for text, _ in judged) + f"; {crowd.told()}"
    return told, problems


def main(argv):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("build")
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--people", type=int, default=50)
    p.add_argument("--speakers", type=int, default=4)
    o = p.parse_args(argv)
    hall = harness.Hall(o.build)
    try:
        hall.start()
        told, problems = soak(hall, o)
        problems += hall.close()
        print(told)
        check(not problems, "; ".join(problems))
        print(f"ok soak.voice: {told}")
        return 0
    except harness.Failure as e:
        print(e)
        print(f"FAIL soak.voice: {str(e).splitlines()[0][:300]}")
        return 1
    finally:
        hall.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
