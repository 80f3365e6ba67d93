"""Who is measured: one line a server. Another peer is one more line here, or `--peer` on the command line."""

import shlex
import subprocess

from lib_machine import BUILD, ROOT, SOURCE, first_line
from lib_nginx import NginxLua
from lib_nginx_static import NginxStatic
from lib_servers import Floor, LoggingPerigee, Perigee, ServerError, TimedPerigee, free_port


class Program:
    """A server that is a program of its own. It says `listening on http://127.0.0.1:PORT`, or is told a {port}."""

    compared = True
    version = ""

    def __init__(self, name, command, takes=("hello",), make="", version="", environment=None):
        self.name, self.words, self.taken = name, shlex.split(command), takes
        self.make, self.asked_version = shlex.split(make), shlex.split(version)
        self.variables = environment or {}

    def takes(self, scenario):
        return scenario.name in self.taken

    def prepare(self):
        if self.make:
            self.build()
        if self.asked_version:
            self.version = first_line(*self.asked_version)
        program = self.words[0]
        if first_line("sh", "-c", f"command -v {shlex.quote(program)}") == "":
            raise ServerError(f"there is no {program}")

    def build(self):
        try:
            result = subprocess.run(self.make, cwd=ROOT, capture_output=True, text=True, check=False)
        except OSError as failure:
            raise ServerError(f"cannot be built: {self.make[0]}: {failure.strerror}") from failure
        if result.returncode != 0:
            raise ServerError(f"cannot be built: {(result.stderr.strip().splitlines() or ['no reason given'])[0]}")

    def body(self, scenario):
        return scenario.body

    def command(self, connections):
        if any("{port}" in word for word in self.words):
            self.port = free_port()
            return [word.replace("{port}", str(self.port)) for word in self.words]
        return self.words

    def environment(self):
        return self.variables


IN_GO = ("hello", "typed", "browser", "large head", "pipelined", "churn", "json answer", "dictionary")
# Callgrind does not survive the signals that goroutines are preempted by.
GO = Program("go", str(BUILD / "hello_go"), IN_GO, f"go build -o {BUILD}/hello_go {SOURCE}/go/hello.go", "go version",
             {"GODEBUG": "asyncpreemptoff=1"})
ALL = [Perigee(), LoggingPerigee(), TimedPerigee(), NginxLua(), NginxStatic(), GO, Floor()]


def named(text):
    """NAME=COMMAND, as --peer has it: asked for hello, and for what has the same answer."""
    name, found, command = text.partition("=")
    if not found or not name or not command.strip():
        raise ValueError(f"--peer wants NAME=COMMAND, not '{text}'")
    return Program(name, command, ("hello", "browser", "large head", "pipelined", "churn"))
