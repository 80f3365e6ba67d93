"""Shared dictionaries over several workers and over reloads."""

import threading
import unittest

from harness import ServerCase, run_perigee, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
local d, small, pinned = perigee.shared("d"), perigee.shared("small"), perigee.shared("pinned")
app:start(function() d:add("started", true) end)
app:get("/incr", function() return tostring(d:incr("n")) end)
app:get("/get/{key}", function(req) return tostring(d:get(req.params.key)) end)
app:get("/worker", function() return tostring(perigee.worker.id) end)
app:get("/fetch/{key}", function(req)
  return d:fetch(req.params.key, 60, function()
    d:incr("computed:" .. req.params.key)
    perigee.sleep(req.params.key == "long" and 60 or 0.3)
    return { by = perigee.worker.id }
  end)
end)
app:get("/update", function()
  for _ = 1, 50 do d:update("list", function(t) t = t or { n = 0 } t.n = t.n + 1 return t end) end
  return 204
end)
app:get("/fill/{dictionary}", function(req)
  local dictionary, why = perigee.shared(req.params.dictionary), nil
  for i = 1, 5000 do
    local done, err = dictionary:set("key" .. i, ("v"):rep(100))
    why = why or err
  end
  return { count = dictionary:count(), why = why, last = dictionary:get("key5000") ~= nil }
end)
return app
"""
CONFIG = """
[shared.small]
size = "64KiB"
[shared.pinned]
size = "64KiB"
pin = true
"""


class Shared(ServerCase):
    app = APP
    config = CONFIG

    def in_parallel(self, server, target, count):
        """The texts of `count` answers to clients that ask at once, each on a connection of its own."""
        texts, clients = [None] * count, [server.client() for _ in range(count)]

        def ask(i):
            texts[i] = clients[i].get(target).text
        threads = [threading.Thread(target=ask, args=(i,)) for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for client in clients:
            client.close()
        return texts

    def test_every_worker_counts_on_and_a_reload_changes_nothing(self):
        server = self.start(APP, config=CONFIG, workers=4)
        seen = []
        for round_ in range(5):
            seen += self.in_parallel(server, "/incr", 20)
            if round_ == 2:
                server.reload()
        self.assertEqual(sorted(map(int, seen)), list(range(1, 101)))
        self.assertEqual(server.get("/get/started").text, "true")

    def test_updates_from_every_worker_are_all_kept(self):
        server = self.start(APP, config=CONFIG, workers=4)
        self.in_parallel(server, "/update", 8)
        self.assertEqual(server.get("/get/list").text[:5], "table")
        listing = 'app:get("/list", function() return tostring(d:get("list").n) end)\nreturn app\n'
        app = APP.replace("return app\n", listing)
        server.write("app.lua", app)
        server.reload()
        self.assertEqual(server.get("/list").text, "400")

    def test_a_fetch_computes_once_for_all_workers(self):
        server = self.start(APP, config=CONFIG, workers=4)
        texts = self.in_parallel(server, "/fetch/page", 16)
        self.assertEqual(len(set(texts)), 1)
        self.assertEqual(server.get("/get/computed:page").text, "1")

    def test_who_waits_takes_over_when_the_one_who_computes_is_gone(self):
        server = self.start(APP, config=CONFIG, workers=2)
        with server.client() as first:
            first.send_request("GET", "/fetch/long")
            self.wait_for(server, "computed:long", "1")
            with server.client() as second:
                second.send_request("GET", "/fetch/long")
                first.abort()
                self.wait_for(server, "computed:long", "2")
                second.abort()

    def wait_for(self, server, key, value):
        wait_until(lambda: server.get("/get/" + key).text == value, f"{key} = {value}")

    def test_a_small_one_evicts_and_a_pinned_one_is_full(self):
        server = self.start(APP, config=CONFIG)
        small, pinned = server.get("/fill/small").json(), server.get("/fill/pinned").json()
        self.assertTrue(small["last"])
        self.assertNotIn("why", small)
        self.assertTrue(100 < small["count"] < 700, small)
        self.assertEqual((pinned["why"], pinned["last"]), ("full", False))

    def test_a_reload_changes_the_bounds(self):
        server = self.start(APP, config=CONFIG)
        before = server.get("/fill/pinned").json()["count"]
        server.write("server.toml", '[shared]\nsize = "10MB"\n')
        server.reload()
        after = server.get("/fill/pinned").json()
        self.assertEqual(after["count"], 5000)
        self.assertNotIn("why", after)
        self.assertLess(before, 700)
        server.write("server.toml", CONFIG.replace("pin = true", ""))
        server.reload()
        self.assertLess(server.get("/fill/pinned").json()["count"], 700)

    def test_the_top_level_of_a_file_may_not_use_them(self):
        top = ('local p = require "perigee"\np.shared("d"):set("k", 1)\nreturn p.app()\n')
        path = self.start(APP).write("top.lua", top)
        checked = run_perigee("check", "-c", "", "--app", path)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("top.lua:2: a shared dictionary can't be used at the top level of a file: put it in app:start",
                      checked.stderr)


if __name__ == "__main__":
    unittest.main()
