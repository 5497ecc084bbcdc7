"""spaces.py - network namespaces of a story's own: made on the way in, gone on the way out."""
import os
import subprocess

from harness import Skip


def run(*argv):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise Skip(f"{' '.join(map(str, argv))}: {done.stderr.strip()}")
    return done.stdout


class Spaces:
    """names: what each is called in the story, and by the kernel. Whoever has more to set up does it in build()."""

    def __init__(self, names):
        self.names, self.made = names, []

    def __enter__(self):
        if os.geteuid():
            raise Skip("needs root for network namespaces")
        try:
            for name in self.names.values():
                run("ip", "netns", "add", name)
                self.made.append(name)
                run("ip", "-n", name, "link", "set", "lo", "up")
            self.build()
        except FileNotFoundError as e:
            self.__exit__()
            raise Skip(f"needs {e.filename}") from e
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.made:
            subprocess.run(["ip", "netns", "del", name], check=False)

    def build(self):
        pass

    def at(self, who):
        return ["ip", "netns", "exec", self.names[who]]
