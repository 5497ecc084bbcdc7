#!/usr/bin/python3
"""run.py BUILD [--short] [--quick] [--jobs N] [NAME...] - the end-to-end stories, some side by side (one more than there are processors: they wait a lot);
one line each, "ok NAME", "FAIL NAME: why" or "SKIP NAME: why"."""
import argparse
import ctypes
import importlib
import multiprocessing
import os
import pathlib
import sys
import time
import traceback

import harness

HERE = pathlib.Path(__file__).resolve().parent
CLONE_NEWNS, MS_REC, MS_SLAVE = 0x20000, 0x4000, 0x80000  # unshare(2), mount(2)
SLOW = 3.0
JOBS = 1 + min(os.cpu_count() or 1, 4)


def told(build, f, options):
    """Tells it; what is wrong with it."""
    hall = harness.Hall(build, *options)
    try:
        hall.start()
        f(hall)
        problem = None
    except harness.Skip as why:
        hall.close()
        return why
    except harness.Failure as e:
        problem = str(e)
    except Exception:
        problem = traceback.format_exc()
    finally:
        problems = hall.close()
    if problem and hall.server:
        problem += "\n-- the server's last lines:\n" + "\n".join((hall.logs + hall.server.seen)[-25:])
    return problem or "\n".join(problems)


def line_of(build, story):
    """What is printed of it."""
    f, _, _, options = story
    name, started = name_of(f), time.monotonic()
    problem = told(build, f, options)
    took = time.monotonic() - started
    if isinstance(problem, harness.Skip):
        return f"SKIP {name}: {problem}"
    if problem:
        lines = problem.splitlines()
        return "\n".join("  " + line for line in lines) + f"\nFAIL {name}: {lines[0][:200]}"
    return f"ok {name}" + (f" ({took:.1f} s)" if took > SLOW else "")


def name_of(f):
    return f"{f.__module__[5:]}.{f.__name__}"


def with_mounts_of_its_own():
    """What a story mounts is seen by its programs only: others (in network namespaces, which copy what is mounted) would
    hold it when it is to go. For root; who is not mounts nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) == 0:
        libc.mount(None, b"/", None, MS_REC | MS_SLAVE, None)


def work(build, stories, numbers, lines):
    """Tells one after another of those that nobody has begun."""
    with_mounts_of_its_own()
    while (number := numbers.get()) is not None:
        lines.put(line_of(build, stories[number]))


def main(argv):
    o = argparse.ArgumentParser(description=__doc__)
    o.add_argument("build")
    o.add_argument("--short", action="store_true", help="only the short ones")
    o.add_argument("--quick", action="store_true", help="without the long ones")
    o.add_argument("--jobs", type=int, default=JOBS)
    o.add_argument("names", nargs="*")
    o = o.parse_intermixed_args(argv)
    sys.path.insert(0, str(HERE))
    for path in sorted(HERE.glob("test_*.py")):
        importlib.import_module(path.stem)
    stories = [s for s in harness.STORIES if (s[1] or not o.short) and not (s[2] and o.quick) and
               (not o.names or any(n in name_of(s[0]) for n in o.names))]
    return tell(o.build, stories, o.jobs) > 0


def tell(build, stories, jobs=JOBS):
    """Tells them, some side by side; how many failed."""
    numbers, lines = multiprocessing.Queue(), multiprocessing.Queue()
    for number in [*range(len(stories)), *[None] * jobs]:
        numbers.put(number)
    workers = [multiprocessing.Process(target=work, args=(build, stories, numbers, lines)) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    failed = 0
    for _ in stories:
        line = lines.get()
        print(line, flush=True)
        failed += "FAIL " in line.splitlines()[-1][:5]
    for worker in workers:
        worker.join()
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
