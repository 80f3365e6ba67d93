"""Failed calls to other servers come to the error desk by host, and what is asked of others continues the trace."""

import json
import unittest

from peers import Nameserver, free_port, read_head, reset
from upstream import HttpCase, answer

APP = """
local perigee = require "perigee"
local app = perigee.app()
local function ask(port, options) return perigee.http.get("http://127.0.0.1:" .. port .. "/", options) end
app:get("/ask/{port}", function(req) return select(2, ask(req.params.port, { timeout = 0.2, redirects = 2 })) or "fine" end)
app:get("/within/{port}", function(req)
  local results, errors = perigee.all { function() return ask(req.params.port) end, function()
    return perigee.spawn(ask, req.params.port):wait()
  end }
  return { fine = #results, failed = #errors }
end)
app:get("/stream/{port}", function(req)
  local res = perigee.http.get("http://127.0.0.1:" .. req.params.port, { stream = true })
  while res:read() do end
  res:read()
  return res.error
end)
app:get("/name/{name}", function(req)
  return select(2, perigee.http.get("http://" .. req.params.name .. ":81/", { timeout = 2 }))
end)
app:get("/own/{port}", function(req) return ask(req.params.port, { headers = { traceparent = "mine" } }).body end)
app:get("/socket/{port}", function(req)
  local sock = perigee.socket.tcp()
  return select(2, sock:connect("127.0.0.1", tonumber(req.params.port)))
end)
app:get("/cancelled/{port}", function(req)
  local task = perigee.spawn(ask, req.params.port)
  perigee.sleep(0.02)
  task:cancel()
  task:wait()
  return "x"
end)
return app
"""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


class Desk(HttpCase):
    def setUp(self):
        self.server = self.start(APP)

    def kinds(self, server=None):
        with (server or self.server).admin() as client:
            report = json.loads(client.request("GET", "/errors", [], host="127.0.0.1").text)
        return {kind["signature"]: kind for kind in report["errors"]}

    def test_each_way_to_fail_is_a_kind_with_hosts_and_routes(self):
        refused = free_port()
        ends = self.raw(b"").port
        stalls = self.raw(b"HTTP/1.1 200 OK\r\n", close=False).port
        lies = self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").port
        resets = self.peer(lambda connection, _: (read_head(connection), reset(connection))).port
        circles = self.upstream(lambda *_: answer("302 Found", headers=("Location: /",))).port
        for port in (refused, refused, ends, stalls, lies, resets, circles):
            self.get(f"/ask/{port}?token=sesame")
        kinds = self.kinds()
        for signature, port, count in (("refused: *:#", refused, 2), ("closed: before an answer came", ends, 1),
                                       ("timeout: reading the answer of *", stalls, 1),
                                       ("closed: the answer ended too early", lies, 1),
                                       ("refused: more than # redirects", circles, 1)):
            kind = kinds[signature]
            self.assertEqual((kind["count"], kind["hosts"]), (count, {f"127.0.0.1:{port}": count}), signature)
            self.assertEqual(kind["routes"], {"GET /ask/{port}": count})
            self.assertEqual(kind["sample"], f"GET /ask/{port}?token=*")
        self.assertEqual(sum(kind["count"] for kind in kinds.values()), 7, kinds)

    def test_tasks_of_a_request_have_its_route(self):
        port = free_port()
        self.assertEqual(self.get(f"/within/{port}").json(), {"fine": 0, "failed": 2})
        kind = self.kinds()["refused: *:#"]
        self.assertEqual((kind["count"], kind["routes"]), (2, {"GET /within/{port}": 2}))

    def test_a_stream_that_breaks_off_is_counted_once_and_what_was_cancelled_not_at_all(self):
        cut = self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        silent = self.raw(b"", close=False)
        self.assertEqual(self.get(f"/stream/{cut.port}").text, "closed: the answer ended too early")
        self.get(f"/cancelled/{silent.port}")
        self.assertEqual([(kind["signature"], kind["count"]) for kind in self.kinds().values()],
                         [("closed: the answer ended too early", 1)])

    def test_a_name_does_not_tell_kinds_apart(self):
        dns = Nameserver({})
        self.addCleanup(dns.close)
        server = self.start(APP, config=f'[client]\nnameservers = ["{dns.address}"]\n')
        for name in ("one.test", "two.test", "two.test"):
            self.assertEqual(server.get(f"/name/{name}").text, f"dns: no such name: {name}")
        self.assertEqual({signature: kind["hosts"] for signature, kind in self.kinds(server).items()},
                         {"dns: no such name: *": {"one.test:81": 1, "two.test:81": 2}})

    def test_a_resolver_that_never_answers(self):
        dns = Nameserver({"silent.test": None})
        self.addCleanup(dns.close)
        server = self.start(
            APP, config=f'[client]\nnameservers = ["{dns.address}"]\nname_timeout = 0.1\nname_tries = 2\n')
        self.assertEqual(server.get("/name/silent.test").text, "dns: no nameserver answers: silent.test")
        self.assertEqual(list(self.kinds(server)), ["dns: no nameserver answers: *"])

    def test_a_socket_that_can_t_connect_is_counted_too(self):
        port = free_port()
        self.get(f"/socket/{port}")
        self.assertEqual(self.kinds()["refused"]["hosts"], {f"127.0.0.1:{port}": 1})


class Traces(HttpCase):
    APP = APP

    def seen(self, target, headers):
        upstream = self.upstream(lambda *_: answer(body=b"fine"))
        self.assertEqual(self.server.fetch("GET", target.format(upstream.port), headers).status, 200)
        return [(one[2].get("traceparent"), one[2].get("tracestate")) for one in upstream.requests]

    def test_what_a_request_and_its_tasks_ask_belongs_to_its_trace(self):
        headers = {"traceparent": PARENT, "tracestate": "vendor=1"}
        (parent, state), = self.seen("/ask/{}", headers)
        self.assertRegex(parent, rf"^00-{TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{{16}}-01$")
        self.assertEqual(state, "vendor=1")
        seen = self.seen("/within/{}", headers)
        self.assertEqual(len({parent for parent, _ in seen}), 2)
        for parent, state in seen:
            self.assertRegex(parent, rf"^00-{TRACE}-[0-9a-f]{{16}}-01$")
            self.assertEqual(state, "vendor=1")

    def test_nothing_is_sent_without_a_trace_and_the_program_s_own_field_stays(self):
        self.assertEqual(self.seen("/ask/{}", {}), [(None, None)])
        self.assertEqual(self.seen("/within/{}", {"traceparent": "nonsense"}), [(None, None)] * 2)
        self.assertEqual(self.seen("/own/{}", {"traceparent": PARENT}), [("mine", None)])


if __name__ == "__main__":
    unittest.main()
