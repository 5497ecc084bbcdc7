"""ordeal.py - how a long story with one server ends: in a line for ./test, with the last words of the log if badly."""
import harness


def ordeal(name, hall, story, seed=None):
    """0: story() went well, or is not for this machine."""
    try:
        story()
        print(f"ok {name}")
        return 0
    except harness.Skip as why:
        print(f"SKIP {name}: {why}")
        return 0
    except harness.Failure as e:
        print("\n".join(hall.logs[-20:] + (hall.server.seen[-20:] if hall.server else [])))
        print(e)
        print(f"FAIL {name}: {str(e).splitlines()[0][:300]}" + (f" (seed {seed})" if seed is not None else ""))
        return 1
    finally:
        for problem in hall.close():
            print(f"FAIL {name}.end: {problem}")
