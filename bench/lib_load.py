"""Runs the clients against a server: build/bench/load, a closed loop, and build/bench/open, an open one."""

import json
import subprocess

from lib_build import build
from lib_machine import ROOT, cores

CONNECTIONS = 64
SOURCES = 8  # addresses to connect from, where one has too few ports
PORTS_OF_AN_ADDRESS = 5_000  # fewer than there are, because those of the connections before are still held


class LoadError(Exception):
    """The client could not do its work, or the server answered wrongly."""


def asked(running, scenario, body, connections):
    """What both clients are told. A body of None takes any, as long as it is whole and its status 200."""
    exactly = ["--body", body] if body is not None else []
    many = scenario.churn or connections > PORTS_OF_AN_ADDRESS
    sources = ["--sources", str(SOURCES)] if many else []
    return ["--port", str(running.port), "--request", scenario.path, *exactly, "--connections", str(connections),
            "--core", str(cores()[1]), *sources]


def command(running, scenario, body, *, connections=CONNECTIONS, requests=None, seconds=None):
    bound = ["--requests", str(requests)] if requests else ["--seconds", str(seconds)]
    churn = ["--churn"] if scenario.churn else []
    return [str(build("load")), *asked(running, scenario, body, connections), "--depth", str(scenario.depth), *churn,
            *bound]


def open_command(running, scenario, body, *, rate, seconds, connections=CONNECTIONS):
    return [str(build("open")), *asked(running, scenario, body, connections), "--rate", str(rate), "--seconds",
            str(seconds)]


def run(running, scenario, argv):
    """One run of a client; what it reports as a dictionary."""
    result = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        said = (result.stderr.strip() or result.stdout.strip() or "nothing").splitlines()[-1]
        raise LoadError(f"{running.name}, {scenario.name}: the client says {said}")
    return json.loads(result.stdout)


def load(running, scenario, body, **bounds):
    return run(running, scenario, command(running, scenario, body, **bounds))


def open_load(running, scenario, body, **bounds):
    """At a given rate. Whether the server keeps up or not is for the latencies to say."""
    return run(running, scenario, open_command(running, scenario, body, **bounds))


class Idle:
    """Connections that each made one request and now say nothing, until the with block ends."""

    def __init__(self, running, scenario, body, connections):
        self.argv = [*command(running, scenario, body, connections=connections, seconds=0), "--idle",
                     "--sources", str(SOURCES)]
        self.name = running.name

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line or json.loads(line)["errors"]:
            self.__exit__()
            raise LoadError(f"{self.name}, idle: {line.strip() or self.process.stderr.read().strip()}")
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
