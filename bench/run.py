#!/usr/bin/env python3
"""Measures Perigee beside its peers in one run. `--check` holds the budgets. bench/README.md says what and how."""

import argparse
import dataclasses
import sys

import lib_budgets
import lib_memory
import lib_report
import lib_rounds
from lib_build import BuildError, build
from lib_count import (CountError, counter, instructions_per_operation, instructions_per_pass,
                       instructions_per_request)
from lib_load import LoadError, command as load_command
from lib_machine import cores, describe, raise_descriptor_limit
from lib_nginx import NginxLua
from lib_scenarios import SCENARIOS
from lib_servers import Floor, LoggingPerigee, Perigee, ServerError, TimedPerigee

ALONE = ("http_parser alone", "parser"), ("scanner alone", "scanner")
SESSIONS = "sessions alone"
IDLE_CONNECTIONS = 10_000
FAILURES = (BuildError, CountError, LoadError, ServerError)


@dataclasses.dataclass(frozen=True)
class Effort:
    rounds: int
    seconds: float  # a round
    warm: float     # seconds of each scenario before the first round


FULL = Effort(rounds=5, seconds=2, warm=2)
QUICK = Effort(rounds=3, seconds=0.4, warm=0.4)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Run:
    """One run: asks for every figure, keeps those it gets and the reason for those it does not."""

    def __init__(self, effort, only):
        self.effort = effort
        self.core = cores()[0]
        self.descriptors = raise_descriptor_limit()
        self.missing = []
        everything = [Perigee(), LoggingPerigee(), TimedPerigee(), NginxLua(), Floor()]
        self.scenarios = [s for s in SCENARIOS if s.name in only] or SCENARIOS
        named = [s for s in everything if s.name in only] or everything
        self.servers = [server for server in named if self.attempt(server.name, server.prepare) is not False]
        self.with_sessions = not only or "sessions" in only
        self.programs = ALONE if len(named) == len(everything) else [p for p in ALONE if p[0] in only]

    def attempt(self, what, work):
        """What work returns, or False when the figure cannot be had; why is noted."""
        try:
            return work()
        except FAILURES as failure:
            self.missing.append(f"{what}: {failure}")
            say(self.missing[-1])
            return False

    def instructions(self):
        counts = {}
        for server in self.servers:
            for scenario in filter(server.takes, self.scenarios):
                say(f"instructions: {server.name}, {scenario.name}")
                count = self.attempt(f"{server.name}, {scenario.name}, instructions",
                                     lambda: instructions_per_request(server, scenario, self.core))
                if count is not False:
                    counts.setdefault(server.name, {})[scenario.name] = count
        return counts | self.alone() | self.sessions()

    def alone(self):
        counts = {}
        for name, source in self.programs:
            program = self.attempt(name, lambda: build(source))
            for scenario in self.scenarios if program else ():
                if scenario.depth == 1 and not scenario.ours:
                    count = self.attempt(name, lambda: instructions_per_pass(program, scenario))
                    if count is not False:
                        counts.setdefault(name, {})[scenario.name] = count
        return counts

    def sessions(self):
        """The sessions' store alone, with few and with many."""
        counts = {}
        program = self.attempt(SESSIONS, lambda: build("sessions")) if self.with_sessions else None
        for what in ("find", "make") if program else ():
            for living in (1_000, 1_000_000):
                say(f"instructions: {SESSIONS}, {what} among {living:,}")
                count = self.attempt(SESSIONS, lambda: instructions_per_operation(program, what, living))
                if count is not False:
                    counts[f"{what}, {living:,}"] = count
        return {SESSIONS: counts} if counts else {}

    def rounds(self):
        effort = self.effort
        return self.attempt("rounds", lambda: lib_rounds.measure(
            self.servers, [s for s in self.scenarios if not s.ours], self.core, effort.rounds, effort.seconds, effort.warm, say)) or {}

    def idle(self):
        hello, figures = SCENARIOS[0], {}
        for server in self.servers:
            if isinstance(server, (LoggingPerigee, TimedPerigee)):
                continue
            say(f"idle connections: {server.name}")
            figure = self.attempt(f"{server.name}, idle", lambda: lib_memory.idle_bytes(
                server, hello, self.core, IDLE_CONNECTIONS, self.descriptors))
            if figure:
                figures[server.name] = figure
        return figures

    def commands(self):
        class Somewhere:
            port = "PORT"

        lines = {server.name: " ".join(server.command(20000)) for server in self.servers}
        lines |= {f"client, {scenario.name}": " ".join(load_command(Somewhere, scenario, scenario.body, seconds="S"))
                  for scenario in self.scenarios}
        return lines

    def report(self):
        return {
            "time": lib_report.timestamp(),
            "environment": describe(),
            "peers": {server.name: server.version for server in self.servers if getattr(server, "version", "")},
            "scenarios": [scenario.name for scenario in self.scenarios],
            "counter": counter().name,
            "instructions": self.instructions(),
            "rounds": self.rounds(),
            "idle": self.idle(),
            "commands": self.commands(),
            "missing": self.missing,
        }


def check(report):
    lines = lib_budgets.broken(report)
    for line in lines:
        print(f"budget broken: {line}")
    if not lines:
        print("all budgets held")
    return 1 if lines else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter rounds; the instruction counts stay whole")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is broken or cannot be checked")
    parser.add_argument("--record", action="store_true", help="append the figures to bench/history/runs.jsonl")
    parser.add_argument("--only", metavar="NAME", action="append", default=[],
                        help="measure this server or scenario only; may be given again")
    return parser.parse_args()


def main():
    options = arguments()
    if options.record and (options.quick or options.only):
        sys.exit("bench: only a full run is recorded")
    try:
        build("load")
        run = Run(QUICK if options.quick else FULL, options.only)
        report = run.report()
    except (BuildError, CountError) as failure:
        sys.exit(f"bench: {failure}")
    LoggingPerigee().forget()
    file = lib_report.write(report)
    print(lib_report.terminal(report))
    print(f"report: {file}")
    if options.record:
        lib_report.record(report)
    return check(report) if options.check else 0


if __name__ == "__main__":
    sys.exit(main())
