"""bench/run echo: echo cancellers of Debian in rooms that are made of numbers.

Somebody speaks out of a loudspeaker, alone at first, then with somebody who sits before it. What counts: how far the
echo goes down, and what becomes of the voice while both speak (0 dB: nothing).
"""
import json
import os
import subprocess

from .common import TOP, Bench, Failed, machine, table


class EchoBench(Bench):
    def __init__(self, args):
        from . import servers
        self.args, self.quick, self.rounds, self.servers = args, args.quick, args.rounds, []
        self.build, self.out = os.path.join(TOP, args.build), os.path.join(TOP, "build", "bench")
        os.makedirs(self.out, exist_ok=True)
        servers.install_packages(["g++", "libwebrtc-audio-processing-dev"])
        again = ["--reconfigure"] if os.path.exists(os.path.join(self.build, "build.ninja")) else []
        self.call(["meson", "setup", *again, self.build, TOP])
        self.call(["ninja", "-C", self.build, "bench/roost-echo"])


def run(bench):
    done = subprocess.run([os.path.join(bench.build, "bench/roost-echo"), "1" if bench.quick else str(bench.rounds)],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failed(f"roost-echo ended with {done.returncode}")
    tries = [json.loads(line) for line in done.stdout.splitlines()]
    rows = []
    for name in dict.fromkeys(t["canceller"] for t in tries):
        mine = [t for t in tries if t["canceller"] == name]
        rows.append([name, min(t["echo_down_db"] for t in mine), sum(t["echo_down_db"] for t in mine) / len(mine),
                     min(t["near_db"] for t in mine), sum(t["likeness"] for t in mine) / len(mine),
                     sum(t["us_a_block"] for t in mine) / len(mine)])
    table(["canceller", "echo down, least dB", "mean", "voice, least dB", "likeness", "us for 10 ms"], rows)
    bench.write("echo", machine(bench.out), {"tries": tries})
    return 0
