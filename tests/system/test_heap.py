"""Handlers that take too much memory, and VMs that hold too much of it."""

import threading
import unittest

from harness import ServerCase

APP = """
local perigee = require "perigee"
local app = perigee.app()
local kept = {}
local bombs = {
  table = function() local t = {} for i = 1, 1e9 do t[i] = i end end,
  doubling = function() local s = "x" while true do s = s .. s end end,
  list = function() local t = {} while true do t = { t } end end,
  strings = function() local t = {} for i = 1, 1e9 do pcall(function() t[i] = tostring(i) end) end end,
}
app:get("/bomb/{name}", function(req) bombs[req.params.name]() end)
-- The compiler would make the string of a number that it knows.
app:get("/rep/{n:integer}", function(req) local n = req.params.n return ("x"):rep(n) .. n end)
app:get("/garbage", function() for i = 1, 200 do local s = ("x"):rep(1e6) .. i end return "done" end)
app:get("/keep", { limits = { memory = 0 } }, function()
  for i = 1, 100 do kept[#kept + 1] = ("x"):rep(7e5) .. i collectgarbage() end
  return "kept"
end)
app:get("/", function() return "fine" end)
app:get("/kept", function() return tostring(#kept) end)
app:get("/wait", function() perigee.sleep(0.5) return "waited" end)
app:get("/leak", function() for i = 1, 1e9 do kept[#kept + 1] = { i } end end)
return app
"""


class Memory(ServerCase):
    APP = APP
    SETTINGS = {"limits.memory": "16MiB", "limits.vm_memory": "64MiB", "limits.vm_memory_most": "128MiB",
                "limits.cpu": 20}

    def test_a_handler_over_its_budget_is_a_503_and_the_worker_goes_on(self):
        for name in ("table", "doubling", "list", "strings"):
            with self.subTest(bomb=name):
                problem = self.assert_problem(self.get(f"/bomb/{name}"), 503)
                self.assertEqual(problem["detail"], "the handler was over its memory budget")
                self.server.stderr.wait(f"{problem['request_id']}.*over its memory budget of 16 MiB.*stack traceback")
                self.assertEqual(self.get("/").text, "fine")

    def test_what_the_vm_can_never_hold_is_one_too(self):
        self.assert_problem(self.get("/rep/1000000000"), 503)
        # Between two finalizers nothing may be refused: the handler is stopped when it has it.
        self.server.stderr.wait(r"app.lua:13: (not enough memory: the Lua VM may hold 128 MiB \(limits.vm_memory_most\)|"
                                r"over its memory budget of 16 MiB)")
        self.assertEqual(self.get("/").text, "fine")

    def test_others_that_wait_lose_nothing_but_time(self):
        answers = []

        def wait():
            with self.server.client() as client:
                answers.append(client.get("/wait").text)
        waiting = [threading.Thread(target=wait) for _ in range(5)]
        for thread in waiting:
            thread.start()
        for name in ("table", "list"):
            self.assert_problem(self.get(f"/bomb/{name}"), 503)
        for thread in waiting:
            thread.join()
        self.assertEqual(answers, ["waited"] * 5)

    def test_garbage_is_none(self):
        self.assertEqual(self.get("/garbage").text, "done")


class Replacement(ServerCase):
    def test_what_a_stopped_handler_leaves_in_use_is_told_of(self):
        server = self.start(APP, settings=Memory.SETTINGS)
        self.assert_problem(server.get("/leak"), 503)
        server.stderr.wait("what a handler over its memory budget has left is still in use: the Lua VM holds "
                           r"[0-9.]+ MiB, before it held [0-9.]+ MiB")
        self.assertEqual(server.get("/").text, "fine")

    def test_a_vm_that_holds_too_much_is_replaced_by_a_fresh_one(self):
        server = self.start(APP, settings=Memory.SETTINGS)
        self.assertEqual(server.get("/keep").text, "kept")
        server.stderr.wait("the Lua VM of worker 1 holds [0-9]+ MiB, more than limits.vm_memory")
        server.stderr.wait("reloaded: generation 2")
        self.assertEqual(server.get("/kept").text, "0")


if __name__ == "__main__":
    unittest.main()
