#!/usr/bin/env python3
"""The bench's own instruments: the clients count right and see wrong answers, the open loop counts from when a request
was due, and the floor answers."""

import contextlib
import itertools
import json
import pathlib
import socket
import subprocess
import threading
import time
import types
import unittest

from lib_build import build
from lib_load import command, open_command
from lib_machine import ROOT, cores
from lib_scenarios import HELLO, SCENARIOS
from lib_servers import Floor, Running

SCENARIO = {scenario.name: scenario for scenario in SCENARIOS}


def run_client(server, name="hello", *more, body=HELLO, requests=2000):
    argv = [*command(server, SCENARIO[name], body, requests=requests), *more]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)


def run_open(server, rate, seconds, connections, *more, body=HELLO):
    argv = open_command(server, SCENARIO["hello"], body, rate=rate, seconds=seconds, connections=connections)
    return subprocess.run([*argv, *more], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


class Stall:
    """Answers that come one at a time; one of them keeps all the others waiting."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, World!"

    def __init__(self, at, seconds):
        self.lock, self.at, self.seconds, self.given = threading.Lock(), at, seconds, 0

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            self.given += 1
            if self.given == self.at:
                time.sleep(self.seconds)
            return self.ANSWER


@contextlib.contextmanager
def answering(*answers, close=False):
    """A server that gives one of `answers` after the other, one for each request it was sent, whatever it was. Or those
    of a Stall."""
    def serve(connection):
        turns = answers[0] if isinstance(answers[0], Stall) else itertools.cycle(answers)
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(b"".join(next(turns) for _ in range(data.count(b"\r\n\r\n"))))
                if close:
                    return

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield types.SimpleNamespace(port=listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)


class Requests(unittest.TestCase):
    def test_every_request_has_its_size_and_one_end(self):
        for file, size in {"hello.txt": 40, "typed.txt": 105, "browser.txt": 355}.items():
            data = (pathlib.Path(__file__).parent / "requests" / file).read_bytes()
            self.assertEqual(len(data), size, file)
            self.assertTrue(data.endswith(b"\r\n\r\n"), file)
            self.assertEqual(data.count(b"\r\n\r\n"), 1, file)
            self.assertEqual(data.count(b"\n"), data.count(b"\r\n"), file)


class AgainstTheFloor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build("floor")
        cls.floor = Running(Floor(), cores()[0])
        cls.addClassCleanup(cls.floor.stop)

    def report(self, *arguments, **keywords):
        result = run_client(self.floor, *arguments, **keywords)
        return result.returncode, json.loads(result.stdout)

    def test_every_request_is_counted(self):
        for name in (name for name, scenario in SCENARIO.items() if not scenario.ours):
            status, report = self.report(name)
            self.assertEqual((status, report["requests"], report["errors"]), (0, 2000, 0), name)
            self.assertGreater(report["rps"], 0)
            self.assertLessEqual(report["p50_us"], report["p99_us"])
            self.assertLessEqual(report["p999_us"], report["max_us"])

    def test_fewer_requests_than_connections(self):
        status, report = self.report(requests=3)
        self.assertEqual((status, report["requests"]), (0, 3))

    def test_another_body_is_an_error(self):
        status, report = self.report(body="Hello, Moon!!")
        self.assertEqual((status, report["requests"]), (1, 0))
        self.assertGreater(report["errors"], 1000)

    def test_idle_connections_are_held_until_the_input_ends(self):
        result = run_client(self.floor, "hello", "--idle", "--connections", "200", "--sources", "4")
        self.assertEqual(json.loads(result.stdout), {"connections": 200, "requests": 200, "errors": 0})


    def test_a_new_connection_for_every_request(self):
        status, report = self.report("hello", "--churn", "--connections", "3", requests=500)
        self.assertEqual((status, report["requests"], report["errors"], report["reconnects"]), (0, 500, 0, 0))


class OpenLoop(unittest.TestCase):
    RATE, SECONDS = 400, 1.5

    def ask(self, *answers, **keywords):
        with answering(*answers, **keywords) as server:
            result = run_open(server, self.RATE, self.SECONDS, 8)
        return result.returncode, json.loads(result.stdout)

    def test_latency_counts_from_when_a_request_was_due(self):
        stalled = 0.5
        status, report = self.ask(Stall(at=200, seconds=stalled))
        self.assertEqual((status, report["errors"]), (0, 0))
        # Of all requests a third was due while nobody answered, and a fifth had to wait for at least 0.2 s of it.
        self.assertGreater(report["p90_us"], 200_000)
        self.assertGreater(report["max_us"], stalled * 0.9e6)
        self.assertLess(report["service_p50_us"], report["p90_us"])

    def test_as_many_are_asked_of_a_slow_server_as_of_a_fast_one(self):
        _, slow = self.ask(Stall(at=100, seconds=0.5))
        _, fast = self.ask(Stall(at=0, seconds=0))
        self.assertEqual(slow["requests"], fast["requests"])
        self.assertGreater(fast["requests"], self.RATE * self.SECONDS / 2)

    def test_percentiles_are_in_order(self):
        _, report = self.ask(Stall.ANSWER)
        keys = ("p25", "p50", "p75", "p90", "p95", "p99", "p999", "max")
        values = [report[f"{key}_us"] for key in keys]
        self.assertEqual(values, sorted(values))
        self.assertAlmostEqual(report["iqr_us"], report["p75_us"] - report["p25_us"], delta=0.2)

    def test_a_wrong_answer_is_an_error(self):
        status, report = self.ask(Stall.ANSWER.replace(b"200 OK", b"500 No"))
        self.assertEqual((status, report["requests"]), (1, 0))
        self.assertGreater(report["errors"], 0)

    def test_a_server_that_hangs_up_ends_the_run(self):
        status, report = self.ask(Stall.ANSWER[:-4], close=True)
        self.assertEqual((status, report["requests"]), (1, 0))


class AgainstAWrongServer(unittest.TestCase):
    def errors(self, answer, **keywords):
        with answering(answer, **keywords) as server:
            result = run_client(server, requests=100)
        self.assertEqual(result.returncode, 1)
        return json.loads(result.stdout)

    def test_another_status_is_an_error(self):
        report = self.errors(b"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\nHello, World!")
        self.assertEqual((report["requests"], report["errors"]), (0, 100))

    def test_an_answer_without_a_length_is_an_error(self):
        report = self.errors(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nHello, World!")
        self.assertEqual((report["requests"], report["errors"]), (0, 100))

    def test_a_half_answer_before_the_end_is_an_error(self):
        report = self.errors(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello", close=True)
        self.assertEqual((report["requests"], report["errors"]), (0, 100))

    def test_more_answers_than_requests_are_errors(self):
        report = self.errors(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, World!" * 2)
        self.assertGreater(report["errors"], 0)

    def test_heads_that_change_are_read_anew(self):
        answers = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
                   b"HTTP/1.1 200 OK\r\nContent-Length: 02\r\n\r\nok"]
        wrong = b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok"
        with answering(*answers) as server:
            good = run_client(server, "hello", "--connections", "1", "--depth", "3", body="ok", requests=100)
        with answering(*answers, wrong, answers[0]) as server:
            bad = run_client(server, "hello", "--connections", "1", "--depth", "3", body="ok", requests=100)
        self.assertEqual((json.loads(good.stdout)["requests"], json.loads(good.stdout)["errors"]), (100, 0))
        self.assertEqual((json.loads(bad.stdout)["requests"], json.loads(bad.stdout)["errors"]), (75, 25))


if __name__ == "__main__":
    unittest.main()
