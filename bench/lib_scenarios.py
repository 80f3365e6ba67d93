"""What is asked: the same bytes of every server, and the body every server must answer with."""

from dataclasses import dataclass

from lib_machine import SOURCE

HELLO = "Hello, World!"


@dataclass(frozen=True)
class Scenario:
    name: str
    file: str
    body: str
    depth: int = 1
    ours: bool = False  # asked of Perigee alone, for its instructions: the peers have nothing like it

    @property
    def path(self):
        return f"{SOURCE}/requests/{self.file}"


SCENARIOS = [
    Scenario("hello", "hello.txt", HELLO),
    Scenario("typed", "typed.txt", "Hello, World!"),
    Scenario("browser", "browser.txt", HELLO),
    Scenario("pipelined", "hello.txt", HELLO, depth=16),
    Scenario("middleware", "middleware.txt", HELLO, ours=True),
    Scenario("waits", "waits.txt", HELLO, ours=True),
    Scenario("bare", "bare.txt", HELLO, ours=True),
    Scenario("specs", "specs.txt", HELLO, ours=True),
    Scenario("json", "json.txt", HELLO, ours=True),
]
