"""Throughput and processor time, in rounds that go from server to server so that the machine's moods meet them all."""

import contextlib
import statistics

from lib_load import load
from lib_servers import Running


def spread(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def one_round(running, scenario, body, seconds):
    before = running.cpu_seconds()
    result = load(running, scenario, body, seconds=seconds)
    used = running.cpu_seconds() - before
    result["cpu_us"] = used * 1e6 / result["requests"]
    result["busy"] = used / result["seconds"]
    return result


def summary(results):
    keys = ("rps", "cpu_us", "busy", "client_cpu_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us")
    return {key: spread([result[key] for result in results]) for key in keys} | {"rounds": len(results)}


def measure(servers, scenarios, core, rounds, seconds, warm, say):
    """{server's name: {scenario's name: summary}}. All servers run at once, one is asked at a time."""
    results = {server.name: {scenario.name: [] for scenario in filter(server.takes, scenarios)} for server in servers}
    with contextlib.ExitStack() as stack:
        running = [(server, stack.enter_context(Running(server, core))) for server in servers]
        turns = [(server, process, scenario) for scenario in scenarios for server, process in running
                 if server.takes(scenario)]
        for server, process, scenario in turns:
            load(process, scenario, server.body(scenario), seconds=warm)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for server, process, scenario in turns:
                result = one_round(process, scenario, server.body(scenario), seconds)
                results[server.name][scenario.name].append(result)
    return {name: {scenario: summary(runs) for scenario, runs in by_scenario.items()}
            for name, by_scenario in results.items()}
