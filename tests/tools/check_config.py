#!/usr/bin/python3
"""Is examples/roostd.conf what roostd --print-config prints, does every setting of it stand
as it is by default, and is the unit of systemd in order? Argument: the source directory."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
roostd = root / os.environ.get("ROOST_BUILD", "build") / "bin" / "roostd"
wrong = []


def run(*words):
    return subprocess.run([str(roostd), *words], capture_output=True, text=True, timeout=20)


printed = run("--print-config").stdout
if (root / "examples/roostd.conf").read_text() != printed:
    wrong.append("examples/roostd.conf: build/bin/roostd --print-config > examples/roostd.conf")
rows = re.findall(r"^#([\w.]+) = (.*)$", printed, re.M)
listed = re.findall(r"^  ([\w.]+)=(\S*)", run("--help").stdout, re.M)
if [(k, v.strip()) for k, v in rows] != [(k, v.strip()) for k, v in listed]:
    wrong.append("--print-config and --help name other settings")
with tempfile.TemporaryDirectory() as folder:
    conf = pathlib.Path(folder) / "roostd.conf"
    conf.write_text("".join(f"{k} = {v}\n" for k, v in rows))
    done = run("--config", str(conf), "--data", folder + "/data", "--check")
    if (done.returncode, done.stdout) != (0, "ok\n"):
        wrong.append(f"the defaults are refused: {done.stderr}")
    if shutil.which("systemd-analyze"):
        unit = pathlib.Path(folder) / "roostd.service"
        unit.write_text((root / "systemd/roostd.service").read_text().replace("/usr/bin/roostd", str(roostd.resolve())))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
        if done.returncode or "roostd.service" in done.stderr:
            wrong.append(f"systemd-analyze verify: {done.stderr}")
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=15", str(unit)], capture_output=True, text=True)
        if done.returncode:
            wrong.append("systemd-analyze security: more than 1.5:\n" + done.stdout)
for line in wrong:
    print("FAIL", line)
print(f"{len(rows)} settings")
sys.exit(1 if wrong else 0)
