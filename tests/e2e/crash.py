#!/usr/bin/python3
"""crash.py BUILD [ROUNDS] [SEED] - kill -9 of the server at random moments while 20
clients talk: every acknowledged message is there once, in order, for everyone."""
import pathlib
import random
import sys
import time

import harness
from ordeal import ordeal

CLIENTS = 20
ROOM = "#crowd"
FAST = ["--set", "say.rate=100000", "--set", "say.burst=1000000"]


def words(journal, kind):
    """(user, seq, text) of each such line, in order."""
    for line in journal:
        if line.startswith(kind + " "):
            _, user, seq, text = line.split(" ", 3)
            yield user, int(seq), text


def judge(journal, users):
    """What is wrong with what the clients saw; also how much there was."""
    acked = {text: seq for _, seq, text in words(journal, "ack")}
    first = None
    for user in users:
        got = [(seq, text) for who, seq, text in words(journal, "got") if who == user]
        seqs = [seq for seq, _ in got]
        harness.check(seqs == sorted(set(seqs)), f"{user}: numbers are doubled or out of order")
        texts = {}
        for seq, text in got:
            harness.check(text not in texts, f"{user}: {text} came as {texts.get(text)} and as {seq}")
            texts[text] = seq
        lost = [text for text in acked if text not in texts]
        harness.check(not lost, f"{user}: {len(lost)} acknowledged messages never came, like {lost[:3]}")
        moved = [text for text in acked if texts[text] != acked[text]]
        harness.check(not moved, f"{user}: acknowledged under another number: {moved[:3]}")
        first = first or got
        # the last ones may still be on their way to some: not acknowledged then
        short = min(len(got), len(first))
        harness.check(got[:short] == first[:short], f"{user} saw another order than {users[0]}")
    return len(acked)


def each_in_its_own_order(journal, users):
    for user in users:
        own = [int(text.split("-")[-2]) for who, _, text in words(journal, "ack") if who == user]
        harness.check(own == sorted(own), f"{user}: acknowledged out of order")


def talk_and_kills(build, hall, rounds, seed):
    dice = random.Random(seed)
    crowd = pathlib.Path(build).resolve() / "tests/tools/crowd"
    hall.start()
    users = [hall.user(f"user{i}") for i in range(CLIENTS)]
    users[0].run("room", "new", ROOM[1:], *(u.name for u in users[1:]))
    names = [u.name for u in users]
    talk = hall.keep(harness.Lines([str(crowd), hall.address, ROOM, *(f"{u.name}={u.home}" for u in users)], users[0].env(), True))
    ready = 0
    while ready < CLIENTS:
        talk.until(r"^ready ", 60)
        ready += 1
    for _ in range(rounds):
        for _ in range(dice.randrange(1, 400)):
            talk.until(r"^ack ", 60)
        # and a little into the next commit
        end = time.monotonic() + dice.random() * 0.01
        while time.monotonic() < end:
            pass
        hall.kill()
        hall.start()
    for _ in range(50):
        talk.until(r"^ack ", 60)
    talk.process.stdin.close()
    journal = talk.drain()
    harness.check(journal and journal[-1] == "end", "the crowd did not end well:", journal[-5:])
    harness.check(talk.process.wait(20) == 0, "the crowd failed")
    n = judge(journal, names)
    each_in_its_own_order(journal, names)
    kept = users[1].texts("read", ROOM, "--last", "100000")
    missing = {text for _, _, text in words(journal, "ack")} - set(kept)
    harness.check(not missing and len(kept) == len(set(kept)), f"{len(missing)} are not in the history, or some twice")
    resumed = sum(line.startswith("back ") for line in journal) - CLIENTS
    print(f"NOTE {rounds} kills, {n} acknowledged messages to {CLIENTS} clients, {resumed} resumed sessions, seed {seed}")


def run(build, rounds, seed):
    hall = harness.Hall(build, *FAST)
    return ordeal("crash", hall, lambda: talk_and_kills(build, hall, rounds, seed), seed)


if __name__ == "__main__":
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    sys.exit(run(sys.argv[1], rounds, int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 6)))
