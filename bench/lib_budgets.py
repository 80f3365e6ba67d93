"""The budgets that --check holds."""

import dictionary
import errors
import fanout
import files
import gateway
from lib_tables import middle

HELLO_INSTRUCTIONS = 1_800
TYPED_INSTRUCTIONS = 3_500
BROWSER_INSTRUCTIONS = 2_600
MIDDLEWARE_INSTRUCTIONS = 600  # of ten middlewares that do nothing
WAIT_INSTRUCTIONS = 2_500  # of one perigee.sleep(0)
TIMERS_SHARE = 1.01  # of hello, with 100,000 timers pending: within what a count repeats to
SPECS_INSTRUCTIONS = 800  # of one path, one query and one header spec, over the same route without
SESSION_INSTRUCTIONS = 1_500  # of reading a session, over ignoring its cookie
SESSIONS_SHARE = 1.1  # of one operation among 1,000 sessions, among 1,000,000
JSON_INSTRUCTIONS = 12_000  # 1 KiB, ten typed members
JSON_ANSWER_INSTRUCTIONS = 2_300
CHURN_INSTRUCTIONS = 5_000
BROWSER_SHARE_OF_NGINX = 1 / 4
PIPELINED_TIMES_NGINX = 8
ROUTES_SHARE = 1.5  # of one route, with 500
WORKERS_SHARE = 1.05  # of a request's cost with one worker, with two
WORKER_BYTES = 8_000_000  # PSS of an added worker, idle
P99_TIMES_FLOOR = 1.5  # at half of Perigee's capacity, open loop
IDLE_BYTES = 1_024
BUSY_SHARE = 0.05  # of a core that a server without descriptors may spin through
STRESS_BYTES = 1  # a request, of the slope of resident memory under sustained load,
STRESS_GROWTH = 1_000_000  # unless it grew by less than this: a short run has few requests


def figure(report, *path):
    """The number at that place of the report, the median of a spread, or None where it was not measured."""
    for key in path:
        report = report.get(key) if isinstance(report, dict) else None
    return None if report is None else middle(report)


def at_most(what, value, limit, unit):
    if value is None or limit is None:
        return f"{what}: not measured"
    return None if value <= limit else f"{what}: {shown(value)} {unit}, allowed {shown(limit)}"


def at_least(what, value, limit, unit):
    if value is None or limit is None:
        return f"{what}: not measured"
    return None if value >= limit else f"{what}: {shown(value)} {unit}, wanted {shown(limit)}"


def shown(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def plus(value, more):
    return None if value is None else value + more


def times(value, factor):
    return None if value is None else value * factor


def of_instructions(report):
    def count(server, scenario):
        return figure(report, "instructions", server, scenario)

    hello, unit = count("perigee", "hello"), "instructions a request"
    return [
        at_most("hello", hello, HELLO_INSTRUCTIONS, unit),
        at_most("typed", count("perigee", "typed"), TYPED_INSTRUCTIONS, unit),
        at_most("browser", count("perigee", "browser"), BROWSER_INSTRUCTIONS, unit),
        at_most("ten middlewares", count("perigee", "middleware"), plus(hello, MIDDLEWARE_INSTRUCTIONS), unit),
        at_most("a wait", count("perigee", "waits"), plus(hello, WAIT_INSTRUCTIONS), unit),
        at_most("hello beside 100,000 timers", count("perigee, 100,000 timers", "hello"), times(hello, TIMERS_SHARE), unit),
        at_most("specs", count("perigee", "specs"), plus(count("perigee", "bare"), SPECS_INSTRUCTIONS), unit),
        at_most("session", count("perigee", "session read"),
                plus(count("perigee", "session skip"), SESSION_INSTRUCTIONS), unit),
        at_most("json", count("perigee", "json"), JSON_INSTRUCTIONS, unit),
        at_most("json answer", count("perigee", "json answer"), JSON_ANSWER_INSTRUCTIONS, unit),
        at_most("churn", count("perigee", "churn"), CHURN_INSTRUCTIONS, unit),
        at_most("browser against nginx+lua", count("perigee", "browser"),
                times(count("nginx+lua", "browser"), BROWSER_SHARE_OF_NGINX), unit),
    ]


def of_rounds(report):
    def rps(server):
        return figure(report, "rounds", server, "pipelined", "rps")

    return [at_least("pipelined against nginx+lua", rps("perigee"), times(rps("nginx+lua"), PIPELINED_TIMES_NGINX),
                     "requests a second")]


def of_latency(report):
    def p99(server):
        return figure(report, "latency", "same", server, "p99")

    return [at_most("p99 at half of the capacity, against the floor's", p99("perigee"), times(p99("floor"), P99_TIMES_FLOOR),
                    "us")]


def of_workers(report):
    """Instructions or processor time: one of them has to hold."""
    def more(key):
        return at_most(f"two workers, {key}", figure(report, "workers", "2", key),
                       times(figure(report, "workers", "1", key), WORKERS_SHARE), "a request")

    costs = [more("instructions"), more("cpu_us")]
    memory = at_most("an added worker", figure(report, "workers", "added"), WORKER_BYTES, "bytes")
    return [*(costs if all(costs) else []), memory]


def of_routes(report):
    return [at_most("500 routes", figure(report, "routes", "500"), times(figure(report, "routes", "1"), ROUTES_SHARE),
                    "instructions a request")]


def of_idle(report):
    return [at_most("idle connection", figure(report, "idle", "perigee", "each"), IDLE_BYTES, "bytes resident")]


def of_sessions(report):
    return [at_most(f"{what} a session among 1,000,000", figure(report, "sessions", what, "1,000,000"),
                    times(figure(report, "sessions", what, "1,000"), SESSIONS_SHARE), "instructions")
            for what in ("find", "make")]


def of_stress(report):
    slope = at_most("stress", figure(report, "stress", "bytes_a_request"), STRESS_BYTES, "bytes a request")
    growth = at_most("stress", figure(report, "stress", "growth"), STRESS_GROWTH, "bytes")
    return [slope if growth else None]


def of_descriptors(report):
    found = figure_of(report, "descriptors", "perigee")
    return [at_most("without descriptors", found.get("busy"), BUSY_SHARE, "of a core while nobody asks"),
            at_least("after it had no descriptors", found.get("afterwards"), found.get("asked"), "connections answered")]


def figure_of(report, *path):
    for key in path:
        report = (report or {}).get(key, {})
    return report


def of_reload(report):
    return [at_most("reload under load", figure(report, "reload", "with", "errors"), 0, "errors")]


def of_workloads(report):
    found = report["workloads"]
    rates = {name: [middle(rate)] for name, rate in found.get("large file", {}).items()}
    calls = {what: {workers: figure(found, "dictionary", f"perigee, {workers} worker{'s' if workers > 1 else ''}", what)
                    for workers in (1, 2)} for what in dictionary.BUDGETS}
    cpu = {name: figure(found, "gateway", gateway.FRESH.name, name, "cpu_us") for name in ("perigee", "nginx+lua")}
    return [
        *files.broken(found.get("small file", {}), rates),
        *(at_most(f"dictionary, {what}", calls[what][1], allowed, "ns") for what, allowed in dictionary.BUDGETS.items()),
        *(at_most(f"dictionary, {what}, two workers", calls[what][2], times(calls[what][1], 1 / (1 - dictionary.LOSS)), "ns")
          for what in dictionary.BUDGETS),
        at_most("a gateway's page against nginx+lua", cpu["perigee"], times(cpu["nginx+lua"], 1 / gateway.TIMES), "us of CPU"),
        at_most("a publish, of the bare sends", figure(found, "fan-out", "ratio"), fanout.TIMES_SENDS, "times"),
        at_most("a subscriber", figure(found, "fan-out", "memory"), fanout.SUBSCRIBER_BYTES, "bytes"),
        at_least("subscribers", figure(found, "fan-out", "subscribers"), fanout.SUBSCRIBERS, "connections"),
    ]


def of_micro(report):
    return [at_most(f"error desk, {what.replace('_', ' ')}", least(report["micro"].get(what.replace("_", " "))), allowed, "ns")
            for what, allowed in errors.BUDGETS.items()]


def least(spread):
    return spread and spread["min"]


OF_PART = {"instructions": of_instructions, "rounds": of_rounds, "latency": of_latency, "workers": of_workers,
           "routes": of_routes, "idle": of_idle, "sessions": of_sessions, "stress": of_stress,
           "descriptors": of_descriptors, "reload": of_reload, "workloads": of_workloads, "micro": of_micro}


def broken(report, parts):
    """One line for each budget of these parts that is broken or cannot be checked."""
    return [line for part in parts if part in OF_PART for line in OF_PART[part](report) if line]
