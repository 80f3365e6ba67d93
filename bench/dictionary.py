#!/usr/bin/env python3
"""Times shared dictionaries from compiled Lua, in the real server, with one worker and with two at once, and nginx's
beside them. `--check` holds the budgets."""

import argparse
import http.client
import statistics
import sys
import threading

from lib_machine import BUILD, ROOT, SOURCE, describe
from lib_nginx import PEERS, QUIET, NginxLua, free_port
from lib_servers import Perigee, Running, ServerError

COUNT = 250_000  # calls a round, some ten milliseconds
ROUNDS = 15
MOST_ROUNDS = 300  # where others use the machine, most rounds are disturbed
DISTURBED = 1.03   # times the processor time: the thread was kept waiting
WHAT = ["get", "get_number", "incr", "set"]
BUDGETS = {"get": 60, "get_number": 60, "incr": 80}  # nanoseconds of a call, one worker
LOSS = 0.30  # of a worker's speed where another one works on other keys

NGINX = """\
daemon off;
master_process {master};
worker_processes {workers};
pid nginx.pid;
error_log stderr warn;
load_module unpacked/usr/lib/nginx/modules/ndk_http_module.so;
load_module unpacked/usr/lib/nginx/modules/ngx_http_lua_module.so;
events {{
  worker_connections 100;
}}
http {{
""" + QUIET + """\
  lua_package_path "$prefix/unpacked/usr/share/lua/5.1/?.lua;{source}/?.lua;;";
  lua_shared_dict bench 10m;
  server {{
    listen 127.0.0.1:{port} reuseport;
    location = /worker {{
      content_by_lua_block {{ ngx.print(ngx.worker.id()) }}
    }}
    location ~ "^/([a-z_]+)/([a-z0-9]+)/([0-9]+)/([0-9]+)$" {{
      content_by_lua_block {{
        local what, place, parties, count = ngx.var[1], ngx.var[2], tonumber(ngx.var[3]), tonumber(ngx.var[4])
        local ns, cpu = require("dictionary_loops").run(ngx.shared.bench, what, place, parties, count)
        ngx.print(("%.2f %.2f\\n"):format(ns, cpu))
      }}
    }}
  }}
}}
"""


class PerigeeDictionary(Perigee):
    """Perigee with bench/dictionary.lua."""

    def __init__(self, workers):
        self.workers = workers

    def command(self, connections):
        return [self.binary, "serve", "-c", f"{SOURCE}/server.toml", "--app", f"{SOURCE}/dictionary.lua",
                "--listen", "127.0.0.1:0", "--workers", str(self.workers), "--admin", "off"]


class NginxDictionary(NginxLua):
    """nginx with the same loops over ngx.shared."""

    def __init__(self, workers):
        self.workers = workers

    def command(self, connections):
        self.port = free_port()
        text = NGINX.format(port=self.port, workers=self.workers, master="on" if self.workers > 1 else "off",
                            source=ROOT / SOURCE)
        (ROOT / PEERS / "dictionary.conf").write_text(text)
        return [f"{PEERS}/unpacked/usr/sbin/nginx", "-p", f"{PEERS}/", "-c", "dictionary.conf", "-e", "stderr"]


def ask(connection, path):
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != 200:
        raise ServerError(f"{path}: {answer.status} {text}")
    return text


def connections_to(port, workers):
    """One connection to each worker: the kernel chooses, so it is asked until it has chosen all."""
    found, spare = {}, []
    for _ in range(200):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        spare.append(connection)
        found.setdefault(ask(connection, "/worker"), connection)
        if len(found) == workers:
            return list(found.values())
    raise ServerError("no connection came to one of the workers")


def one_round(connections, what):
    """The nanoseconds of a call, by the clock and of processor time, on each connection, all at once."""
    answers = [None] * len(connections)

    def run(i):
        answers[i] = ask(connections[i], f"/{what}/party{i}/{len(connections)}/{COUNT}")
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [tuple(map(float, answer.split())) for answer in answers]


def undisturbed_rounds(connections, what, rounds=ROUNDS):
    """The nanoseconds of a call in rounds in which every party had a core to itself all the time."""
    seen = []
    for _ in range(MOST_ROUNDS):
        answers = one_round(connections, what)
        if all(wall <= cpu * DISTURBED for wall, cpu in answers):
            seen.append(statistics.mean(wall for wall, _ in answers))
            if len(seen) == rounds:
                break
    if len(seen) < rounds:
        raise ServerError(f"{what}: the machine is too busy")
    return seen


def measure(server, rounds=ROUNDS):
    """For each loop the rounds' nanoseconds of a call."""
    with Running(server, None) as running:
        connections = connections_to(running.port, server.workers)
        return {what: undisturbed_rounds(connections, what, rounds) for what in ["empty", *WHAT]}


def broken(figures):
    """One line for each budget that is broken."""
    lines = []
    for what, budget in BUDGETS.items():
        one, two = (statistics.median(figures["perigee", workers][what]) for workers in (1, 2))
        if one > budget:
            lines.append(f"{what}: {one:.0f} ns, allowed {budget}")
        if 1 - one / two > LOSS:
            lines.append(f"{what}, two workers: each loses {1 - one / two:.0%}, allowed {LOSS:.0%}")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is broken")
    options = parser.parse_args()
    (ROOT / BUILD).mkdir(parents=True, exist_ok=True)
    print(", ".join(f"{name} {value}" for name, value in describe().items() if name in ("machine", "compiler", "commit")))
    print(f"nanoseconds of a call, the median (least, most) of {ROUNDS} undisturbed rounds of {COUNT:,}")
    figures = {}
    for make in (PerigeeDictionary, NginxDictionary):
        for workers in (1, 2):
            server = make(workers)
            try:
                server.prepare()
                figures[server.name, workers] = measure(server)
            except ServerError as failure:
                print(f"{server.name}: {failure}")
                continue
            for what, seen in figures[server.name, workers].items():
                print(f"  {server.name:10} {workers} worker{'s' if workers > 1 else ' '}  {what:11}"
                      f"{statistics.median(seen):7.1f}  ({min(seen):.1f}, {max(seen):.1f})", flush=True)
    lines = broken(figures) if ("perigee", 2) in figures else ["perigee: not measured"]
    for line in lines:
        print(f"budget broken: {line}")
    if not lines:
        print("all budgets held")
    return 1 if lines and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
