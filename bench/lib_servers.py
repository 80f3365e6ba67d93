"""The servers that are compared, and one running process of one of them."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from lib_build import build
from lib_machine import BUILD, ROOT, SOURCE
from lib_scenarios import HELLO

START_SECONDS = 90  # under callgrind a start takes its time
STOP_SECONDS = 20
LISTENING = re.compile(r"listening on http://[0-9.]+:(\d+)")


class ServerError(Exception):
    """A server is missing, does not start or does not stop."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Perigee:
    """Perigee with bench/app.lua, one worker."""

    name = "perigee"
    compared = True  # beside the peers in every part
    workers = 1
    binary = "build/release/perigee"
    access_log = "off"
    app = "app.lua"
    settings = ()

    def takes(self, scenario):
        return True

    def prepare(self):
        if not (ROOT / self.binary).exists():
            raise ServerError(f"{self.binary} is not built")

    def body(self, scenario):
        return scenario.body

    def command(self, connections):
        limits = [f"limits.connections={connections}", "limits.connections_per_address=0"]
        settings = [f"log.access={self.access_log}", *limits, *self.settings]
        return [self.binary, "serve", "-c", f"{SOURCE}/server.toml", "--app", f"{SOURCE}/{self.app}",
                "--listen", "127.0.0.1:0", "--workers", str(self.workers), "--admin", "off",
                *(word for setting in settings for word in ("--set", setting))]

    def environment(self):
        return {}


class LoggingPerigee(Perigee):
    """Perigee with the access log on. The log is large: one scenario, and none is kept."""

    name = "perigee, access log"
    compared = False
    access_log = f"{BUILD}/access.log"

    def takes(self, scenario):
        return scenario.name == "hello"

    def forget(self):
        (ROOT / self.access_log).unlink(missing_ok=True)


class TimedPerigee(Perigee):
    """Perigee with 100,000 timers that wait."""

    name = "perigee, 100,000 timers"
    compared = False
    app = "timers.lua"

    def takes(self, scenario):
        return scenario.name == "hello"


class Floor:
    """bench/floor.c: what the socket calls cost alone."""

    name = "floor"
    compared = True

    def takes(self, scenario):
        return scenario.plain

    def prepare(self):
        build("floor")

    def body(self, scenario):
        return HELLO  # it reads nothing and always answers the same

    def command(self, connections):
        return [str(BUILD / "floor")]

    def environment(self):
        return {}


def listens(port):
    """Whether somebody listens on that port of 127.0.0.1, found out without connecting."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return any(row[1] == f"0100007F:{port:04X}" and row[3] == "0A" for row in rows)


class Running:
    """A started server: its pid, its port, and its end."""

    def __init__(self, server, core, wrapper=(), connections=20000, stdin=subprocess.DEVNULL):
        """Runs on that core; on any with None."""
        self.name = server.name
        self.argv = [*wrapper, *server.command(connections)]
        known_port = getattr(server, "port", None)
        if known_port is not None and listens(known_port):
            raise ServerError(f"{self.name}: port {known_port} is in use")
        self.log = ROOT / BUILD / f"{server.name}.log"
        self.process = self._start(server, core, stdin)
        self.pid = self.process.pid
        try:
            self.port = self._wait_until_listening(known_port)
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _start(self, server, core, stdin):
        (ROOT / BUILD).mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as log:
            try:
                return subprocess.Popen(
                    self.argv, cwd=ROOT, env={**os.environ, **server.environment()}, stdin=stdin, stdout=log, stderr=log,
                    start_new_session=True, preexec_fn=lambda: core is None or os.sched_setaffinity(0, {core}))
            except OSError as failure:
                raise ServerError(f"{self.name} cannot be started: {failure.strerror}") from failure

    def _wait_until_listening(self, known_port):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise ServerError(f"{self.name} ended at once: {self.last_words()}")
            port = known_port or self._port_in_log()
            if port is not None and listens(port):
                return port
            time.sleep(0.02)
        raise ServerError(f"{self.name} is not listening after {START_SECONDS} s: {self.last_words()}")

    def _port_in_log(self):
        match = LISTENING.search(self.log.read_text(errors="replace"))
        return int(match[1]) if match else None

    def last_words(self):
        """The last line of its own; valgrind's begin with ==."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip(" =")]
        own = [line for line in lines if not line.startswith("==")] or lines
        return own[-1] if own else "it said nothing"

    def kernel_share(self, work):
        """What `work` returns, and which share of the processor time that the server took meanwhile was the kernel's: by
        the clock's ticks, so of a second and more."""
        before = self._ticks()
        result = work()
        user, kernel = (now - then for now, then in zip(self._ticks(), before))
        return result, kernel / max(user + kernel, 1)

    def _ticks(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return int(fields[11]), int(fields[12])

    def cpu_seconds(self):
        """User and system time of all its threads, to the nanosecond where the kernel has it."""
        try:
            threads = pathlib.Path(f"/proc/{self.pid}/task").glob("*/schedstat")
            return sum(int(thread.read_text().split()[0]) for thread in threads) * 1e-9
        except (OSError, IndexError):
            return sum(self._ticks()) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
