"""Resident memory of an idle keep-alive connection."""

import time

from lib_load import Idle, load
from lib_servers import Running

SETTLE_SECONDS = 1
SPARE_DESCRIPTORS = 200


def idle_bytes(server, scenario, core, connections, descriptors):
    """What 10,000 connections add to a warm server once each has had one answer; the kernel's share is not in it."""
    connections = min(connections, descriptors - SPARE_DESCRIPTORS)
    body = server.body(scenario)
    with Running(server, core, connections=20000) as running:
        load(running, scenario, body, requests=20_000)
        time.sleep(SETTLE_SECONDS)
        before = running.resident_bytes()
        with Idle(running, scenario, body, connections):
            time.sleep(SETTLE_SECONDS)
            after = running.resident_bytes()
    return {"connections": connections, "before": before, "after": after, "each": (after - before) / connections}
