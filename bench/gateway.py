#!/usr/bin/env python3
"""examples/gateway beside the same for nginx and its Lua module over cosockets, and beside the least that the socket
calls cost: requests a second of the server's own processor time, each of which asks three upstreams (the floor), and
the same from memory; how much of that time is the kernel's. `--check` holds the budget, `--count` counts the
instructions of a page."""

import argparse
import http.client
import json
import statistics
import sys

from lib_build import BuildError, build
from lib_count import CountError, counter
from lib_load import LoadError, load
from lib_machine import BUILD, ROOT, SOURCE, cores, describe
from lib_nginx_gateway import NginxGateway
from lib_rounds import one_round
from lib_scenarios import Scenario
from lib_servers import Floor, Perigee, Running, ServerError

TIMES = 2  # requests a CPU second of Perigee, of those of nginx+lua
ROUNDS, SECONDS, WARM = 7, 2, 2
PAGES = 1_000  # that are counted, after as many
POOL = 256  # idle connections: 64 clients, each with three questions under way
ANSWER = {"city": "oslo", "degrees": 7, "wind": "north-west"}
FRESH = Scenario("three upstreams", "gateway.txt", None)
KEPT = Scenario("from memory", "gateway_kept.txt", None)
CONFIGURATION = """[log]
access = "off"
[client]
pool_size = {pool}
[app.services]
weather = "{url}"
news = "{url}"
trains = "{url}"
"""


class Upstream(Floor):
    """The floor, with a small JSON object for an answer."""

    name = "upstream"

    def command(self, connections):
        return [*super().command(connections), "0", json.dumps(ANSWER, separators=(",", ":"))]


class Gateway(Perigee):
    """Perigee with examples/gateway, one worker."""

    def __init__(self, upstream):
        self.path = BUILD / "gateway.toml"
        (ROOT / self.path).write_text(CONFIGURATION.format(pool=POOL, url=f"http://127.0.0.1:{upstream}"))

    def command(self, connections):
        command = super().command(connections)
        command[command.index("-c") + 1] = str(self.path)
        command[command.index("--app") + 1] = "examples/gateway/app.lua"
        return command


class GatewayFloor(Floor):
    """bench/gateway_floor.c: what the socket calls of a page cost alone. It remembers nothing."""

    def __init__(self, upstream):
        self.upstream = upstream

    def prepare(self):
        build("gateway_floor")

    def command(self, connections):
        answer = json.dumps(ANSWER, separators=(",", ":"))
        page = json.dumps({"weather": ANSWER, "news": ANSWER, "trains": ANSWER}, separators=(",", ":"))
        return [str(BUILD / "gateway_floor"), str(self.upstream), page, answer]


def judge(running, scenario):
    """Whether an answer is what it must be, whatever the order of its members."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    headers = {"Cache-Control": "no-cache"} if scenario is FRESH else {}
    connection.request("GET", "/cities/oslo", headers=headers)
    answer = connection.getresponse()
    page = json.loads(answer.read())
    if page != {"weather": ANSWER, "news": ANSWER, "trains": ANSWER}:
        raise ServerError(f"{running.name} answers {answer.status} {page}")


def measure(servers, rounds):
    """{scenario: {server: [processor time of a request in microseconds]}}, in turns."""
    figures = {}
    for scenario in (FRESH, KEPT):
        takers = [server for server in servers if scenario is FRESH or server.name != Floor.name]
        of = figures[scenario] = {server.name: [] for server in takers}
        for server in takers:
            judge(server, scenario)
            load(server, scenario, None, seconds=WARM)
        for _ in range(rounds):
            for server in takers:
                once, share = server.kernel_share(lambda: one_round(server, scenario, None, SECONDS))
                of[server.name].append(once | {"kernel_us": once["cpu_us"] * share})
                judge(server, scenario)
    return figures


def show(figures):
    """Prints the table; what each scenario's processor time of nginx is of Perigee's."""
    ratios = {}
    print(f"{'':18}{'server':12}{'CPU us':>9}{'least':>9}{'kernel':>9}{'a CPU s':>10}{'req/s':>9}{'p99 us':>9}")
    for scenario, of in figures.items():
        spent = {}
        for name, rounds in of.items():
            times = [one["cpu_us"] for one in rounds]
            spent[name] = statistics.median(times)
            rate, late, kernel = (statistics.median(one[key] for one in rounds)
                                  for key in ("rps", "p99_us", "kernel_us"))
            print(f"{scenario.name:18}{name:12}{spent[name]:9.1f}{min(times):9.1f}{kernel:9.1f}{1e6 / spent[name]:10,.0f}"
                  f"{rate:9,.0f}{late:9,.0f}")
        ratios[scenario] = spent["nginx+lua"] / spent["perigee"]
        print(f"{scenario.name:18}{'':12}{ratios[scenario]:9.2f} times the requests of a CPU second"
              + (f"; the floor {spent['nginx+lua'] / spent['floor']:.2f} times" if "floor" in spent else ""))
    return ratios


def both(upstream):
    """nginx and Perigee, ready to start, before that upstream."""
    servers = NginxGateway(upstream.port, POOL), Gateway(upstream.port)
    for server in servers:
        server.prepare()
    return servers


def count(server, core):
    """Prints the instructions of one page of three upstreams: the server's own, without the kernel's."""
    with Running(server, core, wrapper=counter().wrapper) as running:
        load(running, FRESH, None, requests=PAGES)
        total = counter().around(running.pid, lambda: load(running, FRESH, None, requests=PAGES))
        judge(running, FRESH)
    print(f"{server.name:12}{total / PAGES:9,.0f} instructions a page")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when the budget is broken")
    parser.add_argument("--count", action="store_true", help="count instructions in place of time")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    (ROOT / BUILD).mkdir(parents=True, exist_ok=True)
    server_core, client_core = cores()
    try:
        build("floor")
        with Running(Upstream(), client_core) as upstream:
            peer, ours = both(upstream)
            floor = GatewayFloor(upstream.port)
            floor.prepare()
            if options.count:
                for server in (ours, peer, floor):
                    count(server, server_core)
                return 0
            with (Running(ours, server_core) as perigee, Running(peer, server_core) as nginx,
                  Running(floor, server_core) as least):
                print(", ".join(f"{name} {value}" for name, value in describe().items()
                                if name in ("machine", "compiler", "commit")))
                ratios = show(measure([perigee, nginx, least], options.rounds))
    except (BuildError, CountError, LoadError, ServerError) as failure:
        print(f"gateway: {failure}")
        return 1
    if ratios[FRESH] >= TIMES:
        print("the budget is held")
        return 0
    print(f"budget broken: {ratios[FRESH]:.2f} times nginx+lua, at least {TIMES} wanted")
    return 1 if options.check else 0


if __name__ == "__main__":
    sys.exit(main())
