"""Files from person to person where no datagram gets through: by the relay, inside TLS."""
import socket

from harness import check, equal, story
from test_files import MB, digest, folder, make, passes


@story
def inside_tls_where_there_is_no_udp(hall):
    """Somebody else has the server's UDP port: both ends reach the relay by tunnels."""
    hall.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", hall.port + 1))
        hall.start()
        anna, ben = hall.users("anna", "ben")
        source, to = hall.dir / "film.mkv", folder(hall, "to")
        wanted = make(source, 3 * MB)
        sent, _ = passes(anna, ben, source, to, "--via", "relay")
        check(sent["way"] == "relay in TLS", sent)
        equal(digest(to / "film.mkv"), wanted)
