"""What is kept secret: no key in a backup, and no file that others may read."""
import signal

from harness import check, equal, story


def kept(hall, *more):
    """Somebody who said something, and a backup; more: what she does before that."""
    admin, anna = hall.admin(), hall.user("anna")
    anna.run("room", "new", "lobby")
    anna.run("say", "#lobby", "what was said")
    done = anna.run(*more).rows[-1] if more else None
    path = hall.dir / "one.roost"
    admin.run("admin", "backup", str(path))
    return anna, path, done


@story
def a_backup_holds_no_keys(hall):
    """Who gets hold of one has no password, no session, no link, and cannot pass for the server."""
    invitation = hall.first_admin
    anna, path, met = kept(hall, "meet", "new")
    content = path.read_bytes()
    check(b"what was said" in content, "what was said is in it")
    secrets = {name: (hall.data / name).read_bytes() for name in ("server_secret", "tls-key.pem")}
    secrets |= {p.name: p.read_bytes() for p in anna.home.rglob("*.token")}
    secrets["device"] = (anna.home / "device").read_bytes()
    check(len(secrets) == 4, "not all that is secret was found:", list(secrets))
    for name, secret in secrets.items():
        check(len(secret) >= 32 and secret not in content, name, "is in the backup")
    key = secrets["tls-key.pem"].splitlines()[1]
    for what in (key, anna.password.encode(), invitation.encode(), met["link"].partition("#")[2].encode()):
        check(len(what) > 8 and what not in content, what, "is in the backup")


@story
def nobody_else_reads_what_is_kept(hall):
    anna, path, _ = kept(hall)
    hall.server.process.send_signal(signal.SIGHUP)
    hall.server.until("read again")
    for top in (hall.data, anna.home):
        seen = [top, *top.rglob("*")]
        check(len(seen) > 4, seen)
        for file in [*seen, path]:
            equal(file.stat().st_mode & 0o077, 0, file)


@story
def no_program_can_cheat(hall):
    """The server that cheats, of cheats.py, is another build's."""
    for program in ("roostd", "roost", "roost-crowd"):
        bytes_of = (hall.bin / program).read_bytes()
        check(b"ROOST_CHEAT" not in bytes_of and b"sender-swapped" not in bytes_of, program, "can")
