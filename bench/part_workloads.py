"""The workloads that have a bench of their own: files, shared dictionaries, a gateway's pages, fan-out over SSE."""

import statistics

import dictionary
import fanout
import files
import gateway
from lib_bench import say
from lib_build import build
from lib_machine import cores
from lib_rounds import spread
from lib_servers import Running
from lib_tables import Table

NAME, TITLE = "workloads", "Workloads"
FANOUT_TIMES = 4  # rounds of it to one of the others: they are short


def small_file(bench):
    return files.count_small(files.have([files.CountedFiles(), files.NginxFiles()]))


def large_file(bench):
    servers = files.have([files.PerigeeFiles(), files.NginxFiles(), files.GoFiles()])
    rates = files.download_rounds(servers, bench.effort.workload_rounds)
    return {name: spread(seen) for name, seen in rates.items()}


def shared(bench):
    """{"perigee, 1 worker": {"get": spread of nanoseconds}}"""
    figures = {}
    for make in (dictionary.PerigeeDictionary, dictionary.NginxDictionary):
        for workers in (1, 2):
            server = make(workers)
            server.prepare()
            seen = bench.attempt(f"dictionary, {server.name}, {workers} workers",
                                 lambda: dictionary.measure(server, bench.effort.workload_rounds))
            if seen:
                figures[f"{server.name}, {workers} worker{'s' if workers > 1 else ''}"] = {
                    what: spread(times) for what, times in seen.items()}
    return figures


def upstream(bench):
    build("floor")
    with Running(gateway.Upstream(), cores()[1]) as answers:
        peer, ours = gateway.both(answers)
        with Running(ours, bench.core) as perigee, Running(peer, bench.core) as nginx:
            seen = gateway.measure([perigee, nginx], bench.effort.workload_rounds)
    return {scenario.name: {name: {key: spread([one[key] for one in rounds]) for key in ("cpu_us", "rps", "p99_us")}
                            for name, rounds in of.items()} for scenario, of in seen.items()}


def published(bench):
    count = min(fanout.SUBSCRIBERS, bench.descriptors - fanout.SPARE_DESCRIPTORS)
    each, size, pairs = fanout.measure(count, bench.effort.workload_rounds * FANOUT_TIMES)
    return {"subscribers": count, "bytes": size, "memory": each, "publish": spread([one for one, _ in pairs]),
            "sends": spread([other for _, other in pairs]), "ratio": statistics.median(a / b for a, b in pairs)}


def measure(bench):
    if not bench.ours:
        return {}
    files.prepare()
    figures = {}
    for name, work in (("small file", small_file), ("large file", large_file), ("dictionary", shared),
                       ("gateway", upstream), ("fan-out", published)):
        say(f"workload: {name}")
        found = bench.attempt(name, lambda: work(bench))
        if found:
            figures[name] = found
    return figures


def scaled(figure, factor):
    return {end: value * factor for end, value in figure.items()}


def tables(figures):
    return [*file_tables(figures), *dictionary_tables(figures), *gateway_tables(figures), *fanout_tables(figures)]


def file_tables(figures):
    small, large = figures.get("small file", {}), figures.get("large file", {})
    return [Table("A file of 4 KiB", ["instructions"], {name: {"instructions": count} for name, count in small.items()},
                  "user instructions a request", steady=True),
            Table("A file of 1 MiB", ["files a second"], {name: {"files a second": rate} for name, rate in large.items()},
                  "", f"{files.CONNECTIONS} connections.", "more", "bars")]


def dictionary_tables(figures):
    found = figures.get("dictionary", {})
    columns = list(dict.fromkeys(what for cells in found.values() for what in cells))
    return [Table("Shared dictionaries from compiled Lua", columns, found, "nanoseconds a call",
                  "Each worker on keys of its own, timed within; empty is the loop itself.", digits=1)]


def gateway_tables(figures):
    names = {"cpu_us": "CPU, us", "rps": "pages a second", "p99_us": "p99, us"}
    rows = {f"{server}, {scenario}": {names[key]: figure for key, figure in cells.items()}
            for scenario, of in figures.get("gateway", {}).items() for server, cells in of.items()}
    return [Table("Waiting for upstreams: a gateway's page", list(names.values()), rows, "",
                  "examples/gateway; a page asks three upstreams, or finds their answers in memory.", "", digits=1)]


def fanout_tables(figures):
    found = figures.get("fan-out")
    if not found:
        return []
    row = {"publish, ms": scaled(found["publish"], 1e3), "bare sends, ms": scaled(found["sends"], 1e3),
           "the one over the other": found["ratio"], "bytes a subscriber": found["memory"]}
    return [Table("Publishing to subscribers over SSE", list(row), {"perigee": row}, "",
                  f"Processor time of a message of {found['bytes']} bytes to {found['subscribers']:,} connections, and of as "
                  "many send() calls that do nothing else.", digits=2)]
