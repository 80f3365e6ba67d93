"""Runs the client, build/bench/load, against a server."""

import json
import subprocess

from lib_build import build
from lib_machine import ROOT, cores

CONNECTIONS = 64


class LoadError(Exception):
    """The client could not do its work, or the server answered wrongly."""


# The client's command line; a body of None takes any, as long as it is whole and its status 200.
def command(running, scenario, body, *, connections=CONNECTIONS, requests=None, seconds=None):
    bound = ["--requests", str(requests)] if requests else ["--seconds", str(seconds)]
    exactly = ["--body", body] if body is not None else []
    return [str(build("load")), "--port", str(running.port), "--request", scenario.path, *exactly,
            "--connections", str(connections), "--depth", str(scenario.depth), "--core", str(cores()[1]), *bound]


def load(running, scenario, body, **bounds):
    """One run of the client; what it reports as a dictionary."""
    result = subprocess.run(command(running, scenario, body, **bounds), cwd=ROOT, capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        said = (result.stderr.strip() or result.stdout.strip() or "nothing").splitlines()[-1]
        raise LoadError(f"{running.name}, {scenario.name}: the client says {said}")
    return json.loads(result.stdout)


class Idle:
    """Connections that each made one request and now say nothing, until the with block ends."""

    SOURCES = 8  # addresses to connect from

    def __init__(self, running, scenario, body, connections):
        self.argv = [*command(running, scenario, body, connections=connections, seconds=0), "--idle",
                     "--sources", str(self.SOURCES)]
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
