"""What is sent in `bench/run files`: the same bytes in every run, which nothing can pack; and is it what arrived?"""
import hashlib
import os
import pathlib
import random

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


def remove(folder):
    """All in it. What is left of the disk's work is done before the next one is measured."""
    import shutil
    for entry in os.scandir(folder):
        shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
    os.sync()
