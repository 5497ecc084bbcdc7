"""What belongs to the load stays off the server's core.

On loopback the kernel does the receiver's work (its TCP, and waking it up) within the sender's system
call, so a server that is alone on its core does the work of the members' machines, too. Here the runs
get a network namespace of their own, whose loopback hands what arrives to the load's core (RPS), and
the load has the kernel stamp what arrives there (bench/load/stamp.h). For all servers alike, and for
the bare writes. What it saves the server, it costs in interrupts between the cores whenever the load
has caught up, so it is not the default: see docs/PROOF.md.
"""
import ctypes
import os
import pathlib
import subprocess

NEWNS, NEWNET = 0x00020000, 0x40000000
# Stamps are to be taken by the core that receives.
PREQUEUE = pathlib.Path("/proc/sys/net/core/netdev_tstamp_prequeue")


class Together:
    """The default."""

    on, setting, was, why = False, None, "", "as loopback does it"

    def end(self):
        if self.setting:
            os.pwrite(self.setting, self.was, 0)

    def words(self):
        return ("what arrives is received on the load's core and stamped there" if self.on else
                f"what arrives is received on the server's core, within its system calls: {self.why}")


class Apart(Together):
    """on: whether it could be done, from here on for this process and what it starts."""

    def __init__(self, core):
        try:
            self.setting = os.open(PREQUEUE, os.O_RDWR)  # of the namespace that we come from
            self.was = os.pread(self.setting, 16, 0)
            os.pwrite(self.setting, b"0\n", 0)
        except OSError as why:
            self.why = str(why)
            return
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(NEWNS | NEWNET):
            self.why = f"no network namespace: {os.strerror(ctypes.get_errno())}"
            return
        for command in ("mount --make-rprivate /", "mount -t sysfs sysfs /sys", "ip link set lo up"):
            done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{command}: {done.stderr}")
        pathlib.Path("/sys/class/net/lo/queues/rx-0/rps_cpus").write_text(f"{1 << core:x}")
        self.on = True
