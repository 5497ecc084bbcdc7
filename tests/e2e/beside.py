#!/usr/bin/python3
"""beside.py BUILD [N] - how late real messages are while the same person sends a file at full rate, through one link of
5 Mbit/s, 40 ms there and back, 64 KB (roost lab link between namespaces): N lines of roost chat, one each 50 ms, alone and
beside the file, three times by turns. Prints figures; what must hold is asserted in virtual time (build/sim/course talk)."""
import statistics
import sys
import time

import harness
from kills import FarHall, Sides, Somebody
from parcels import MB, make


def lines(chat, reading, n, tag):
    """How long each took to be read on the other side, in ms."""
    took = []
    for i in range(n):
        began = time.monotonic()
        chat.type(f"{tag} {i}\n")
        reading.event(event="message", text=f"{tag} {i}")
        took.append((time.monotonic() - began) * 1000)
        time.sleep(max(0, began + 0.05 - time.monotonic()))
    return sorted(took)


def percent(took, p):
    return took[min(len(took) - 1, len(took) * p // 100)]


def main(build, n="300"):
    hall = FarHall(build, "--listen", "10.77.0.2", "--set", "say.rate=1000", "--set", "say.burst=10000")
    try:
        with Sides(hall) as sides:
            sides.bend("rate=5M delay=20ms queue=64K")
            hall.wrap = sides.at(1)
            hall.start()
            anna, ben = (Somebody(hall, name).at(sides.at(side)).register() for side, name in enumerate(("anna", "ben")))
            anna.run("room", "new", "maths", "ben")
            source = hall.dir / "film.mkv"
            rows = []
            reading = ben.follow("read", "#maths", "--follow")
            chat = hall.keep(harness.Follow(anna.argv("chat", "#maths"), anna.env(), True))
            lines(chat, reading, 20, "first")
            for i in range(3):
                idle = lines(chat, reading, int(n), f"alone {i}")
                make(source, 60 * MB, i)
                chat.type(f"/send {source} #maths\n")
                file = chat.event(event="progress")["file"]
                beside = lines(chat, reading, int(n), f"beside {i}")
                anna.run("cancel", file)
                chat.event(event="transfer", stage="cancelled", patience=60)
                rows.append([percent(idle, 50), percent(idle, 99), percent(beside, 50), percent(beside, 99)])
                print("alone p50 {:.1f} p99 {:.1f}, beside p50 {:.1f} p99 {:.1f} ms".format(*rows[-1]))
            more = statistics.median(r[3] - r[1] for r in rows)
            print(f"ok beside: p99 {more:.1f} ms more, {more / 40:.1f} round trips (2 may be)")
            hall.close()
    finally:
        hall.close()
    return more > 80


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
