"""Reloads under load: every request answered, and what they cost the slowest."""

import pathlib
import signal
import threading
import time

from lib_bench import say
from lib_load import load, open_load
from lib_scenarios import BY_NAME
from lib_servers import Running, ServerError
from lib_tables import Table

NAME, TITLE = "reload", "Reload under load"
SHARE, RELOADS = 0.25, 4
HELLO = BY_NAME["hello"]
KEYS = {"requests": "requests", "errors": "errors", "p50, us": "p50_us", "p99, us": "p99_us", "p99.9, us": "p999_us",
        "max, us": "max_us"}
DONE = "reloaded"  # what the log says of each


def reloads_done(running):
    return pathlib.Path(running.log).read_text(errors="replace").count(DONE)


def reload_often(running, seconds):
    """One reload after the other, each told to begin when the one before is through."""
    gap = seconds / (RELOADS + 1)
    for number in range(RELOADS):
        time.sleep(gap)
        running.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + gap
        while reloads_done(running) <= number and time.monotonic() < end:
            time.sleep(0.01)


def asked(bench, server, running, rate):
    seconds = bench.effort.reload_seconds
    return open_load(running, HELLO, server.body(HELLO), rate=rate, seconds=seconds)


def measure(bench):
    if not bench.ours:
        return {}
    server = bench.ours[0]
    say("reload: under load")

    def run():
        with Running(server, bench.core) as running:
            rate = load(running, HELLO, server.body(HELLO), seconds=bench.effort.warm)["rps"] * SHARE
            figures = {"rate": rate, "without": asked(bench, server, running, rate)}
            reloading = threading.Thread(target=reload_often, args=(running, bench.effort.reload_seconds))
            reloading.start()
            try:
                figures["with"] = asked(bench, server, running, rate)
            finally:
                reloading.join()
            figures["reloads"] = reloads_done(running)
            if figures["reloads"] == 0:
                raise ServerError("it did not reload")
            return figures
    return bench.attempt("reload", run) or {}


def tables(figures):
    if not figures:
        return []
    rows = {name: {column: figures[key][of] for column, of in KEYS.items()}
            for name, key in (("without reloads", "without"), (f"with {figures['reloads']} reloads", "with"))}
    return [Table("Reload under load", list(KEYS), rows, "", f"hello in the open loop, {figures['rate']:,.0f} requests a "
                  "second, a quarter of what it can serve. A reload makes new Lua states on the same core.", "")]
