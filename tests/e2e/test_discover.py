"""`discover` with a real avahi-daemon: the machine's, or one of our own on loopback."""
import os
import pathlib
import shutil
import signal

from harness import Lines, Skip, check, equal, story

SOCKET = pathlib.Path("/run/avahi-daemon/socket")
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/>
  </policy>
</busconfig>
"""
AVAHI = """[server]
allow-interfaces=lo
use-ipv6=no
[wide-area]
enable-wide-area=no
[publish]
publish-workstation=no
"""


def avahi(hall):
    """Starts a bus and a daemon for this story, unless the machine has them."""
    if SOCKET.exists():
        return
    programs = [shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin") for p in ("dbus-daemon", "avahi-daemon")]
    if None in programs:
        raise Skip("dbus-daemon or avahi-daemon is not installed")
    if os.geteuid() != 0:
        raise Skip("no avahi-daemon runs, and only root may start one")
    bus, conf, socket = hall.dir / "bus.conf", hall.dir / "avahi.conf", hall.dir / "bus"
    bus.write_text(BUS.format(socket=socket))
    conf.write_text(AVAHI)
    hall.dir.chmod(0o711)
    hall.keep(Lines([programs[0], f"--config-file={bus}", "--nofork", "--print-address"])).until("unix:path=")
    hall.more_env["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={socket}"
    daemon = Lines([programs[1], "-f", str(conf), "--no-drop-root", "--no-chroot", "--no-rlimits"], hall.plain_env())
    hall.keep(daemon)
    hall.daemon = daemon
    daemon.until("startup complete|error|failed")
    if daemon.process.poll() is not None or "complete" not in daemon.seen[-1]:
        raise Skip("avahi-daemon does not start here: " + daemon.seen[-1])


def ends_with_its_daemon(f):
    def run(hall):
        try:
            f(hall)
        finally:
            if hasattr(hall, "daemon"):
                hall.daemon.end(signal.SIGTERM)  # so that it takes its files with it

    run.__name__, run.__module__ = f.__name__, f.__module__
    return run


@story
@ends_with_its_daemon
def a_server_announces_itself_and_is_found(hall):
    avahi(hall)
    anna = hall.user("anna")
    hall.stop()
    hall.start("--set", "mdns=yes")
    hall.server.until("announced in the local network")
    found = []
    while not any(row["port"] == hall.port for row in found):
        found = [row for row in anna.rows("discover", "--wait", "1") if row["event"] == "server"]
    row = next(row for row in found if row["port"] == hall.port)
    check(row["name"] and row["host"] and row["address"], row)
    check(str(hall.port) in anna.run("discover", "--wait", "1", json=False).out)
    equal(hall.stop(), 0)
    while any(row.get("port") == hall.port for row in anna.rows("discover", "--wait", "1")):
        pass  # it says goodbye
    hall.start()


@story
def without_avahi_discover_says_so(hall):
    anna = hall.user("anna")
    hall.more_env["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={hall.dir}/no-such-bus"
    done = anna.run("discover", json=False, status=3)
    check("avahi-daemon" in done.err and "-s HOST" in done.err, done)
