#!/usr/bin/env python3
"""Measures Perigee beside its peers in one run and writes bench/report. `--check` holds the budgets. bench/README.md says
what and how."""

import argparse
import signal
import sys

import lib_budgets
import lib_history
import lib_page
import lib_peers
import part_connections
import part_descriptors
import part_idle
import part_instructions
import part_latency
import part_micro
import part_reload
import part_rounds
import part_routes
import part_sessions
import part_stress
import part_workers
import part_workloads
from lib_bench import FULL, QUICK, Bench, say
from lib_build import BuildError, build
from lib_count import CountError, counter
from lib_load import command as load_command
from lib_load import open_command
from lib_machine import ROOT, Others, describe, now_text
from lib_scenarios import SCENARIOS
from lib_servers import LoggingPerigee
from lib_tables import compared, terminal, with_rows

PARTS = [part_instructions, part_rounds, part_latency, part_connections, part_workers, part_routes, part_idle,
         part_sessions, part_stress, part_descriptors, part_reload, part_workloads, part_micro]
ASKING = [part_instructions, part_rounds, part_idle]  # what is run when only servers or scenarios are named
BROKEN, MISSING = 1, 3  # exit codes


def selected(only, servers):
    """(parts, servers, scenarios) of the names given with --only; all of them of a kind that is not named."""
    kinds = [{part.NAME: part for part in PARTS}, {server.name: server for server in servers},
             {scenario.name: scenario for scenario in SCENARIOS}]
    unknown = [name for name in only if not any(name in kind for kind in kinds)]
    if unknown:
        known = ", ".join(name for kind in kinds for name in kind)
        sys.exit(f"bench: there is no '{unknown[0]}'; there are {known}")
    chosen = [[one for name, one in kind.items() if name in only] for kind in kinds]
    parts = chosen[0] or (ASKING if only else PARTS)
    return parts, chosen[1] or servers, chosen[2] or SCENARIOS


def commands(bench):
    class Somewhere:
        port = "PORT"

    lines = {server.name: " ".join(server.command(20000)) for server in bench.servers}
    for scenario in bench.scenarios:
        lines[f"client, {scenario.name}"] = " ".join(load_command(Somewhere, scenario, scenario.body, seconds="S"))
    hello = SCENARIOS[0]
    lines["client, open loop"] = " ".join(open_command(Somewhere, hello, hello.body, rate="R", seconds="S"))
    return lines


def counter_name():
    try:
        return counter().name
    except CountError:
        return "none"


def run(bench, parts):
    report = {"time": now_text(), "effort": bench.effort.name, "environment": describe(),
              "peers": {server.name: server.version for server in bench.servers if getattr(server, "version", "")},
              "counter": counter_name(), "command": " ".join(["./dev bench", *sys.argv[1:]])}
    others = Others()
    for part in parts:
        say(f"== {part.TITLE}")
        report[part.NAME] = part.measure(bench)
    report["noise"] = others.told()
    report["commands"] = {"this run": report["command"]} | commands(bench)
    report["missing"] = bench.missing
    return report


def publish(report, parts, options):
    """Terminal, page, JSON and history; the budgets that are broken."""
    shown = [(part.NAME, part.TITLE, with_rows(part.tables(report[part.NAME]))) for part in parts if report[part.NAME]]
    tables = [table for _, _, some in shown for table in some]
    before = lib_history.last(report)
    changes = lib_history.changes(tables, before)
    broken = lib_budgets.broken(report, [part.NAME for part in parts])
    page = lib_page.write(ROOT / options.report, report, shown, broken, changes, before)
    tell(report, tables, [*lib_history.told(changes, before), *(verdict(broken) if options.check else [])])
    print(f"report: {options.report}/{page.name}")
    if options.record or not (options.quick or options.only):
        lib_history.append(lib_history.line_of(report, tables))
        print(f"history: {lib_history.FILE}")
    return broken


def verdict(broken):
    return [f"budget broken: {line}" for line in broken] or ["all budgets held"]


def tell(report, tables, lines):
    print("\n".join(f"{key:<12} {value}" for key, value in (report["environment"] | report["noise"]).items()) + "\n")
    print("\n".join(terminal(table) for table in compared(tables)))
    for line in (*(f"missing: {line}" for line in report["missing"]), *lines):
        print(line)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter rounds; Perigee's instruction counts stay whole")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is broken or cannot be checked")
    parser.add_argument("--record", action="store_true", help="append a quick run to the history too, as a full run is")
    parser.add_argument("--only", metavar="NAME", action="append", default=[],
                        help="this part, server or scenario only; may be given again")
    parser.add_argument("--peer", metavar="NAME=COMMAND", action="append", default=[],
                        help="another server; {port} stands for the port it is to listen on")
    parser.add_argument("--report", metavar="FOLDER", default=str(lib_page.FOLDER), help="where the page goes")
    return parser.parse_args()


def end_servers(*_):
    """As an exception, so that whatever was started is stopped on the way out."""
    sys.exit("bench: ended from outside")


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, end_servers)
    if options.record and options.only:
        sys.exit("bench: a run of some parts is not recorded")
    try:
        servers = [*lib_peers.ALL, *map(lib_peers.named, options.peer)]
        parts, servers, scenarios = selected(options.only, servers)
        for program in ("load", "open"):
            build(program)
        bench = Bench(QUICK if options.quick else FULL, servers, scenarios)
        report = run(bench, parts)
    except (BuildError, CountError, ValueError) as failure:
        sys.exit(f"bench: {failure}")
    finally:
        LoggingPerigee().forget()
    broken = publish(report, parts, options)
    if options.check and broken:
        return BROKEN
    return MISSING if report["missing"] else 0


if __name__ == "__main__":
    sys.exit(main())
