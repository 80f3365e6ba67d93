"""Throughput and processor time, in rounds that go from server to server so that the machine's moods meet them all."""

import statistics

from lib_bench import say
from lib_load import load

KEYS = ("rps", "cpu_us", "busy", "client_cpu_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us")


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
    return {key: spread([result[key] for result in results]) for key in KEYS} | {"rounds": len(results)}


def measure(bench, scenarios):
    """{server's name: {scenario's name: summary}}. All servers run at once, one is asked at a time."""
    effort, results = bench.effort, {}
    with bench.running(bench.servers) as running:
        turns = [(server, process, scenario) for scenario in scenarios for server, process in running
                 if server.takes(scenario) and warmed(bench, server, process, scenario)]
        for number in range(effort.rounds):
            say(f"round {number + 1} of {effort.rounds}")
            for server, process, scenario in turns:
                what = f"{server.name}, {scenario.name}, rounds"
                result = bench.attempt(what, lambda: one_round(process, scenario, server.body(scenario), effort.seconds))
                if result:
                    results.setdefault(server.name, {}).setdefault(scenario.name, []).append(result)
    return {name: {scenario: summary(runs) for scenario, runs in by_scenario.items()}
            for name, by_scenario in results.items()}


def warmed(bench, server, process, scenario):
    def warm():
        scenario.begin(process)
        return load(process, scenario, server.body(scenario), seconds=bench.effort.warm)
    return bench.attempt(f"{server.name}, {scenario.name}", warm)
