"""Parts of the engine alone, by Google Benchmark: processor time of one time."""

import json
import subprocess

from lib_bench import say
from lib_build import build
from lib_machine import ROOT
from lib_rounds import spread
from lib_servers import ServerError
from lib_tables import Table

NAME, TITLE = "micro", "Parts of the engine alone"
PROGRAMS = ("micro", "errors")
MIN_SECONDS = 0.02


def run(program, repetitions):
    """{name: [nanoseconds]}"""
    command = [str(program), f"--benchmark_repetitions={repetitions}", f"--benchmark_min_time={MIN_SECONDS}",
               "--benchmark_format=json"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ServerError(f"{program} ends with {result.returncode}: {result.stderr.strip()[-200:]}")
    seen = {}
    for once in json.loads(result.stdout)["benchmarks"]:
        if once["run_type"] == "iteration":
            if once.get("error_occurred"):
                raise ServerError(f"{once['name']}: {once['error_message']}")
            seen.setdefault(once["name"], []).append(once["cpu_time"])
    return seen


def readable(name):
    """"router/routes:500" as "router, routes 500"."""
    return name.replace("_", " ").replace("/", ", ").replace(":", " ")


def measure(bench):
    figures = {}
    for name in PROGRAMS:
        say(f"micro: {name}")
        seen = bench.attempt(f"micro, {name}", lambda: run(build(name), bench.effort.micro_repetitions))
        figures |= {readable(what): spread(times) for what, times in (seen or {}).items()}
    return figures


def tables(figures):
    rows = {name: {"ns": figure} for name, figure in figures.items()}
    return [Table("Processor time of one time", ["ns"], rows, "nanoseconds", "Google Benchmark; the median, least and "
                  "most of the repetitions.", digits=1)]
