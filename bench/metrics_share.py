#!/usr/bin/env python3
"""What always-on metrics, and the profiler while nobody records, cost a request of build/release/perigee: the instructions
that callgrind attributes to their lines and their callers'. `--check` exits 1 when they are over budget."""

import argparse
import pathlib
import re
import sys

from lib_build import build
from lib_count import instructions_per_request
from lib_machine import BUILD, ROOT, cores
from lib_scenarios import SCENARIOS
from lib_servers import Perigee

class Part:
    """Something that is spread over the source: files of its own, and lines of others that call it."""

    def __init__(self, name, files, callers, budget):
        self.name, self.files, self.callers, self.budget = name, files, re.compile(callers), budget

    def has(self, file, line):
        if any(name in file for name in self.files):
            return True
        match = re.search(r"engine/(server|script)/", file)
        source = ROOT / file[match.start():] if match else None
        if source is None or not source.exists():
            return False
        lines = source.read_text().splitlines()
        return 0 < line <= len(lines) and self.callers.search(lines[line - 1]) is not None


METRICS = Part("always-on metrics", ("request_meter", "route_latencies", "histogram", "counter.h", "ticks.h",
                                     "ia32intrin.h", "slow_requests", "wait_operation"),
               r"meter_\.|ticks\(\)|slow_|visit\.began|waited|RouteLatencies|->latencies\[|: meter_|latency\)|"
               r"void Worker::measure|visit\.measured", lambda whole: 150)
# A stay in Lua is also what limits on handlers go by: all of it is counted.
PRESENCE = Part("the profiler while nobody records", ("marks.h", "pulse.h", "governor.h", "thread_sampler", "wait_log"),
                r"\bmarks\b|\bpulse\b|\bStay stay|stay\.end", lambda whole: 0.02 * whole)
COUNTED = 10_000


def costs(path):
    """Instructions by (source file, line) of a callgrind profile; code that was inlined counts where it is written."""
    names, total, file, line, callee = {}, {}, "", 0, False  # a name is written out where it comes first
    for text in path.read_text().splitlines():
        match = re.match(r"(c?)(?:fl|fi|fe)=\((\d+)\)(?: (.*))?$", text)
        if match:
            names.setdefault(match[2], match[3])
            file = file if match[1] else names[match[2]]
        elif text.startswith("calls="):
            callee = True  # the next line is what the callee cost
        elif re.match(r"[+\-*\d]", text):
            where, cost = text.split()[:2]
            line = line if where == "*" else line + int(where) if where[0] in "+-" else int(where)
            if not callee:
                total[file, line] = total.get((file, line), 0) + int(cost)
            callee = False
    return total


def show(part, lines, whole):
    """Prints a part's costs by source file; whether it is within its budget."""
    by_file = {}
    for (file, line), cost in lines.items():
        if part.has(file, line):
            name = pathlib.Path(file).name
            by_file[name] = by_file.get(name, 0) + cost / COUNTED
    for name, cost in sorted(by_file.items(), key=lambda item: -item[1]):
        if cost >= 0.1:
            print(f"{cost:8.1f}  {name}")
    share = sum(by_file.values())
    print(f"{share:8.1f}  of {whole:.0f} instructions a request: {part.name} (at most {part.budget(whole):.0f})\n")
    return share <= part.budget(whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when the budget is broken")
    parser.add_argument("scenario", nargs="?", default="hello", choices=[one.name for one in SCENARIOS])
    options = parser.parse_args()
    build("load")
    scenario = next(one for one in SCENARIOS if one.name == options.scenario)
    whole = instructions_per_request(Perigee(), scenario, cores()[0])
    lines = costs(ROOT / BUILD / "callgrind.out.1")
    kept = [show(part, lines, whole) for part in (METRICS, PRESENCE)]
    return 1 if options.check and not all(kept) else 0


if __name__ == "__main__":
    sys.exit(main())
