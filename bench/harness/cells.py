"""What was measured already, one JSON file a run: a long bench can be run in pieces.

Each call begins anew, except with --resume: then what has its file is not measured again. A run that looks
disturbed is measured again when its file is removed.
"""
import hashlib
import json
import os
import shutil


def print_of(path):
    """Tells one build from another."""
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()[:12]


class Cells:
    def __init__(self, bench, name, programs):
        self.bench, self.prints = bench, {path: print_of(path) for path in programs}
        self.folder = os.path.join(bench.out, f"{name}{'-quick' if bench.quick else ''}.runs")
        if not bench.args.resume:
            shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder, exist_ok=True)

    def once(self, words, program, measure):
        """What the file says, or what is measured now; the words are its name."""
        path = os.path.join(self.folder, "-".join(str(w) for w in words).replace(" ", "-") + ".json")
        if os.path.exists(path):
            with open(path) as f:
                return json.load(f)
        row = {**measure(), "load": os.getloadavg()[0], "build": self.prints[program]}
        with open(path + ".new", "w") as f:
            json.dump(row, f)
        os.replace(path + ".new", path)
        return row

    def all(self, part):
        """Of one part, in the order of their names."""
        rows = []
        for name in sorted(os.listdir(self.folder)):
            if name.startswith(part + "-") and name.endswith(".json"):
                with open(os.path.join(self.folder, name)) as f:
                    rows.append(json.load(f))
        others = sum(row["build"] not in self.prints.values() for row in rows)
        if others:
            self.bench.say(f"{part}: {others} of {len(rows)} runs are of another build")
        return rows
