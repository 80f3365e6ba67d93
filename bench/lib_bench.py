"""What every part of a run is given: how much effort, which servers and scenarios, and where failures are noted."""

import contextlib
import dataclasses
import sys

from lib_build import BuildError
from lib_count import CountError, instructions_per_request
from lib_load import LoadError
from lib_machine import cores, raise_descriptor_limit
from lib_servers import Perigee, Running, ServerError

FAILURES = (BuildError, CountError, LoadError, ServerError)


@dataclasses.dataclass(frozen=True)
class Effort:
    name: str
    rounds: int
    seconds: float             # of a round
    warm: float                # of each scenario before the first round
    latency_runs: int          # of the open loop
    latency_seconds: float
    sweep_rounds: int          # of each number of connections, and of workers
    sweep_seconds: float
    stress_seconds: float
    reload_seconds: float
    workload_rounds: int
    micro_repetitions: int
    sessions: tuple            # how many live while the store is counted
    counted_of_peers: tuple    # the scenarios whose instructions are counted of peers; () for all


FULL = Effort("full", rounds=5, seconds=1, warm=1, latency_runs=9, latency_seconds=2, sweep_rounds=3, sweep_seconds=0.7,
              stress_seconds=60, reload_seconds=8, workload_rounds=7, micro_repetitions=9,
              sessions=(1_000, 1_000_000), counted_of_peers=())
QUICK = Effort("quick", rounds=3, seconds=0.2, warm=0.2, latency_runs=9, latency_seconds=0.3, sweep_rounds=1,
               sweep_seconds=0.2, stress_seconds=6, reload_seconds=2, workload_rounds=3, micro_repetitions=3,
               sessions=(1_000, 1_000_000), counted_of_peers=("hello", "browser", "churn"))


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """One run: asks for figures, keeps those it gets and the reason for those it does not."""

    def __init__(self, effort, servers, scenarios):
        self.effort = effort
        self.core = cores()[0]
        self.descriptors = raise_descriptor_limit()
        self.missing = []
        self.scenarios = scenarios
        self.servers = [server for server in servers if self.attempt(server.name, server.prepare) is not False]

    def attempt(self, what, work):
        """What work returns, or False when the figure cannot be had; why is noted."""
        try:
            return work()
        except FAILURES as failure:
            self.missing.append(f"{what}: {failure}")
            say(self.missing[-1])
            return False

    @property
    def compared(self):
        """The servers that stand beside each other, Perigee among them."""
        return [server for server in self.servers if server.compared]

    @property
    def ours(self):
        """Perigee, when it is measured at all."""
        return [server for server in self.servers if type(server) is Perigee]

    def instructions(self, server, scenario):
        say(f"instructions: {server.name}, {scenario.name}")
        return self.attempt(f"{server.name}, {scenario.name}, instructions",
                            lambda: instructions_per_request(server, scenario, self.core))

    @contextlib.contextmanager
    def running(self, servers):
        """[(server, process)] of those that start, all at once; they end with the block."""
        with contextlib.ExitStack() as stack:
            started = [(server, self.attempt(server.name, lambda s=server: stack.enter_context(Running(s, self.core))))
                       for server in servers]
            yield [(server, process) for server, process in started if process]
