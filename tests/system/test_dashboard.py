"""The dashboard of the admin port: its page in Chromium, its stream of events, and who may see it."""

import base64
import json
import re
import socket
import threading
import time
import unittest

from browser import browse
from harness import Client, Closed, ServerCase, wait_until
from sse import EventStream

HOSTILE = "<img src=x onerror=alert(1)></script>\"'&"
APP = r"""
local perigee = require "perigee"
local app = perigee.app()
app:get("/", function() return "root" end)
app:get("/users/{id:integer}", function(req) return { id = req.params.id } end)
app:get("/sleep", function() perigee.sleep(0.06) return "slept" end)
app:get("/fail", function() error("planted: <b>\"'&") end)
app:get("/keep", function(req) perigee.shared("kept"):set("a", 1) req.session.user = "ada" return "kept" end)
app:channel("/news", function() return "news" end)
app:get("/say", function() perigee.publish("news", "hear") return "said" end)
app:get(HOSTILE, function() perigee.sleep(0.002) return "weird" end)
return app
""".replace("HOSTILE", "[[/" + HOSTILE + "]]")

PAGES = ("/", "/pages/dashboard.css", "/pages/dashboard.js", "/pages/panels.js", "/pages/drawing.js", "/pages/icon.svg")


class Load:
    """Requests to every route, one after the other, till the end."""

    def __init__(self, server):
        self.server, self.over = server, threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        with self.server.client() as client:
            while not self.over.is_set():
                for target in ("/", "/users/7", "/users/8", "/sleep", "/fail", "/keep", "/say", "/nowhere",
                               "/%3Cimg%20src=x%20onerror=alert(1)%3E%3C/script%3E%22'&"):
                    client.get(target)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Stream:
    """/live as a page reads it: the parts that came last."""

    def __init__(self, server):
        self.client = Client(server.admin_address)
        self.events = EventStream(self.client, "/live")
        self.history = json.loads(self.events.next().data)
        self.parts, self.counts = {}, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def read(self, name):
        """The next `name`, and what comes before it."""
        while True:
            event = self.events.next()
            self.parts[event.event] = json.loads(event.data)
            self.counts[event.event] = self.counts.get(event.event, 0) + 1
            if event.event == name:
                return self.parts[name]

    def until(self, name, condition):
        found = self.parts.get(name) or self.read(name)
        while not condition(found):
            found = self.read(name)
        return found


class Dashboard(ServerCase):
    APP = APP
    WORKERS = 2

    def ask(self, target, headers=(), method="GET", host="127.0.0.1", server=None):
        with (server or self.server).admin() as client:
            return client.request(method, target, headers, host=host)

    def test_in_a_browser_under_load(self):
        with Load(self.server):
            found = browse("browse_dashboard.mjs", "http://{}:{}".format(*self.server.admin_address))
        self.assertEqual((found["wide"], found["injected"], found["live"]), (360, 0, "live"), found)
        self.assertEqual(found["focused"], "reload")
        self.assertIn("stack traceback", found["opened"])
        self.assertIn("planted: <b>", found["opened"])
        self.assertIn("as in GET /fail", found["opened"])
        self.assertIn(HOSTILE, found["routes"])
        self.assertIn("GET /sleep", found["slow"])
        self.assertRegex(found["slow"], r"sleep [\d.]+.ms")
        self.assertTrue(found["flame"].startswith("/debug/flame?"))

    def test_pages_come_with_a_strict_policy_and_ask_nobody_else(self):
        for path in PAGES:
            response = self.ask(path)
            self.assertEqual(response.status, 200, path)
            policy = response.header("content-security-policy")
            self.assertTrue(policy.startswith("default-src 'none'; script-src 'self';"), policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(response.header("x-content-type-options"), "nosniff")
            elsewhere = [url for url in re.findall(r"(?:https?:)?//[a-z][\w.-]+", response.text)
                         if url != "http://www.w3.org"]
            self.assertEqual(elsewhere, [], path)
            self.assertNotRegex(response.text, r"<script>|\sstyle=|\son\w+=|innerHTML")

    def test_the_stream_begins_with_what_is_known_and_sends_what_changes(self):
        self.get("/keep")
        with Stream(self.server) as stream:
            stream.read("reloads")
            self.assertGreaterEqual(len(stream.history), 1)
            for name in ("server", "workers", "routes", "waits", "state", "slow", "errors", "reloads"):
                self.assertIn(name, stream.parts)
            for _ in range(2):
                stream.read("point")
            self.assertEqual((stream.counts["server"], stream.counts["reloads"]), (1, 1))
            self.assertEqual(len(stream.parts["workers"]), 2)
            kept = [one for one in stream.parts["state"]["dictionaries"] if one["name"] == "kept"]
            self.assertEqual(kept[0]["entries"], 1)
            self.assertGreaterEqual(stream.parts["state"]["sessions"]["count"], 1)

    def test_a_slow_request_says_what_it_waited_for_and_keeps_no_secret(self):
        self.get("/sleep?token=secret")
        with Stream(self.server) as stream:
            slow = stream.until("slow", lambda all: any(one["line"] == "GET /sleep?token=*" for one in all))
        found = next(one for one in slow if one["line"] == "GET /sleep?token=*")
        self.assertEqual((found["route"], found["status"]), ("/sleep", 200))
        self.assertGreaterEqual(found["waits"]["sleep"], 0.055)
        self.assertLessEqual(found["waits"]["sleep"], found["seconds"])

    def test_counts_of_routes_errors_and_channels(self):
        with Stream(self.server) as stream, self.server.client() as listener:
            EventStream(listener, "/news")
            before = {row["pattern"]: row for row in stream.read("routes")["rows"]}
            for _ in range(3):
                self.get("/fail")
            self.get("/say")
            count = before.get("/fail", {}).get("errors", 0) + 3
            rows = stream.until("routes", lambda all: any(row["pattern"] == "/fail" and row["errors"] == count
                                                          for row in all["rows"]))["rows"]
            row = next(row for row in rows if row["pattern"] == "/fail")
            self.assertTrue(row["recent"])
            self.assertLessEqual(row["p50"], row["p99"])
            stream.until("state", lambda state: state["topics"]["subscribers"] == 1)
            errors = stream.until("errors", lambda all: all["total"] >= 3)
            self.assertIn("planted", errors["latest"][0]["signature"])

    def test_streams_share_one_look_and_nobody_looks_without_them(self):
        server = self.start(APP)
        with Stream(server) as one, Stream(server) as other:
            def times(stream):
                return {stream.read("point")["t"] for _ in range(3)}
            found = [one.history[-1]["t"], other.history[-1]["t"], *(times(one) | times(other))]
            self.assertLessEqual(len(set(found)), 6)
            last = max(found)
        closed = time.monotonic()
        wait_until(lambda: time.monotonic() > closed + 2.5, "looks that nobody asks for")
        with Stream(server) as stream:
            after = [point["t"] for point in stream.history if point["t"] > last]
            self.assertLessEqual(len(after), 3)
            self.assertGreater(max(b - a for a, b in zip([last, *after], after)), 1.4)

    def test_reloads_show_with_their_mistakes(self):
        server = self.start(APP)
        with Stream(server) as stream:
            server.reload()
            stream.until("reloads", lambda all: all["generation"] == 2)
            server.write("app.lua", "this is <b>no Lua")
            server.reload(ok=False)
            latest = stream.until("reloads", lambda all: len(all["latest"]) == 2)["latest"]
        self.assertEqual([reload["ok"] for reload in latest], [False, True])
        self.assertIn("app.lua:1", latest[0]["mistakes"][0])
        self.assertGreater(latest[1]["seconds"], 0)

    def test_the_stream_ends_with_the_server(self):
        server = self.start(APP)
        with Stream(server) as stream:
            server.signal(15)
            with self.assertRaises(Closed):
                for _ in range(100):
                    stream.read("point")
        self.assertEqual(server.wait_exit(), 0)

    def test_under_a_foreign_name_it_is_not_seen(self):
        for host in ("evil.example", "evil.example:9145", "127.0.0.1.evil.example"):
            for path in (*PAGES, "/live"):
                self.assertEqual(self.ask(path, host=host).status, 403, path)

    def test_only_its_own_page_may_reload(self):
        host = "127.0.0.1:{}".format(self.server.admin_address[1])
        refused = ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:3000"},
                   {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": f"https://{host}"})
        for headers in refused:
            self.assertEqual(self.ask("/reload", headers.items(), "POST", host).status, 403, headers)
        own = ({"Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}, {"Origin": f"http://{host}"},
               {"Origin": "https://admin.example", "Sec-Fetch-Site": "same-origin"})  # behind a proxy with TLS
        for headers in own:
            self.assertEqual(self.ask("/reload", headers.items(), "POST", host).status, 200, headers)

    def test_only_its_own_page_may_record(self):
        host = "127.0.0.1:{}".format(self.server.admin_address[1])
        for path in ("calls", "top", "folded", "flame.json", "flame.html", "pprof/profile", "pprof/allocs", "pprof"):
            target = f"/debug/{path}?seconds=0.1"
            for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}):
                self.assertEqual(self.ask(target, headers.items(), "GET", host).status, 403, (path, headers))
            for headers in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
                self.assertEqual(self.ask(target, headers.items(), "GET", host).status, 200, (path, headers))

    def test_on_another_address_it_does_not_answer(self):
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.2", self.server.admin_address[1]), timeout=5).close()


class Token(ServerCase):
    def test_a_browser_asks_for_the_token_as_a_password(self):
        server = self.start(APP, settings={"admin.listen": "0.0.0.0:0", "admin.token": "s3cret"})
        port = int(server.stderr.wait(r"admin on http://[^:\s]+:(\d+)").group(1))

        def ask(path, field=None):
            with Client(("127.0.0.2", port)) as client:
                return client.request("GET", path, [("Authorization", field)] if field else [], host="any.example")

        def basic(pair):
            return "Basic " + base64.b64encode(pair.encode()).decode()
        for path in (*PAGES, "/live", "/metrics"):
            self.assertEqual(ask(path).status, 401, path)
        self.assertIn('Basic realm="perigee admin", charset="UTF-8"', ask("/").all("www-authenticate"))
        for wrong in (basic("s3cret:"), basic(":"), basic("s3cret"), basic("x:s3cret2"), "Basic s3cret", "Basic"):
            self.assertEqual(ask("/", wrong).status, 401, wrong)
        for path in PAGES:
            self.assertEqual(ask(path, basic("anybody:s3cret")).status, 200)
            self.assertEqual(ask(path, "Bearer s3cret").status, 200)
        self.assertNotIn("s3cret", "".join(ask(path, "Bearer s3cret").text for path in PAGES))


if __name__ == "__main__":
    unittest.main()
