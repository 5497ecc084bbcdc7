"""parcels.py - what is sent in the stories of files, and how it is looked at afterwards."""
import hashlib
import random

MB = 1000 * 1000


def make(path, size, seed=1):
    """A file of bytes that nothing can pack; its digest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = random.Random(seed).randbytes(size)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def folder(hall, name):
    made = hall.dir / name
    made.mkdir(exist_ok=True)
    return made


def tree(path):
    """All that is in a folder: relative name and digest; None for a folder."""
    return {str(p.relative_to(path)): None if p.is_dir() else digest(p)
            for p in sorted(path.rglob("*")) if ".roost-parts" not in p.parts}
