"""The access log and the error log."""

import json
import os
import re
import signal
import unittest

from harness import Server, ServerCase, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
app:get("/", function() return "twelve bytes" end)
app:get("/healthz", function() return "ok" end)
app:get("/created", function() return 201, "x" end)
app:get("/print/{text}", function(req) print("printed " .. req.params.text) return "ok" end)
app:get("/control", function() print("one\\ntwo\\r\\27[31mred\\0end\\127") return "ok" end)
app:get("/fail", function() error("it failed") end)
return app
"""

COMBINED = re.compile(r'^(\S+) (\S+) (\S+) \[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-) '
                      r'"((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"')


class AccessLog(ServerCase):
    def lines(self, server, count, name="access.log"):
        """The lines of a log file, once there are so many."""
        path = server.directory / name

        def enough():
            if not path.exists():
                return None
            lines = path.read_text(errors="surrogateescape").splitlines()
            return lines if len(lines) >= count else None
        return wait_until(enough, f"{count} lines in {name}")

    def serve(self, **settings):
        settings = {name.replace("__", "."): value for name, value in settings.items()}
        return self.start(APP, settings={"log.access": "{dir}/access.log", **settings})

    def test_combined_lines_say_who_asked_what_and_got_what(self):
        server = self.serve()
        server.fetch("GET", "/?x=1", [("Referer", "http://r.example/"), ("User-Agent", "tester/1.0")])
        server.fetch("GET", "/nowhere", version="HTTP/1.0")
        first, second = self.lines(server, 2)
        match = COMBINED.match(first)
        self.assertIsNotNone(match, first)
        self.assertEqual(match.group(1), "127.0.0.1")
        self.assertEqual(match.group(5), "GET /?x=1 HTTP/1.1")
        self.assertEqual((match.group(6), match.group(7)), ("200", "12"))
        self.assertEqual((match.group(8), match.group(9)), ("http://r.example/", "tester/1.0"))
        self.assertEqual(COMBINED.match(second).group(5), "GET /nowhere HTTP/1.0")
        self.assertEqual(COMBINED.match(second).group(6), "404")

    def test_json_lines_hold_the_same(self):
        server = self.serve(log__access_format="json")
        server.fetch("GET", "/created", [("User-Agent", 'quote " and \\ and \x80')])
        entry = json.loads(self.lines(server, 1)[0])
        values = list(entry.values())
        self.assertIn("/created", values)
        self.assertIn("GET", values)
        self.assertIn(201, values)

    def test_every_request_is_one_line_and_none_is_lost_at_the_end(self):
        server = self.serve()
        path = server.directory / "access.log"
        with server.client() as client:
            for _ in range(2000):
                client.get("/")
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait_exit(), 0)
        lines = path.read_text().splitlines()
        self.assertEqual(len(lines), 2000)
        self.assertTrue(all(COMBINED.match(line) for line in lines))

    def test_the_default_is_standard_output(self):
        server = self.start(APP, settings={"log.access": None})
        server.get("/")
        server.stdout.wait(r'"GET / HTTP/1\.1" 200 12')

    def test_off_writes_nothing(self):
        server = self.start(APP, settings={"log.access": "off"})
        server.get("/")
        server.stop()
        self.assertEqual(server.stdout.text, "")

    def test_healthz_is_left_out(self):
        server = self.serve()
        server.get("/healthz")
        server.get("/healthz?probe=1")
        server.get("/")
        self.assertEqual(["GET / HTTP/1.1"], [COMBINED.match(line).group(5) for line in self.lines(server, 1)])

    def test_the_paths_left_out_are_an_option(self):
        server = self.start(APP, config='[log]\naccess_skip = ["/created"]\n', settings={"log.access": "{dir}/access.log"})
        server.get("/created")
        server.get("/healthz")
        self.assertEqual(["GET /healthz HTTP/1.1"], [COMBINED.match(line).group(5) for line in self.lines(server, 1)])

    def test_sigusr1_reopens_the_file(self):
        server = self.serve()
        server.get("/?before")
        self.lines(server, 1)
        os.rename(server.directory / "access.log", server.directory / "access.log.1")
        server.signal(signal.SIGUSR1)
        wait_until((server.directory / "access.log").exists, "the new file")
        server.get("/?after")
        self.assertIn("/?after", self.lines(server, 1)[0])
        self.assertEqual(len(self.lines(server, 1, "access.log.1")), 1)

    def test_what_a_client_sends_cannot_break_a_line(self):
        server = self.serve()
        with server.client() as client:
            client.send(b'GET /?"%0a\' HTTP/1.1\r\nHost: a\r\nUser-Agent: a"b\\c\td\x80\xff\r\nReferer: "\r\n\r\n')
            client.read_response()
        line = self.lines(server, 1)[0]
        self.assertIsNotNone(COMBINED.match(line), line)
        self.assertFalse(re.search(r"[\x00-\x1f\x7f]", line), line)
        self.assertNotRegex(COMBINED.match(line).group(9), r'(?<!\\)"')

    def test_secrets_are_not_written(self):
        server = self.serve(log__access_format="json")
        server.fetch("GET", "/", [("Cookie", "id=s3cret-cookie"), ("Authorization", "Bearer s3cret-token")])
        self.assertNotIn("s3cret", self.lines(server, 1)[0])

    def test_refused_requests_are_logged_too(self):
        server = self.serve()
        with server.client() as client:
            client.send("GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(client.read_response().status, 400)
        self.assertIn(" 400 ", self.lines(server, 1)[0])


class ErrorLog(ServerCase):
    def test_print_logs_at_info(self):
        server = self.start(APP)
        server.get("/print/hello")
        self.assertRegex(server.stderr.wait(r"^.*printed hello.*$").group(0).lower(), r"\binfo\b")

    def test_control_characters_are_escaped_and_an_event_is_one_line(self):
        for form in ("text", "json"):
            server = self.start(APP, settings={"log.format": form})
            since = len(server.stderr.text)
            server.get("/control")
            server.get("/print/last")
            server.stderr.wait("printed last.*\n", since=since)
            lines = server.stderr.text[since:].splitlines()
            self.assertEqual(len(lines), 2, lines)
            self.assertIn("one", lines[0])
            self.assertIn("end", lines[0])
            self.assertNotRegex(lines[0], r"[\x00-\x1f\x7f]")

    def test_json_events_are_objects_with_level_message_and_request(self):
        server = self.start(APP, settings={"log.format": "json"})
        problem = server.get("/fail").json()
        event = json.loads(server.stderr.wait(r"^.*it failed.*$").group(0))
        self.assertEqual(event["level"], "error")
        self.assertIn("it failed", event["message"])
        self.assertIn(problem["request_id"], event.values())

    def test_less_serious_events_than_the_level_are_left_out(self):
        server = self.start(APP, settings={"log.level": "error"})
        server.get("/print/hello")
        server.get("/fail")
        server.stderr.wait("it failed")
        self.assertNotIn("printed hello", server.stderr.text)

    def test_the_error_log_may_be_a_file_that_sigusr1_reopens(self):
        server = self.start(APP, settings={"log.error": "{dir}/error.log"})
        path = server.directory / "error.log"
        server.get("/print/before")
        wait_until(lambda: path.exists() and "printed before" in path.read_text(), "the first event")
        os.rename(path, server.directory / "error.log.1")
        server.signal(signal.SIGUSR1)
        wait_until(path.exists, "the new file")
        server.get("/print/after")
        wait_until(lambda: "printed after" in path.read_text(), "the second event")

    def test_a_log_file_that_cannot_be_opened_is_a_start_error(self):
        server = self.start_failing({"log.access": "/no/such/folder/access.log"})
        self.assertEqual(server.wait_exit(), 1)
        self.assertIn("/no/such/folder/access.log", server.stderr.text)

    def start_failing(self, settings):
        server = Server(APP, settings=settings, expect_start=False)
        self.addCleanup(server.kill)
        return server


if __name__ == "__main__":
    unittest.main()
