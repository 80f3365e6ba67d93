"""User instructions of a request, of every server and scenario; and of the parsers alone."""

from lib_build import build
from lib_count import counter, instructions_per_pass
from lib_machine import ROOT
from lib_scenarios import BY_NAME
from lib_servers import Perigee
from lib_tables import Table

NAME, TITLE = "instructions", "Instructions"
SIZES = ("hello", "browser", "large head")
ALONE = {"http_parser alone": "parser", "scanner alone": "scanner"}


def measure(bench):
    counts = {}
    for server in bench.servers:
        for scenario in counted(bench, server):
            count = bench.instructions(server, scenario)
            if count is not False:
                counts.setdefault(server.name, {})[scenario.name] = count
    return counts | parsers(bench)


def counted(bench, server):
    some = bench.effort.counted_of_peers
    theirs = some and not isinstance(server, Perigee)
    return [scenario for scenario in bench.scenarios if server.takes(scenario) and (not theirs or scenario.name in some)]


def parsers(bench):
    counts = {}
    for name, source in ALONE.items() if bench.ours else ():
        program = bench.attempt(name, lambda: build(source))
        for scenario in bench.scenarios if program else ():
            if scenario.plain and scenario.depth == 1 and not scenario.churn:
                count = bench.attempt(name, lambda: instructions_per_pass(program, scenario))
                if count is not False:
                    counts.setdefault(name, {})[scenario.name] = count
    return counts


def tables(figures):
    columns = list(dict.fromkeys(name for cells in figures.values() for name in cells))
    servers = [name for name in figures if "," not in name and not name.endswith("alone")]
    unit = f"by {counter().name}" if figures else ""
    return [Table("User instructions a request", columns, figures, unit, steady=True, chart="bars", drawn=servers,
                  charted=["hello", "typed", "browser", "churn", "json answer", "dictionary"],
                  note="Of the server's process alone, warm; the kernel's are not among them."),
            by_size(figures, servers)]


def by_size(figures, servers):
    """The same once more, over the bytes of the head."""
    sizes = {name: str((ROOT / BY_NAME[name].path).stat().st_size) for name in SIZES}
    rows = {server: {sizes[name]: figures[server][name] for name in SIZES if name in figures[server]} for server in servers}
    return Table("User instructions a request, over the bytes of its head", list(sizes.values()), rows, "", "hello with the "
                 "least head there can be, a browser's, and one with many cookies, a token and a proxy's fields.",
                 steady=True, chart="lines")
