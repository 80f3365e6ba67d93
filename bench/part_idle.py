"""Resident memory of an idle keep-alive connection."""

import lib_memory
from lib_bench import say
from lib_scenarios import BY_NAME
from lib_tables import Table

NAME, TITLE = "idle", "Idle connections"
CONNECTIONS = 10_000


def measure(bench):
    figures = {}
    for server in bench.compared:
        say(f"idle connections: {server.name}")
        figure = bench.attempt(f"{server.name}, idle", lambda: lib_memory.idle_bytes(
            server, BY_NAME["hello"], bench.core, CONNECTIONS, bench.descriptors))
        if figure:
            figures[server.name] = figure
    return figures


def tables(figures):
    rows = {name: {"bytes a connection": figure["each"], "connections": f"{figure['connections']:,}"}
            for name, figure in figures.items()}
    return [Table("Idle keep-alive connection", ["bytes a connection", "connections"], rows, "resident",
                  chart="bars", charted=["bytes a connection"],
                  note="In the server's process, after each connection has had one answer.")]
