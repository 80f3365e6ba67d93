#!/usr/bin/env python3
"""Times the error desk: its filter, the stripping of a message, and an error's whole way. `--check` holds the budgets."""

import argparse
import json
import subprocess
import sys

from lib_build import BuildError, build
from lib_machine import ROOT

ROUNDS = 15
BUDGETS = {"filter_misses": 14, "strip": 66, "whole": 830, "many_hosts": 1048}  # nanoseconds


def measure():
    """Nanoseconds of processor time of each benchmark, the least of all rounds: a busy machine only adds to it."""
    program = build("errors")
    command = [program, f"--benchmark_repetitions={ROUNDS}", "--benchmark_min_time=0.02",
               "--benchmark_format=json"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures = {}
    for run in json.loads(result.stdout)["benchmarks"]:
        if run["run_type"] == "iteration":
            name = run["name"].split("/")[0]
            figures.setdefault(name, []).append(run["cpu_time"])
    return {name: (min(times), sorted(times)[len(times) // 2]) for name, times in figures.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is broken")
    options = parser.parse_args()
    try:
        figures = measure()
    except BuildError as failure:
        sys.exit(f"bench: {failure}")
    print(f"{'ns':18}{'least':>8}{'median':>8}{'budget':>8}")
    for name, (least, median) in figures.items():
        print(f"{name:18}{least:8.1f}{median:8.1f}{BUDGETS.get(name, ''):>8}")
    broken = [f"{name}: {figures[name][0]:.1f} ns, allowed {budget}" for name, budget in BUDGETS.items()
              if figures[name][0] >= budget]
    for line in broken:
        print("budget broken: " + line)
    return 1 if options.check and broken else 0


if __name__ == "__main__":
    sys.exit(main())
