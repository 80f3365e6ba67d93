"""From one keep-alive connection to ten thousand: throughput and closed-loop latency at full load."""

from lib_bench import say
from lib_load import load
from lib_rounds import spread
from lib_scenarios import BY_NAME
from lib_tables import Table

NAME, TITLE = "connections", "Connections"
COUNTS = (1, 8, 64, 256, 1_000, 10_000)
SECONDS_EACH = 2e-4  # at least: the first answers of all connections would be the whole run
SPARE_DESCRIPTORS = 200  # of each process: no process has both ends of a connection
HELLO = BY_NAME["hello"]


def measure(bench):
    seen = {}
    counts = [count for count in COUNTS if count <= bench.descriptors - SPARE_DESCRIPTORS]
    with bench.running([server for server in bench.compared if server.takes(HELLO)]) as running:
        for count in counts:
            say(f"connections: {count:,}")
            seconds = max(bench.effort.sweep_seconds, count * SECONDS_EACH)
            for _ in range(bench.effort.sweep_rounds):
                for server, process in running:
                    report = bench.attempt(f"{server.name}, {count:,} connections", lambda: load(
                        process, HELLO, server.body(HELLO), connections=count, seconds=seconds))
                    if report:
                        seen.setdefault(server.name, {}).setdefault(str(count), []).append(report)
    return {name: {count: {key: spread([report[key] for report in reports]) for key in ("rps", "p50_us", "p99_us")}
                   for count, reports in by_count.items()} for name, by_count in seen.items()}


def tables(figures):
    columns = [str(count) for count in COUNTS if any(str(count) in cells for cells in figures.values())]

    def rows(key):
        return {name: {count: cell[key] for count, cell in cells.items()} for name, cells in figures.items()}
    return [Table("Requests a second on so many keep-alive connections", columns, rows("rps"), "", "hello, closed loop.",
                  "more", "lines"),
            Table("p99 on so many keep-alive connections", columns, rows("p99_us"), "microseconds",
                  "Each connection sends its next request when it is answered: at full load, latency is connections over "
                  "throughput. On one connection it is what one answer takes.", "less", "lines")]
