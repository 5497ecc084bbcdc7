"""A crowd in a meeting: real participants of voices, keys and all, against a real server."""
import json
import subprocess
import urllib.request
import ssl

from harness import PATIENCE, check, equal, story


def crowd(hall, *words):
    done = subprocess.run([str(hall.bin / "roost-crowd"), "-s", hall.address, *words, "--json"],
                          capture_output=True, text=True, timeout=6 * PATIENCE)
    check(done.returncode == 0, done.stdout, done.stderr)
    return json.loads(done.stdout)


def metrics(hall):
    context = ssl._create_unverified_context()
    with urllib.request.urlopen(f"https://{hall.address}/metrics", context=context, timeout=PATIENCE) as page:
        lines = page.read().decode().splitlines()
    return {name: float(value) for name, value in (line.split() for line in lines if line[0] != "#")}


def all_are_heard_by_all(hall, *words):
    said = crowd(hall, "--new", "--people", "8", "--speakers", "3", "--seconds", "3", *words)
    equal(said["strange"], 0, "lies and nonsense")
    check(said["sent"] > 0, said)
    # a machine that is busy, or stood still, may lose some: what is asserted is that it works
    check(said["received"] > 0.8 * 7 * said["sent"], said)
    check(said["received"] <= 7 * said["sent"], "nothing is heard twice:", said)
    counted = metrics(hall)
    check(counted["roost_media_forwarded_total"] >= said["received"], counted)
    check(counted["roost_media_muted_total"] == 0 and counted["roost_media_refused_total"] == 0, counted)


@story(short=True, options=("--set", "registration=open"))
def a_crowd_hears_each_other(hall):
    all_are_heard_by_all(hall)


@story(options=("--set", "registration=open"))
def a_crowd_that_the_server_seals_for(hall):
    all_are_heard_by_all(hall, "--unsealed")


@story(options=("--set", "registration=open"))
def pictures_go_to_who_wants_them(hall):
    said = crowd(hall, "--new", "--people", "4", "--speakers", "2", "--seconds", "4", "--video", "200")
    equal((said["strange"], said["pictures"]["strange"]), (0, 0))
    check(said["pictures"]["sent"] >= 2 * 4 * 20, said)
    check(0 < said["pictures"]["received"] <= 3 * said["pictures"]["sent"], said)
    check(said["received"] <= 3 * said["sent"], said)
