"""GET /metrics on the admin port: exact counts, stable over reloads, accepted by Prometheus' own checker."""

import collections
import re
import subprocess
import threading
import unittest

from harness import Closed, ServerCase, wait_until
from sse import EventStream

APP = r"""
local perigee = require "perigee"
local app, t = perigee.app(), perigee.types
app:get("/", function() return "root" end)
app:get("/users/{id:integer}", function(req) return { id = req.params.id } end)
app:post("/users", function() return 201, "made" end)
app:get("/sleep", function() perigee.sleep(0.06) return "slept" end)
app:get("/slow", { limits = { time = 0.05 } }, function() perigee.sleep(5) return "never" end)
app:get("/fail", function() error("planted") end)
app:get("/task", function() perigee.spawn(function() perigee.sleep(0.01) end):wait() return "done" end)
app:get("/ask", function(req)
  local res, err = perigee.http.get("http://127.0.0.1:" .. req.query.port .. "/sleep")
  return res and res.body or err
end)
app:get("/login", function(req) req.session.user = "ada" return "in" end)
app:get("/say", function() perigee.publish("news", "hear") return "said" end)
app:channel("/news", function() return "news" end)
local kept = {}
app:get("/garbage", function()
  for i = 1, 20000 do kept[i] = { i } end
  local t0 = os.clock() while os.clock() - t0 < 0.1 do collectgarbage() end return "collected"
end)
app:get("/computing", function() local t0 = os.clock() while os.clock() - t0 < 0.1 do end return "computed" end)
app:get("/stream", function() return perigee.stream(function(write) write("a") perigee.sleep(0.01) write("b") end) end)
app:get("/busy", function() local t0 = os.clock() while os.clock() - t0 < 0.4 do end return "done" end)
app:get("/hold", function() perigee.sleep(20) return "held" end)
app:get("/keep", function() perigee.shared("kept"):set("a", 1) return "kept" end)
app:get('/we"ird\\' .. "\n\127", function() return "weird" end)
app:post("/small", { limits = { body = 10 } }, function(req) return req.body end)
return app
"""

LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\n"])*)"')


def parse(text):
    """The samples of a page: (name, frozenset of labels) -> number. Every line must be one the format knows."""
    samples = {}
    for line in text.splitlines():
        if line.startswith("# HELP ") or line.startswith("# TYPE "):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise AssertionError(f"not a sample: {line!r}")
        key = match[1], frozenset(LABEL.findall(match[2] or ""))
        if key in samples:
            raise AssertionError(f"twice: {line!r}")
        samples[key] = float(match[3])
    return samples


class Page:
    """What /metrics said at one moment."""

    def __init__(self, response):
        self.response = response
        self.samples = parse(response.text)

    def value(self, name, **labels):
        """The sum of all samples of that name that have these labels; 0 of none."""
        wanted = set(labels.items())
        return sum(value for (sample, has), value in self.samples.items() if sample == name and wanted <= has)

    def labels(self, name, label):
        return {dict(has).get(label) for sample, has in self.samples if sample == name}


class MetricsCase(ServerCase):
    def page(self, server=None):
        with (server or self.server).admin() as admin:
            response = admin.request("GET", "/metrics", host="127.0.0.1")
        self.assertEqual(response.status, 200, response)
        return Page(response)

    def difference(self, work, name, server=None, **labels):
        before = self.page(server).value(name, **labels)
        work()
        return self.page(server).value(name, **labels) - before


class Counting(MetricsCase):
    APP = APP
    WORKERS = 2

    def test_prometheus_checker_takes_the_page(self):
        for target in ("/", "/users/7", "/fail", "/nowhere", "/keep", "/login", "/say", "/ask?port=1", "/task", "/we%22ird%5C%0A%FF"):
            self.get(target)
        response = self.page().response
        self.assertEqual(response.header("content-type"), "text/plain; version=0.0.4; charset=utf-8")
        checked = subprocess.run(["promtool", "check", "metrics"], input=response.body, capture_output=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))

    def test_every_request_is_counted_on_whatever_worker_it_was(self):
        before = self.page()

        def ask():
            with self.server.client() as client:
                for _ in range(25):
                    self.assertEqual(client.get("/users/7").status, 200)
                    self.assertEqual(client.request("POST", "/users", body="x").status, 201)
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = self.page()

        def more(name, **labels):
            return after.value(name, **labels) - before.value(name, **labels)
        self.assertEqual(more("perigee_http_requests_total", method="GET", status="200"), 200)
        self.assertEqual(more("perigee_http_requests_total", method="POST", status="201"), 200)
        self.assertEqual(more("perigee_worker_requests_total"), 400)
        count = "perigee_http_request_duration_seconds_count"
        self.assertEqual(more(count, method="GET", route="/users/{id:integer}", status="2xx"), 200)
        self.assertEqual(more(count, method="POST", route="/users", status="2xx"), 200)
        self.assertEqual(more("perigee_http_request_duration_seconds_bucket", route="/users", le="+Inf"), 200)
        self.assertEqual(more("perigee_connections_accepted_total"), 8)

    def test_pipelined_requests_count_one_by_one_and_bytes_to_the_byte(self):
        request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        before = self.page()
        with self.server.client() as client:
            client.send(request * 30)
            sent = sum(len(b"root") for _ in range(30) if client.read_response().text == "root")
        self.assertEqual(sent, 120)
        after = self.page()
        self.assertEqual(after.value("perigee_http_requests_total", status="200")
                         - before.value("perigee_http_requests_total", status="200"), 30)
        self.assertEqual(after.value("perigee_network_received_bytes_total")
                         - before.value("perigee_network_received_bytes_total"), 30 * len(request))
        self.assertGreater(after.value("perigee_network_sent_bytes_total")
                           - before.value("perigee_network_sent_bytes_total"), 30 * 50)

    def test_latency_holds_the_waits_of_a_handler(self):
        before = self.page()
        self.get("/sleep")
        after = self.page()

        def more(suffix, name="perigee_http_request_duration_seconds", **labels):
            return after.value(name + suffix, **labels) - before.value(name + suffix, **labels)
        self.assertEqual(more("_bucket", route="/sleep", le="0.05"), 0)
        self.assertEqual(more("_count", route="/sleep"), 1)
        self.assertGreaterEqual(more("_sum", route="/sleep"), 0.055)
        self.assertEqual(more("_count", name="perigee_http_wait_duration_seconds"), 1)
        self.assertGreaterEqual(more("_sum", name="perigee_http_wait_duration_seconds"), 0.055)

    def test_waits_count_by_what_they_are_for(self):
        name = "perigee_http_wait_duration_seconds_count"
        before = self.page()
        self.get("/sleep")
        self.get("/task")
        after = self.page()
        for operation, count in (("sleep", 1), ("task", 1), ("http", 0)):
            self.assertEqual(after.value(name, operation=operation) - before.value(name, operation=operation), count,
                             operation)

    def test_what_is_asked_of_others_counts_by_host(self):
        before = self.page()
        self.get("/ask?port={}".format(self.server.address[1]))
        self.get("/ask?port=1")
        after = self.page()
        host = "127.0.0.1:{}".format(self.server.address[1])

        def more(name, **labels):
            return after.value("perigee_client_" + name, **labels) - before.value("perigee_client_" + name, **labels)
        self.assertEqual((more("requests_total", host=host), more("requests_total", host="127.0.0.1:1")), (1, 1))
        self.assertEqual((more("errors_total", host=host), more("errors_total", error="refused")), (0, 1))
        self.assertEqual((more("connections", state="idle"), more("connections", state="busy")), (1, 0))
        self.assertGreater(more("received_bytes_total", host=host), 20)
        self.assertGreater(more("seconds_total", host=host), 0.05)

    def test_sessions_topics_and_errors_count(self):
        before = self.page()
        for target in ("/login", "/login", "/say", "/fail"):
            self.get(target)
        with self.server.client() as client:
            EventStream(client, "/news")
            wait_until(lambda: self.page().value("perigee_channel_subscribers") == 1, "the subscriber")
        wait_until(lambda: self.page().value("perigee_channel_subscribers") == 0, "the end of it")
        after = self.page()
        for name, count in (("perigee_sessions", 2), ("perigee_sessions_made_total", 2),
                            ("perigee_sessions_evicted_total", 0), ("perigee_topic_messages_published_total", 1),
                            ("perigee_topic_messages_lost_total", 0), ("perigee_errors_total", 1)):
            self.assertEqual(after.value(name) - before.value(name), count, name)
        self.assertEqual(after.value("perigee_topics"), 1)
        self.assertGreater(after.value("perigee_topic_kept_bytes"), 0)

    def test_a_stream_counts_when_its_head_goes_out_and_once(self):
        name = "perigee_http_request_duration_seconds_count"
        self.assertEqual(self.difference(lambda: self.get("/stream"), name, route="/stream", status="2xx"), 1)

    def test_head_counts_with_the_route_that_answers_it(self):
        def work():
            self.assertEqual(self.server.fetch("HEAD", "/").status, 200)
        self.assertEqual(self.difference(work, "perigee_http_requests_total", method="HEAD", status="200"), 1)

    def test_errors_of_handlers_are_5xx_of_their_route_and_events_of_the_log(self):
        before = self.page()
        self.get("/fail")
        after = self.page()
        for name, labels in (("perigee_http_request_duration_seconds_count", {"route": "/fail", "status": "5xx"}),
                             ("perigee_log_events_total", {"level": "error"})):
            self.assertEqual(after.value(name, **labels) - before.value(name, **labels), 1, name)

    def test_paths_that_no_route_takes_share_one_label(self):
        def work():
            for number in range(50):
                self.get(f"/nowhere/{number}")
        count = "perigee_http_request_duration_seconds_count"
        self.assertEqual(self.difference(work, count, route="(none)", status="4xx"), 50)
        self.assertFalse([route for route in self.page().labels(count, "route") if "nowhere" in route])

    def test_refusals_count_by_reason(self):
        def head():
            with self.server.client() as client:
                client.send("GET / HTTP/1.1\r\nbad header\r\n\r\n").read_response()
        for reason, work in (("no_route", lambda: self.get("/nowhere")),
                             ("method", lambda: self.server.fetch("DELETE", "/users")),
                             ("parameter", lambda: self.get("/users/x")),
                             ("body_too_large", lambda: self.server.fetch("POST", "/small", body="x" * 11)),
                             ("head", head)):
            self.assertEqual(self.difference(work, "perigee_http_refused_total", reason=reason), 1, reason)

    def test_who_leaves_before_the_answer_is_counted_apart(self):
        before = self.page()
        client = self.connect()
        client.send_request("GET", "/hold")
        wait_until(lambda: self.page().value("perigee_worker_tasks") > before.value("perigee_worker_tasks"), "the handler")
        client.abort()
        wait_until(lambda: self.page().value("perigee_http_requests_abandoned_total")
                   == before.value("perigee_http_requests_abandoned_total") + 1, "the count")
        count = "perigee_http_request_duration_seconds_count"
        self.assertEqual(self.page().value(count, route="/hold"), before.value(count, route="/hold"))

    def test_dictionaries_heaps_and_the_process_show(self):
        self.get("/keep")
        page = self.page()
        self.assertEqual(page.value("perigee_dictionary_entries", dictionary="kept"), 1)
        self.assertGreater(page.value("perigee_dictionary_used_bytes", dictionary="kept"), 0)
        for worker in ("1", "2"):
            self.assertGreater(page.value("perigee_lua_heap_bytes", worker=worker), 100_000)
            self.assertGreater(page.value("perigee_lua_collections_total", worker=worker), 0)
            self.assertEqual(page.value("perigee_worker_generations", worker=worker), 1)
            self.assertGreater(page.value("perigee_worker_cpu_seconds_total", worker=worker), 0)
        self.assertAlmostEqual(page.value("process_resident_memory_bytes"), self.server.resident(), delta=2e7)
        self.assertAlmostEqual(page.value("process_open_fds"), self.server.descriptors(), delta=3)

    def test_stages_are_timed_of_one_request_in_64(self):
        def work():
            with self.server.client() as client:
                for _ in range(640):
                    client.get("/")
        name = "perigee_http_stage_duration_seconds_count"
        for stage in ("scan", "route", "lua", "serialize", "write"):
            before = self.page().value(name, stage=stage)
            work()
            self.assertEqual(self.page().value(name, stage=stage) - before, 10, stage)


class Garbage(MetricsCase):
    def test_the_collectors_time_is_told_from_the_programs(self):
        server = self.start(APP, settings={"limits.cpu": 30, "limits.time": 60})
        name = "perigee_lua_collecting_seconds_total"
        before = self.page(server).value(name)
        self.assertEqual(server.get("/garbage").text, "collected")
        collecting = self.page(server).value(name) - before
        self.assertGreater(collecting, 0)
        before = self.page(server).value(name)
        server.get("/computing")
        self.assertLess(self.page(server).value(name) - before, collecting)


class Alone(MetricsCase):
    def test_a_busy_worker_holds_up_no_page(self):
        server = self.start(APP)
        with server.client() as client:
            client.get("/")
            client.send_request("GET", "/busy")
            pages = []
            while not client.buffer and not pages[-1:] == [0]:
                pages.append(self.page(server).value("perigee_worker_responding", worker="1"))
                if len(pages) > 50:
                    self.fail(f"the worker always answered: {pages}")
            self.assertEqual(client.read_response().text, "done")
        self.assertEqual(self.page(server).value("perigee_worker_responding", worker="1"), 1)

    def test_counts_go_on_over_a_reload_and_keep_what_it_leaves_out(self):
        server = self.start(APP, workers=2)
        count = "perigee_http_request_duration_seconds_count"

        def ask(target, times):
            for _ in range(times):
                server.get(target)
        ask("/", 5)
        ask("/sleep", 2)
        before = self.page(server)
        server.write("app.lua", APP.replace('app:get("/sleep"', 'app:get("/new"'))
        server.reload()
        ask("/", 4)
        ask("/new", 3)
        server.write("app.lua", "this is no Lua")
        server.reload(ok=False)
        after = self.page(server)
        self.assertEqual([before.value(count, route=route) for route in ("/", "/sleep", "/new")], [5, 2, 0])
        self.assertEqual([after.value(count, route=route) for route in ("/", "/sleep", "/new")], [9, 2, 3])
        for (name, labels), value in before.samples.items():
            if name.endswith(("_total", "_bucket", "_count", "_sum")):
                self.assertGreaterEqual(after.samples[name, labels], value, (name, labels))
        self.assertEqual((after.value("perigee_generation"), after.value("perigee_reloads_total", result="ok"),
                          after.value("perigee_reloads_total", result="failed"),
                          after.value("perigee_last_reload_successful")), (2, 1, 1, 0))

    def test_a_handler_over_its_time_is_a_503_of_its_route(self):
        server = self.start(APP)
        self.assertEqual(server.get("/slow").status, 503)
        page = self.page(server)
        self.assertEqual(page.value("perigee_http_request_duration_seconds_count", route="/slow", status="5xx"), 1)

    def test_refused_connections_count_by_reason(self):
        server = self.start(APP, settings={"limits.connections": 2})
        with server.client() as one, server.client() as other:
            one.get("/")
            other.get("/")
            with server.client() as third:
                self.assertEqual(third.read_response().status, 503)
            page = self.page(server)
            self.assertEqual(page.value("perigee_connections_open"), 2)
        self.assertEqual(page.value("perigee_connections_refused_total", reason="server_full"), 1)
        self.assertEqual(page.value("perigee_connections_accepted_total"), 2)

    def test_many_readers_share_pages_and_each_is_whole(self):
        server = self.start(APP, workers=2)
        statuses = collections.Counter()

        def read():
            for _ in range(10):
                statuses[self.page(server).value("perigee_generation")] += 1
        threads = [threading.Thread(target=read) for _ in range(6)]
        for thread in threads:
            thread.start()
        with server.client() as client:
            for _ in range(500):
                client.get("/")
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, {1: 60})
        self.assertEqual(self.page(server).value("perigee_http_requests_total", status="200"), 500)

    def test_a_page_is_made_while_the_server_drains(self):
        server = self.start(APP)
        with server.client() as client, server.admin() as admin:
            client.send_request("GET", "/sleep")
            server.signal(15)
            try:
                self.assertEqual(admin.request("GET", "/metrics", host="127.0.0.1").status, 200)
            except Closed:
                self.fail("the admin port hung up")
            self.assertEqual(client.read_response().text, "slept")


if __name__ == "__main__":
    unittest.main()
