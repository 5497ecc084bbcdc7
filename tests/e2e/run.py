#!/usr/bin/python3
"""run.py BUILD [--short] [NAME...] - the end-to-end stories; one line each, "ok NAME", "FAIL NAME: why" or "SKIP NAME: why"."""
import importlib
import pathlib
import sys
import time
import traceback

import harness

HERE = pathlib.Path(__file__).resolve().parent
SLOW = 3.0  # seconds; longer stories say so


def run(build, f, options):
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


def main(argv):
    short = "--short" in argv
    build, *names = [a for a in argv if a != "--short"]
    sys.path.insert(0, str(HERE))
    for path in sorted(HERE.glob("test_*.py")):
        importlib.import_module(path.stem)
    failed = 0
    for f, in_short, options in harness.STORIES:
        name = f"{f.__module__[5:]}.{f.__name__}"
        if (short and not in_short) or (names and not any(n in name for n in names)):
            continue
        started = time.monotonic()
        problem = run(build, f, options)
        took = time.monotonic() - started
        if isinstance(problem, harness.Skip):
            print(f"SKIP {name}: {problem}")
        elif problem:
            print("\n".join("  " + line for line in problem.splitlines()))
            print(f"FAIL {name}: {problem.splitlines()[0][:200]}")
            failed += 1
        else:
            print(f"ok {name}" + (f" ({took:.1f} s)" if took > SLOW else ""))
        sys.stdout.flush()
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
