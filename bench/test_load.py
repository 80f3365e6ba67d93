#!/usr/bin/env python3
"""The bench's own instruments: the client counts right, sees wrong answers, and the floor answers."""

import contextlib
import itertools
import json
import pathlib
import socket
import subprocess
import threading
import types
import unittest

from lib_build import build
from lib_load import command
from lib_machine import ROOT, cores
from lib_scenarios import HELLO, SCENARIOS
from lib_servers import Floor, Running

SCENARIO = {scenario.name: scenario for scenario in SCENARIOS}


def run_client(server, name="hello", *more, body=HELLO, requests=2000):
    argv = [*command(server, SCENARIO[name], body, requests=requests), *more]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)


@contextlib.contextmanager
def answering(*answers, close=False):
    """A server that gives one of `answers` after the other, one for each request it was sent, whatever it was."""
    def serve(connection):
        turns = itertools.cycle(answers)
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
        for name in SCENARIO:
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
