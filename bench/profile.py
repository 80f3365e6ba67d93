#!/usr/bin/env python3
"""What the profiler costs and how true it is: CPU time at 99 Hz in pairs, and the shares that planted faults are given.

`--check` exits 1 when a budget is broken; `--stress SECONDS` records everything at 1,000 Hz under load for so long."""

import argparse
import gzip
import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

from lib_load import load
from lib_machine import BUILD, ROOT, SOURCE, cores
from lib_scenarios import SCENARIOS
from lib_servers import Perigee, Running

sys.path.insert(0, str(ROOT / "tests/system"))
from pprof import Pprof  # noqa: E402

SAMPLING, SHARE = 0.02, 0.9
APP = SOURCE / "profile.lua"
LINES = {line.split("-- LINE ")[1]: number for number, line in enumerate((ROOT / APP).read_text().splitlines(), 1)
         if "-- LINE " in line}
KINDS = {"compiled": "profile", "interpreted": "profile", "native": "profile", "garbage": "profile", "wait": "wait",
         "block": "block"}
HELLO = next(scenario for scenario in SCENARIOS if scenario.name == "hello")


class Profiled(Perigee):
    """Perigee with the planted app and its admin port."""

    app = "profile.lua"

    def command(self, connections):
        words = super().command(connections)
        at = words.index("--admin")
        return [*words[:at + 1], "127.0.0.1:0", *words[at + 2:], "--set", "limits.cpu=0", "--set", "log.level=error"]


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1200) as answer:
        return answer.read()


def admin_port(running):
    text = running.log.read_text()
    return int(text.split("admin on http://127.0.0.1:")[1].split()[0])


def cpu_per_request(running, seconds):
    """Microseconds of the process's CPU time."""
    def ticks():
        fields = pathlib.Path(f"/proc/{running.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    report = load(running, HELLO, HELLO.body, seconds=seconds)
    return (ticks() - before) * 1e4 / report["requests"]


def sampling(pairs, seconds):
    """The part that a recording at 99 Hz adds to the CPU time of a request at full load: the median of pairs."""
    changes = []
    with Running(Profiled(), cores()[0]) as running:
        HELLO.begin(running)
        port = admin_port(running)
        cpu_per_request(running, 1)
        for pair in range(pairs):
            times = {}
            for recorded in ((False, True) if pair % 2 == 0 else (True, False)):
                recording = threading.Thread(target=get, args=(port, f"/debug/folded?seconds={seconds}&hz=99"))
                if recorded:
                    recording.start()
                times[recorded] = cpu_per_request(running, seconds)
                if recorded:
                    recording.join()
            changes.append(times[True] / times[False] - 1)
    print(f"99 Hz: {statistics.median(changes):+.2%} CPU time a request (median of {pairs} pairs of {seconds} s; "
          f"{min(changes):+.2%} to {max(changes):+.2%})")
    return statistics.median(changes)


class Clients:
    """Requests for a path, one after the other on each of some threads, until it is left."""

    def __init__(self, port, path, count):
        self.over = False
        self.threads = [threading.Thread(target=self.run, args=(port, path)) for _ in range(count)]

    def run(self, port, path):
        while not self.over:
            get(port, path)

    def __enter__(self):
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()


def share_of(profile, line):
    """Of what was spent in the app's handlers, the part below a line."""
    ours = [(stack, value) for stack, _, value in profile.samples if any(file.endswith(APP.name) for _, file, _ in stack)]
    total = sum(value for _, value in ours)
    return sum(value for stack, value in ours if any(file.endswith(APP.name) and number == line
                                                     for _, file, number in stack)) / max(total, 1)


def shares(seconds):
    """What part of its true share each planted fault is given."""
    found = {}
    with Running(Profiled(), None) as running:
        port = admin_port(running)
        for name, kind in KINDS.items():
            with Clients(running.port, f"/busy/{name}", 2 if name == "wait" else 1):
                time.sleep(0.5)
                get(running.port, "/forget")
                profile = Pprof(get(port, f"/debug/pprof/{kind}?seconds={seconds}&hz=250"))
                truth = json.loads(get(running.port, "/truth"))[name]
            # A profile of waits or stops sees nothing of the rest: all of it is the planted line's.
            true = truth["planted"] / (truth["planted"] + truth["rest"]) if kind == "profile" else 1
            found[name] = share_of(profile, LINES[name]) / true
            print(f"{name:12} {true:6.1%} of the time in truth, {share_of(profile, LINES[name]):6.1%} in the profile: "
                  f"{found[name]:.1%} of its share")
    return found


def stress(seconds):
    """All kinds at 1,000 Hz under load; the server must answer to the end."""
    with Running(Profiled(), None) as running:
        port = admin_port(running)
        kinds = ("profile", "allocs", "wait", "block")
        sizes = {}

        def record(kind):
            sizes[kind] = len(gzip.decompress(get(port, f"/debug/pprof/{kind}?seconds={seconds}&hz=1000")))

        threads = [threading.Thread(target=record, args=(kind,)) for kind in kinds]
        clients = [Clients(running.port, f"/busy/{name}", 1) for name in KINDS]
        for one in clients:
            one.__enter__()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in clients:
            one.__exit__()
        get(running.port, "/")
        print(f"stress: {seconds} s at 1,000 Hz, {sizes} bytes")
    return len(sizes) == len(kinds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is broken")
    parser.add_argument("--only", choices=["sampling", "shares"], help="one part")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each run")
    parser.add_argument("--stress", type=int, metavar="SECONDS", help="record everything at 1,000 Hz instead")
    options = parser.parse_args()
    (ROOT / BUILD).mkdir(parents=True, exist_ok=True)
    if options.stress:
        return 0 if stress(options.stress) else 1
    broken = []
    if options.only in (None, "sampling") and sampling(options.pairs, options.seconds) > SAMPLING:
        broken.append("sampling")
    if options.only in (None, "shares"):
        broken += [name for name, share in shares(options.seconds).items() if share < SHARE]
    for name in broken:
        print(f"budget broken: {name}")
    return 1 if options.check and broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.SubprocessError as failure:
        sys.exit(f"bench: {failure}")
