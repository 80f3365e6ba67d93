"""The trace that a request belongs to (traceparent) is in its log lines."""

import json
import unittest

from harness import ServerCase, wait_until
from upstream import Upstream, answer

APP = """
local perigee = require "perigee"
local core = require "perigee.core"
local app = perigee.app()
app:get("/log", function() perigee.log.info("plain") perigee.log.info("fields", { cups = 2 }) return "ok" end)
app:get("/fail", function() error("planted") end)
app:get("/outbound", function()
  local parent, state = core.traceparent()
  return { parent = parent, state = state }
end)
return app
"""

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FIELD = f"00-{TRACE}-00f067aa0ba902b7-01"


ASKING = """
local perigee = require "perigee"
local app = perigee.app()
app:get("/ask", function(req)
  local own = req.query.own and { traceparent = "mine" } or nil
  perigee.http.get("http://127.0.0.1:" .. req.query.port .. "/", { headers = own })
  return "asked"
end)
app:get("/spawned", function(req)
  perigee.spawn(perigee.http.get, "http://127.0.0.1:" .. req.query.port .. "/"):wait()
  return "asked"
end)
return app
"""


class Passing(ServerCase):
    APP = ASKING

    def setUp(self):
        self.headers = []
        self.upstream = Upstream(lambda method, target, headers, *_: self.headers.append(headers) or answer())
        self.addCleanup(self.upstream.close)

    def ask(self, target, **headers):
        self.server.fetch("GET", f"{target}{'&' if '?' in target else '?'}port={self.upstream.port}", headers)
        return self.headers.pop()

    def test_who_is_asked_on_behalf_of_a_request_is_told_its_trace(self):
        first, second = (self.ask("/ask", traceparent=FIELD, tracestate="vendor=1") for _ in range(2))
        self.assertRegex(first["traceparent"], rf"^00-{TRACE}-[0-9a-f]{{16}}-01$")
        self.assertEqual(first["tracestate"], "vendor=1")
        self.assertRegex(self.ask("/spawned", traceparent=FIELD)["traceparent"], rf"^00-{TRACE}-[0-9a-f]{{16}}-01$")
        self.assertEqual(len({FIELD, first["traceparent"], second["traceparent"]}), 3, "each is a span of its own")

    def test_without_a_trace_nobody_is_told_any(self):
        for headers in (self.ask("/ask"), self.ask("/ask", traceparent="nonsense", tracestate="vendor=1")):
            self.assertNotIn("traceparent", headers)
            self.assertNotIn("tracestate", headers)

    def test_a_header_of_the_programs_own_stands(self):
        headers = self.ask("/ask?own=1", traceparent=FIELD, tracestate="vendor=1")
        self.assertEqual(headers["traceparent"], "mine")
        self.assertNotIn("tracestate", headers)


class Traces(ServerCase):
    APP = APP
    SETTINGS = {"log.format": "json", "log.access": "{dir}/access.log", "log.access_format": "json"}

    def event(self, message, target, field):
        since = len(self.server.stderr.text)
        self.get(target, {"traceparent": field} if field else {})
        return json.loads(self.server.stderr.wait(rf"^.*{message}.*$", since=since).group(0))

    def test_every_event_of_a_request_names_its_trace(self):
        for message, target in (("plain", "/log"), ("fields", "/log"), ("planted", "/fail")):
            self.assertEqual(self.event(message, target, FIELD)["trace_id"], TRACE, message)
        self.assertEqual(self.event("fields", "/log", FIELD)["cups"], 2)

    def test_without_a_trace_or_with_nonsense_nothing_is_named(self):
        for field in (None, "nonsense", FIELD.upper(), FIELD + "-", f"00-{'0' * 32}-00f067aa0ba902b7-01", FIELD[:-1]):
            self.assertNotIn("trace_id", self.event("fields", "/log", field), field)

    def test_the_access_log_names_it(self):
        self.server.fetch("GET", "/log?traced", {"traceparent": FIELD})
        self.server.fetch("GET", "/log?untraced")
        path = self.server.directory / "access.log"
        wait_until(lambda: "untraced" in path.read_text(), "the lines")
        lines = {line["target"]: line for line in map(json.loads, path.read_text().splitlines())}
        self.assertEqual(lines["/log?traced"]["trace_id"], TRACE)
        self.assertNotIn("trace_id", lines["/log?untraced"])

    def test_what_is_asked_of_others_continues_the_trace_with_a_span_of_its_own(self):
        headers = {"traceparent": FIELD, "tracestate": "vendor=1"}
        first = self.server.fetch("GET", "/outbound", headers).json()
        self.assertRegex(first["parent"], rf"^00-{TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{{16}}-01$")
        self.assertEqual(first["state"], "vendor=1")
        self.assertNotEqual(self.server.fetch("GET", "/outbound", headers).json()["parent"], first["parent"])
        self.assertEqual(self.server.fetch("GET", "/outbound").json(), {})


if __name__ == "__main__":
    unittest.main()
