"""Sustained load of all kinds of requests in turns, and how the server's memory goes with them."""

import time

from lib_bench import say
from lib_load import load
from lib_scenarios import BY_NAME
from lib_servers import Running
from lib_tables import Table

NAME, TITLE = "stress", "Sustained stress"
KINDS = ("hello", "typed", "browser", "large head", "pipelined", "churn", "json answer", "dictionary", "json",
         "session read")
TURNS = 100  # of the whole run, each of one kind
SETTLED = 1 / 3  # of the run: memory before that may still grow to what is kept for later


def samples(running, server, seconds):
    """[(seconds, requests, resident bytes)] of the whole run, one a turn."""
    begin, requests, seen = time.monotonic(), 0, []
    kinds = [BY_NAME[name] for name in KINDS]
    kinds[-1].begin(running)
    for turn in range(TURNS):
        kind = kinds[turn % len(kinds)]
        requests += load(running, kind, server.body(kind), seconds=seconds / TURNS)["requests"]
        seen.append((time.monotonic() - begin, requests, running.resident_bytes()))
    return seen


def slope(points):
    """Of the straight line through points, by least squares."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def measure(bench):
    if not bench.ours:
        return {}
    server, seconds = bench.ours[0], bench.effort.stress_seconds
    say(f"stress: {seconds} s")

    def run():
        with Running(server, bench.core) as running:
            return samples(running, server, seconds)
    seen = bench.attempt("stress", run)
    if not seen:
        return {}
    settled = [sample for sample in seen if sample[0] >= seen[-1][0] * SETTLED]
    return {"seconds": seen[-1][0], "requests": seen[-1][1], "first": seen[0][2], "last": seen[-1][2],
            "growth": seen[-1][2] - settled[0][2],
            "bytes_a_request": slope([(requests, size) for _, requests, size in settled]),
            "bytes_a_minute": slope([(time / 60, size) for time, _, size in settled]),
            "samples": [(round(time, 2), size) for time, _, size in seen]}


def tables(figures):
    if not figures:
        return []
    row = {"seconds": figures["seconds"], "thousand requests": figures["requests"] / 1000,
           "resident at first, MB": figures["first"] / 1e6, "at last, MB": figures["last"] / 1e6,
           "slope, bytes a request": figures["bytes_a_request"], "slope, KB a minute": figures["bytes_a_minute"] / 1e3}
    course = {str(time): size / 1e6 for time, size in figures["samples"]}
    return [Table("Sustained stress", list(row), {"perigee": row}, "",
                  f"{', '.join(KINDS)}, in turns on 64 connections; every answer is judged. The slope is of the last two "
                  "thirds.", "", digits=1),
            Table("Resident memory over the seconds", list(course), {"perigee": course}, "MB", "", "", "time", digits=1)]
