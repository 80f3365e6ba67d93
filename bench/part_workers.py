"""What further workers cost and bring: instructions and processor time a request, throughput, memory of an idle one."""

import os
import time

from lib_bench import say
from lib_count import instructions_per_request
from lib_load import load
from lib_rounds import one_round, spread
from lib_scenarios import BY_NAME
from lib_servers import Perigee, Running
from lib_tables import Table

NAME, TITLE = "workers", "Workers"
HELLO = BY_NAME["hello"]
SETTLE_SECONDS = 1


class Workers(Perigee):
    """Perigee with so many workers."""

    def __init__(self, count):
        self.workers = count


def counts():
    """1, 2 and on by twos to the number of cores; two in any case, and four for the memory."""
    able = len(os.sched_getaffinity(0))
    return sorted({1, 2, 4, *(n for n in (8, 16, 32, 64) if n <= able)})


def proportional_bytes(pid):
    """Its share of what it has in memory (PSS)."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))


def idle_memory(server):
    with Running(server, None) as running:
        time.sleep(SETTLE_SECONDS)
        return proportional_bytes(running.pid)


def rounds(bench, server):
    """On any core, as the kernel likes; the client has the second one, and shares it."""
    effort = bench.effort
    with Running(server, None) as running:
        load(running, HELLO, server.body(HELLO), seconds=effort.warm)
        return [one_round(running, HELLO, server.body(HELLO), effort.sweep_seconds)
                for _ in range(max(3, effort.sweep_rounds))]


def measure(bench):
    figures = {}
    for count in counts() if bench.ours else ():
        say(f"workers: {count}")
        server, cells = Workers(count), {}
        memory = bench.attempt(f"{count} workers, memory", lambda: idle_memory(server))
        if memory:
            cells["pss"] = memory
        results = bench.attempt(f"{count} workers", lambda: rounds(bench, server))
        if results:
            cells |= {key: spread([result[key] for result in results]) for key in ("cpu_us", "rps")}
        if count <= 2:
            instructions = bench.attempt(f"{count} workers, instructions",
                                         lambda: instructions_per_request(server, HELLO, None))
            if instructions:
                cells["instructions"] = instructions
        figures[str(count)] = cells
    if len(figures) > 1 and all("pss" in cells for cells in figures.values()):
        fewest, most = (min(figures, key=int), max(figures, key=int))
        figures["added"] = (figures[most]["pss"] - figures[fewest]["pss"]) / (int(most) - int(fewest))
    return figures


def tables(figures):
    figures = dict(figures)
    added = figures.pop("added", 0)
    names = {"instructions": ("instructions", 1), "cpu_us": ("CPU, us", 1), "rps": ("thousand/s", 1000),
             "pss": ("memory, MB", 1e6)}

    def cell(figure, divisor):
        return {end: value / divisor for end, value in figure.items()} if isinstance(figure, dict) else figure / divisor
    rows = {f"{count} worker{'s' if count != '1' else ''}": {names[key][0]: cell(figure, names[key][1])
                                                            for key, figure in cells.items()}
            for count, cells in figures.items()}
    note = (f"hello; the client shares the cores, so throughput is no measure of scaling here. Memory is PSS, idle: "
            f"{added / 1e6:.1f} MB for each added worker.")
    return [Table("Workers, each request", [name for name, _ in names.values()], rows, "", note, "", digits=2)]
