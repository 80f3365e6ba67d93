"""User instructions of a request, of every server and scenario; and of the parsers alone."""

from lib_build import build
from lib_count import counter, instructions_per_pass
from lib_tables import Table

NAME, TITLE = "instructions", "Instructions"
ALONE = {"http_parser alone": "parser", "scanner alone": "scanner"}


def measure(bench):
    counts = {}
    for server in bench.servers:
        for scenario in filter(server.takes, bench.scenarios):
            count = bench.instructions(server, scenario)
            if count is not False:
                counts.setdefault(server.name, {})[scenario.name] = count
    return counts | parsers(bench)


def parsers(bench):
    counts = {}
    for name, source in ALONE.items():
        program = bench.attempt(name, lambda: build(source))
        for scenario in bench.scenarios if program else ():
            if scenario.plain and scenario.depth == 1 and not scenario.churn:
                count = bench.attempt(name, lambda: instructions_per_pass(program, scenario))
                if count is not False:
                    counts.setdefault(name, {})[scenario.name] = count
    return counts


def tables(figures):
    columns = list(dict.fromkeys(name for cells in figures.values() for name in cells))
    return [Table("User instructions a request", columns, figures, f"by {counter().name}" if figures else "", steady=True, chart="bars",
                  charted=["hello", "typed", "browser", "large head", "churn", "json answer", "dictionary"],
                  note="Of the server's process alone, warm; the kernel's are not among them.")]
