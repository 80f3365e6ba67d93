"""Latency in the open loop: at half of what Perigee can serve, and of each server at half of what it can serve itself."""

import statistics

from lib_bench import say
from lib_load import load, open_load
from lib_rounds import spread
from lib_scenarios import BY_NAME
from lib_tables import Table

NAME, TITLE = "latency", "Latency, open loop"
SHARE = 0.5            # of a capacity
CAPACITY_ROUNDS = 3
OWN_RUNS = 3           # of each server at a rate of its own
ENOUGH = 1.1           # times the rate: whoever can serve less is not asked
KEYS = {"p50": "p50_us", "p90": "p90_us", "p95": "p95_us", "p99": "p99_us", "p99.9": "p999_us", "max": "max_us",
        "IQR": "iqr_us"}
HELLO = BY_NAME["hello"]


def capacity(bench, server, process):
    """Requests a second in the closed loop, the median of some short rounds."""
    seconds = bench.effort.latency_seconds
    return statistics.median(load(process, HELLO, server.body(HELLO), seconds=seconds)["rps"]
                             for _ in range(CAPACITY_ROUNDS))


def at_rate(bench, turns, runs):
    """turns: [(server, process, rate)], asked one after the other, so often. {name: [reports]}"""
    seen = {}
    for _ in range(runs):
        for server, process, rate in turns:
            report = bench.attempt(f"{server.name}, open loop", lambda: open_load(
                process, HELLO, server.body(HELLO), rate=rate, seconds=bench.effort.latency_seconds))
            if report:
                seen.setdefault(server.name, []).append(report)
    return seen


def summaries(seen):
    return {name: {column: spread([report[key] for report in reports]) for column, key in KEYS.items()}
            for name, reports in seen.items()}


def measure(bench):
    with bench.running([server for server in bench.compared if server.takes(HELLO)]) as running:
        say("latency: capacities")
        able = {}
        for server, process in running:
            rate = bench.attempt(f"{server.name}, capacity", lambda: capacity(bench, server, process))
            if rate:
                able[server.name] = rate
        running = [(server, process) for server, process in running if server.name in able]
        figures = {"capacity": able, "own": {}, "same": {}}
        say("latency: each at half of its own capacity")
        own = [(server, process, able[server.name] * SHARE) for server, process in running]
        figures["own"] = summaries(at_rate(bench, own, OWN_RUNS))
        if "perigee" in able:
            rate = figures["rate"] = able["perigee"] * SHARE
            say(f"latency: at {rate:,.0f} requests a second, {bench.effort.latency_runs} runs in turns")
            same = [(server, process, rate) for server, process in running if able[server.name] >= rate * ENOUGH]
            figures["same"] = summaries(at_rate(bench, same, bench.effort.latency_runs))
    return figures


def tables(figures):
    own, same = (with_rate(figures[key]) for key in ("own", "same"))
    for name, cells in own.items():
        cells["requests/s"] = f"{figures['capacity'][name] * SHARE:,.0f}"
    missed = [name for name in figures["capacity"] if name not in same]
    left_out = f" Left out, because they cannot serve this rate: {', '.join(missed)}." if missed else ""
    note = (f"{figures.get('rate', 0):,.0f} requests a second of a Poisson process on 64 connections, half of Perigee's "
            "capacity; counted from when a request was due. Runs take turns: the median, least and most of them." + left_out)
    return [Table("At half of Perigee's capacity", list(KEYS), same, "microseconds", note, chart="bars",
                  charted=["p50", "p99", "p99.9"], digits=1),
            Table("Each at half of its own capacity", ["requests/s", *KEYS], own, "microseconds",
                  f"{OWN_RUNS} runs.", digits=1)]


def with_rate(cells):
    return {name: dict(row) for name, row in cells.items()}
