"""More connections than the server has descriptors for: who is answered, who is refused, who hangs, and afterwards."""

import contextlib
import selectors
import socket
import time

from lib_bench import say
from lib_machine import ROOT
from lib_scenarios import BY_NAME
from lib_servers import Running
from lib_tables import Table

NAME, TITLE = "descriptors", "Descriptor limits"
DESCRIPTORS, CONNECTIONS = 256, 400
PATIENCE = 3.0       # seconds until a connection that was told nothing counts as hanging
FULL_SECONDS = 1.0   # over which the processor time of a full server is taken
HELLO = BY_NAME["hello"]
REQUEST = (ROOT / HELLO.path).read_bytes()


def ask_all(port, count, stack):
    """Asks on so many connections at once, and keeps them. {"answered": n, "refused": n, "hanging": n}"""
    found = {"answered": 0, "refused": 0, "hanging": count}
    with selectors.DefaultSelector() as selector:
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            selector.register(one, selectors.EVENT_WRITE)
        end = time.monotonic() + PATIENCE
        while found["hanging"] and (left := end - time.monotonic()) > 0:
            for key, ready in selector.select(left):
                word = step(selector, key.fileobj, ready)
                if word:
                    found[word] += 1
                    found["hanging"] -= 1
    return found


def step(selector, one, ready):
    """Sends or reads; what has come of the connection, once that is known."""
    try:
        if ready & selectors.EVENT_WRITE:
            one.send(REQUEST)
            selector.modify(one, selectors.EVENT_READ)
            return None
        words = one.recv(4096)
    except OSError:
        words = b""
    selector.unregister(one)
    return "answered" if words.startswith(b"HTTP/1.1 200") else "refused"


def overfill(server, core):
    limited = ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}")
    with Running(server, core, wrapper=limited, connections=CONNECTIONS) as running:
        with contextlib.ExitStack() as stack:
            ask_all(running.port, 1, stack)  # what is opened once is open
        with contextlib.ExitStack() as stack:
            found = ask_all(running.port, CONNECTIONS, stack)
            before = running.cpu_seconds()
            time.sleep(FULL_SECONDS)
            found["busy"] = (running.cpu_seconds() - before) / FULL_SECONDS
        with contextlib.ExitStack() as stack:
            found["asked"] = DESCRIPTORS // 4
            found["afterwards"] = ask_all(running.port, found["asked"], stack)["answered"]
    return found


def measure(bench):
    """The floor is not asked: it would not notice."""
    figures = {}
    for server in bench.compared:
        if server.name != "floor" and server.takes(HELLO):
            say(f"descriptors: {server.name}")
            found = bench.attempt(f"{server.name}, descriptors", lambda: overfill(server, bench.core))
            if found:
                figures[server.name] = found
    return figures


def tables(figures):
    columns = ["answered", "refused", "hanging", "processor, %", "answered afterwards"]
    rows = {name: dict(zip(columns, (found["answered"], found["refused"], found["hanging"], found["busy"] * 100,
                                     found["afterwards"]))) for name, found in figures.items()}
    title = f"{CONNECTIONS} connections at once to a server that may have {DESCRIPTORS} descriptors"
    return [Table(title, columns, rows,
                  "", f"Refused: ended, or told an error. Hanging: neither an answer nor an end within {PATIENCE:.0f} s. The "
                  "processor time is that of the full server while nobody asks. Afterwards: when all have gone, "
                  f"{DESCRIPTORS // 4} are asked.", "")]
