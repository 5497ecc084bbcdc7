"""What is sent in `bench/run files`: the same bytes in every run, which nothing can pack; and is it what arrived?"""
import hashlib
import os
import pathlib
import random
import tempfile

MB = 1000000


class Load:
    """One file, or a folder."""

    def __init__(self, name, make, what):
        self.name, self.make, self.what = name, make, what

    def at(self, folder):
        """Makes it, once; its path, number of files and bytes."""
        path = pathlib.Path(folder) / self.name
        if not path.exists():
            self.make(path)
        sizes = [p.stat().st_size for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file()]
        return path, len(sizes), sum(sizes)


def one(size):
    def make(path):
        dice = random.Random(size)
        with open(path, "wb") as f:
            for at in range(0, size, MB):
                f.write(dice.randbytes(min(MB, size - at)))
    return make


def flat(count, size):
    """Files of one size in one folder."""
    def make(path):
        path.mkdir()
        dice = random.Random(count)
        for i in range(count):
            (path / f"{i:05}").write_bytes(dice.randbytes(size))
    return make


def tree(count, size):
    """Folders in folders; most files are small, some are large: sizes from 0 bytes to 2 MB, `size` in all."""
    def make(path):
        dice = random.Random(count)
        weights = [dice.random() ** 8 for _ in range(count)]
        for i, weight in enumerate(weights):
            place = path / f"year {i % 3}" / f"month {i % 12}" / f"day {i % 60}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{i}.dat").write_bytes(dice.randbytes(min(2 * MB, int(size * weight / sum(weights)))))
    return make


def digests(path):
    """Of every file below, by its name there."""
    path = pathlib.Path(path)
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    found = {}
    for p in files:
        with open(p, "rb") as f:
            found[str(p.relative_to(path))] = hashlib.file_digest(f, "sha256").hexdigest()
    return found


def fresh(folder):
    """A new place to arrive at. Nothing is removed before the end: ext4 does not use again for a while what was
    removed, and looks at all of it for each new file. The disk's work of before is done."""
    os.sync()
    return pathlib.Path(tempfile.mkdtemp(prefix="to-", dir=folder))
