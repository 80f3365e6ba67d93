"""User instructions of one request: by the processor's counters where there are any, else by callgrind."""

import functools
import pathlib
import re
import shutil
import signal
import subprocess
import time

from lib_load import load
from lib_machine import BUILD, ROOT
from lib_servers import Running

EVENT = "instructions:u"


class CountError(Exception):
    """Instructions cannot be counted."""


def counted_by_perf(text):
    """The number in the output of `perf stat -x,`, or None where the event is not supported."""
    match = re.search(rf"^(\d+),[^,]*,{re.escape(EVENT)}", text, re.MULTILINE)
    return int(match[1]) if match else None


@functools.cache
def perf_works():
    if shutil.which("perf") is None:
        return False
    result = subprocess.run(["perf", "stat", "-x,", "-e", EVENT, "true"], capture_output=True, text=True, check=False)
    return bool(counted_by_perf(result.stderr))


class Perf:
    """The processor's own counter, attached to the server while the counted requests run."""

    name = "perf"
    wrapper = ()
    warm, counted = 30_000, 200_000
    ATTACH_SECONDS = 0.5

    def around(self, pid, work):
        perf = subprocess.Popen(["perf", "stat", "-x,", "-e", EVENT, "-p", str(pid)], stderr=subprocess.PIPE, text=True)
        time.sleep(self.ATTACH_SECONDS)
        work()
        perf.send_signal(signal.SIGINT)
        total = counted_by_perf(perf.communicate()[1])
        if total is None:
            raise CountError("perf stat counted nothing")
        return total

    def program(self, argv):
        """All instructions of a program that ends by itself."""
        result = subprocess.run(["perf", "stat", "-x,", "-e", EVENT, *argv], cwd=ROOT, capture_output=True, text=True,
                                check=False)
        total = counted_by_perf(result.stderr)
        if result.returncode != 0 or total is None:
            raise CountError(f"{argv[0]}: perf stat counted nothing")
        return total


class Callgrind:
    """Valgrind's simulated processor. It is switched on when the server is warm, so start-up is not in the count."""

    name = "callgrind"
    warm, counted = 3_000, 10_000

    def __init__(self):
        if shutil.which("valgrind") is None:
            raise CountError("neither hardware counters nor valgrind here")
        self.out = BUILD / "callgrind.out"
        tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.out}"]
        self.wrapper = (*tool, "--instr-atstart=no")
        self.whole = (*tool,)

    def marked(self, argv):
        """Those of a program from where it says CALLGRIND_START_INSTRUMENTATION."""
        return self.program(argv, self.wrapper)

    def around(self, pid, work):
        self._forget()
        self._monitor(pid, "instrumentation on")
        work()
        self._monitor(pid, "dump")
        return self._total(pathlib.Path(f"{self.out}.1"))

    def program(self, argv, wrapper=None):
        self._forget()
        result = subprocess.run([*(wrapper or self.whole), *argv], cwd=ROOT, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise CountError(f"{argv[0]}: {result.stderr.strip().splitlines()[-1]}")
        return self._total(self.out)

    def _monitor(self, pid, order):
        command = ["timeout", "60", "vgdb", f"--pid={pid}", *order.split()]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise CountError(f"vgdb {order}: {result.stderr.strip() or 'no answer'}")

    def _forget(self):
        for old in (ROOT / BUILD).glob("callgrind.out*"):
            old.unlink()

    def _total(self, file):
        match = re.search(r"^totals: (\d+)", (ROOT / file).read_text(), re.MULTILINE)
        if match is None:
            raise CountError(f"{file} has no total")
        return int(match[1])


@functools.cache
def counter():
    return Perf() if perf_works() else Callgrind()


def instructions_per_request(server, scenario, core):
    """Those of the server's process alone, warm, at 64 connections."""
    count, body = counter(), server.body(scenario)
    with Running(server, core, wrapper=count.wrapper) as running:
        scenario.begin(running)
        load(running, scenario, body, requests=count.warm)
        total = count.around(running.pid, lambda: load(running, scenario, body, requests=count.counted))
    return total / count.counted


def instructions_per_pass(program, scenario):
    """Those of parser and scanner: the difference of two runs, so that their start is not in it."""
    few, many = 1_000, 11_000
    totals = [counter().program([str(program), scenario.path, str(passes)]) for passes in (few, many)]
    return (totals[1] - totals[0]) / (many - few)


def instructions_per_operation(program, what, living, count=20_000):
    """Those of one operation of the sessions' store among so many sessions; callgrind's, which sees where they begin."""
    return Callgrind().marked([str(program), what, str(living), str(count)]) / count
