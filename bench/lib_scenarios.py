"""What is asked: the same bytes of every server, and the body every server must answer with."""

import http.client
from dataclasses import dataclass

from lib_machine import BUILD, ROOT, SOURCE

HELLO = "Hello, World!"


@dataclass(frozen=True)
class Scenario:
    name: str
    file: str
    body: str
    depth: int = 1
    churn: bool = False  # a new connection for every request
    plain: bool = False  # a server that answers everything with the same words can answer it
    ours: bool = False  # asked of Perigee alone: the peers have nothing like it
    timed: bool = True  # in the rounds too, not only counted

    @property
    def path(self):
        return f"{SOURCE}/requests/{self.file}"

    def begin(self, running):
        """Does what must be done at a running server before the requests."""


@dataclass(frozen=True)
class SessionScenario(Scenario):
    """A request with the cookie of a session, which is made when the server runs."""

    @property
    def path(self):
        return f"{BUILD}/requests/{self.file}"

    def begin(self, running):
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
        connection.request("GET", "/session/begin")
        cookie = connection.getresponse().getheader("set-cookie").partition(";")[0]
        connection.close()
        (ROOT / BUILD / "requests").mkdir(parents=True, exist_ok=True)
        head = f"GET /session/{self.name.split()[-1]} HTTP/1.1\r\nHost: localhost:8080\r\nCookie: {cookie}\r\n\r\n"
        (ROOT / self.path).write_bytes(head.encode())


SCENARIOS = [
    Scenario("hello", "hello.txt", HELLO, plain=True),
    Scenario("typed", "typed.txt", HELLO, plain=True),
    Scenario("browser", "browser.txt", HELLO, plain=True),
    Scenario("large head", "large.txt", HELLO, plain=True),
    Scenario("pipelined", "hello.txt", HELLO, plain=True, depth=16),
    Scenario("churn", "hello.txt", HELLO, plain=True, churn=True),
    Scenario("json answer", "message.txt", '{"message":"Hello, World!"}'),
    Scenario("dictionary", "count.txt", HELLO),
    Scenario("json", "json.txt", HELLO, ours=True),
    SessionScenario("session read", "session_read.txt", HELLO, ours=True),
    SessionScenario("session skip", "session_skip.txt", HELLO, ours=True, timed=False),
    Scenario("middleware", "middleware.txt", HELLO, ours=True, timed=False),
    Scenario("waits", "waits.txt", HELLO, ours=True, timed=False),
    Scenario("bare", "bare.txt", HELLO, ours=True, timed=False),
    Scenario("specs", "specs.txt", HELLO, ours=True, timed=False),
]
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
