"""Throughput, processor time and closed-loop latency at full load, in rounds that go from server to server."""

import lib_rounds
from lib_tables import Table, middle

NAME, TITLE = "rounds", "Throughput and processor time"
NOT_SATURATED = 0.9  # a server that had this share of its core at most was not the bottleneck
CHARTED = ["hello", "typed", "browser", "large head", "churn", "json answer", "dictionary"]


def measure(bench):
    return lib_rounds.measure(bench, [scenario for scenario in bench.scenarios if scenario.timed])


def of(figures, key, divisor=1):
    def scaled(spread):
        return {end: value / divisor for end, value in spread.items()}
    return {name: {scenario: scaled(summary[key]) for scenario, summary in scenarios.items()}
            for name, scenarios in figures.items()}


def waited(figures):
    """"floor (hello, typed)" of those whose server was not busy."""
    found = {name: [scenario for scenario, summary in scenarios.items() if middle(summary["busy"]) < NOT_SATURATED]
             for name, scenarios in figures.items()}
    return [f"{name} ({', '.join(some)})" for name, some in found.items() if some]


def tables(figures):
    columns = list(dict.fromkeys(name for cells in figures.values() for name in cells))
    latency = {name: {scenario: " / ".join(f"{middle(summary[key]):,.0f}" for key in ("p50_us", "p99_us", "p999_us"))
                      for scenario, summary in scenarios.items()} for name, scenarios in figures.items()}
    idle = waited(figures)
    note = "64 connections; the median and the least and most of the rounds."
    note += f" Not busy all the time, so that client or machine was the limit: {'; '.join(idle)}." if idle else ""
    return [
        Table("Requests a second", columns, of(figures, "rps", 1000), "thousands", note, "more", "bars", CHARTED,
              [name for name in figures if "," not in name], 1),
        Table("Processor time a request", columns, of(figures, "cpu_us"), "microseconds", "User and system.", "less",
              digits=2),
        Table("Latency in the closed loop", columns, latency, "microseconds, p50 / p99 / p99.9",
              "At full load, counted from when a request was sent: a server that stalls is asked less often.", ""),
    ]
