"""The links of `bench/run files`: `roost lab link` between two namespaces, or the kernel's own veth.

On a fast link the emulator would be what is measured: two programs, sshd or nginx, and it, on two cores.
There the kernel does it: a pair of veth, each end shaped by a token bucket (tbf). The kernel here may have no
netem, so such a link has no delay of its own; where it has, it gets one. It is the same link for all.
"""
import json
import subprocess

from .common import Failed
from .flow_net import SPACES, Net, Program, forget

BURST = 128 * 1024  # a run of datagrams or segments in one piece, as a network card takes it
DEVICES = ("roost-left", "roost-right")
ADDRESSES = ("10.77.0.1", "10.77.0.2")


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Ends:
    """What runs at one end, without a place before others: disks are waited for here, and who syncs them too."""

    def run(self, side, argv, **more):
        return Program(["ip", "netns", "exec", self.spaces[side], *map(str, argv)], **more)

    def control(self, name):
        """The congestion control of TCP here: the default of a kernel is that of who built it."""
        for space in self.spaces:
            ip("netns", "exec", space, "sysctl", "-qw", f"net.ipv4.tcp_congestion_control={name}")


class Bent(Ends, Net):
    """By `roost lab link`; what crossed it, it counts."""
    kind = "lab link"

    def __init__(self, bench, link, seed):
        Net.__init__(self, bench.roost, link.name, seed)

    def crossed(self):
        row = self.counters()
        return row["up"]["arrived_bytes"] + row["down"]["arrived_bytes"]


class Veth(Ends):
    """By the kernel."""
    kind = "veth, tbf"

    def __init__(self, bench, link, seed):
        number = next(Net.number)
        self.spaces = [f"roost-{bench.number}-{number}{side}" for side in "lr"]
        for name in self.spaces:
            ip("netns", "add", name)
            SPACES.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", self.spaces[0], "link", "add", DEVICES[0], "type", "veth", "peer", "name", DEVICES[1], "netns",
           self.spaces[1])
        for space, device, address in zip(self.spaces, DEVICES, ADDRESSES):
            ip("-n", space, "address", "add", f"{address}/24", "dev", device)
            ip("-n", space, "link", "set", device, "up")
            done = subprocess.run(["tc", "-n", space, "qdisc", "add", "dev", device, "root", "tbf", "rate",
                                   f"{link.mbit}mbit", "burst", str(BURST), "limit", str(link.queue)],
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                raise Failed(f"this kernel shapes no link: {done.stderr.strip()}")

    def crossed(self):
        rows = [json.loads(ip("-n", s, "-s", "-j", "link", "show", d))[0] for s, d in zip(self.spaces, DEVICES)]
        return sum(row["stats64"]["tx"]["bytes"] for row in rows)

    def close(self):
        for name in self.spaces:
            forget(name)
