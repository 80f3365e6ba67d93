"""Waiting without blocking: at any depth, cancelled when the client leaves, cleaned up whatever happens."""

import time
import unittest

from harness import SLOW, ServerCase, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
local notes = {}
local waiting = 0
local function note(text) notes[#notes + 1] = text end
local function pause() perigee.sleep(0.002) end

local depth = {}
function depth.plain() pause() return "ok" end
function depth.pcall()
  local ok, value = pcall(function() pause() return "ok" end)
  return ok and value
end
function depth.pcall_error()
  local ok, err = pcall(function() pause() error("told you") end)
  return not ok and tostring(err):find("told you", 1, true) and "ok"
end
function depth.xpcall()
  local ok, value = xpcall(function(a) pause() return a end, debug.traceback, "ok")
  return ok and value
end
function depth.nested_pcall()
  local function down(n)
    if n == 0 then pause() return "ok" end
    return select(2, pcall(down, n - 1))
  end
  return down(50)
end
function depth.wrap_iterator()
  local out = {}
  for value in coroutine.wrap(function() for i = 1, 3 do pause() coroutine.yield(i) end end) do
    pause()
    out[#out + 1] = value
  end
  return table.concat(out) == "123" and "ok"
end
function depth.coroutine_resume()
  local thread = coroutine.create(function(a)
    pause()
    local b = coroutine.yield(a + 1)
    pause()
    return b + 1
  end)
  local ok, first = coroutine.resume(thread, 1)
  local status = coroutine.status(thread)
  local also, second = coroutine.resume(thread, 10)
  return ok and also and first == 2 and second == 11 and status == "suspended" and coroutine.status(thread) == "dead"
    and "ok"
end
function depth.coroutine_error()
  local thread = coroutine.create(function() pause() error("inside", 0) end)
  local ok, err = coroutine.resume(thread)
  return not ok and err == "inside" and "ok"
end
function depth.coroutine_in_coroutine()
  local function nest(n) if n == 0 then pause() return "ok" end return coroutine.wrap(nest)(n - 1) end
  return nest(10)
end
function depth.generic_for()
  local function step(_, i) pause() if i < 3 then return i + 1 end end
  local sum = 0
  for i in step, nil, 0 do sum = sum + i end
  return sum == 6 and "ok"
end
function depth.require() return require("slow_module").answer end
function depth.metamethods()
  local meta = {}
  local object = setmetatable({}, meta)
  function meta.__index(_, key) pause() return key end
  function meta.__newindex(t, key, value) pause() rawset(t, key, value) end
  function meta.__call(_, a) pause() return a end
  function meta.__add(_, b) pause() return b end
  function meta.__concat(_, b) pause() return b end
  function meta.__lt() pause() return true end
  function meta.__eq() pause() return true end
  function meta.__unm() pause() return "minus" end
  local other = setmetatable({}, meta)
  object.set = "set"
  return object.key == "key" and rawget(object, "set") == "set" and object("call") == "call" and object + 5 == 5
    and object .. "x" == "x" and object < other and object == other and -object == "minus" and "ok"
end
for name, fn in pairs(depth) do app:get("/depth/" .. name, fn) end

app:get("/sort", function()
  local ok, err = pcall(table.sort, { 3, 2, 1 }, function(a, b) perigee.sleep(0) return a < b end)
  return { ok = ok, error = tostring(err) }
end)
app:get("/gsub", function()
  local ok, err = pcall(string.gsub, "abc", ".", function() perigee.sleep(0.01) end)
  return { ok = ok, error = tostring(err) }
end)
app:get("/sort-uncaught", function()
  table.sort({ 3, 2, 1 }, function(a, b) perigee.sleep(0) return a < b end)
end)
app:get("/sleep/{seconds:number}", function(req) perigee.sleep(req.params.seconds) return "slept" end)
app:get("/bad-sleep", function()
  local a = pcall(perigee.sleep, "x")
  local b = pcall(perigee.sleep, 0 / 0)
  return { a = a, b = b }
end)
app:get("/clock", function()
  local wall, steady = perigee.now(), perigee.monotonic()
  perigee.sleep(0.05)
  return { wall = perigee.now() - wall, steady = perigee.monotonic() - steady, now = wall }
end)

app:get("/spawn", function()
  local order = {}
  local task = perigee.spawn(function(a, b)
    pause()
    order[#order + 1] = "task"
    return a + b, "second"
  end, 3, 4)
  order[#order + 1] = "handler"
  local sum, second = task:wait()
  return { sum = sum, second = second, order = order }
end)
app:get("/spawn-timeout", function()
  local task = perigee.spawn(function() perigee.sleep(30) end)
  local value, err = task:wait(0.02)
  task:cancel()
  return { value = value == nil, error = err }
end)
app:get("/spawn-cancel", function()
  local seen, again
  local task = perigee.spawn(function()
    local ok, err = pcall(perigee.sleep, 30)
    seen = not ok and tostring(err)
    again = not pcall(perigee.sleep, 30)
  end)
  pause()
  task:cancel()
  local finished = task:wait(5)
  return { seen = seen, again = again, finished = finished == nil }
end)
app:get("/spawn-many", function()
  local tasks, sum = {}, 0
  for i = 1, 200 do tasks[i] = perigee.spawn(function(n) pause() return n end, i) end
  for _, task in ipairs(tasks) do sum = sum + task:wait() end
  return { sum = sum }
end)
app:get("/spawn-fails", function()
  perigee.spawn(function() error("a task went wrong") end)
  return "ok"
end)
app:get("/outlives", function()
  perigee.spawn(function() perigee.sleep(0.05) note("outlived") end)
  return "ok"
end)

app:get("/leave", function()
  perigee.defer(function() note("deferred") end)
  waiting = waiting + 1
  local first, one = pcall(perigee.sleep, 30)
  local second, two = pcall(perigee.sleep, 30)
  waiting = waiting - 1
  note(("caught %s %s %s %s"):format(tostring(first), tostring(one), tostring(second), tostring(two)))
  perigee.sleep(30)
  note("went on")
end)
app:get("/leave-uncaught", function()
  perigee.defer(function() note("deferred") end)
  waiting = waiting + 1
  perigee.defer(function() waiting = waiting - 1 end)
  perigee.sleep(30)
  note("went on")
end)
app:get("/leave-stream", function()
  return perigee.stream(function(write)
    perigee.defer(function() waiting = waiting - 1 note("deferred") end)
    waiting = waiting + 1
    while write(("x"):rep(10000)) do perigee.sleep(0.001) end
  end)
end)
app:get("/defer/{how}", function(req)
  local how = req.params.how
  perigee.defer(note, "first " .. how)
  perigee.defer(function() note("second " .. how) end)
  if how == "error" then error("deliberate") end
  if how == "problem" then error(perigee.problem(409, "x")) end
  if how == "wait" then pause() end
  return how
end)
app:get("/defer-fails", function()
  perigee.defer(function() note("still run") end)
  perigee.defer(function() error("a deferred function went wrong") end)
  return "answered"
end)
app:get("/defer-in-task", function()
  local task = perigee.spawn(function() perigee.defer(note, "task deferred") pause() end)
  task:wait()
  return "ok"
end)
app:get("/waiting", function() return tostring(waiting) end)
app:get("/notes", function()
  local out = notes
  notes = {}
  return perigee.array(out)
end)
return app
"""

MODULE = """
local perigee = require "perigee"
perigee.sleep(0.002)
return { answer = "ok" }
"""


class Waiting(ServerCase):
    APP = APP
    FILES = {"slow_module.lua": MODULE}
    SETTINGS = {"limits.connections_per_address": 0}

    def setUp(self):
        self.get("/notes")

    def notes_when(self, *texts):
        """The notes taken, once all of `texts` are begun by one of them."""
        taken = []

        def complete():
            taken.extend(self.get("/notes").json())
            return all(any(note.startswith(text) for note in taken) for text in texts)
        wait_until(complete, f"{texts} among {taken}")
        return taken

    def leave(self, path):
        """Asks, waits until the handler waits, and leaves for good."""
        with self.server.client() as client:
            client.send_request("GET", path)
            wait_until(lambda: self.get("/waiting").text == "1", "the handler to wait")
            client.abort()
        wait_until(lambda: self.get("/waiting").text == "0", "the handler to be told")

    def test_sleep_waits_at_every_depth(self):
        for name in ("plain", "pcall", "pcall_error", "xpcall", "nested_pcall", "wrap_iterator", "coroutine_resume",
                     "coroutine_error", "coroutine_in_coroutine", "generic_for", "require", "metamethods"):
            for _ in range(2):
                with self.subTest(name=name):
                    response = self.get("/depth/" + name)
                    self.assertEqual((response.status, response.text), (200, "ok"), self.server.stderr.text[-2000:])

    def test_a_callback_of_a_c_function_cannot_wait_and_the_error_says_so(self):
        for path in ("/sort", "/gsub"):
            answer = self.get(path).json()
            self.assertIs(answer["ok"], False)
            self.assertIn("wait", answer["error"])
        since = len(self.server.stderr.text)
        self.assert_problem(self.get("/sort-uncaught"), 500)
        self.server.stderr.wait(r"app\.lua:\d+", since=since)
        self.assertEqual(self.get("/depth/plain").text, "ok")

    def test_sleep_refuses_what_is_no_time(self):
        self.assertEqual(self.get("/bad-sleep").json(), {"a": False, "b": False})
        for seconds in ("0", "0.001"):
            self.assertEqual(self.get("/sleep/" + seconds).text, "slept")

    def test_sleep_takes_as_long_as_it_says(self):
        answer = self.get("/clock").json()
        self.assertGreaterEqual(answer["steady"], 0.049)
        self.assertLess(answer["steady"], 0.05 + SLOW)
        self.assertGreaterEqual(answer["wall"], 0.04)
        self.assertAlmostEqual(answer["now"], time.time(), delta=10)

    def test_a_thousand_sleepers_wait_together_on_one_worker(self):
        begin = time.monotonic()
        clients = [self.connect() for _ in range(1000)]
        for client in clients:
            client.send_request("GET", "/sleep/0.5")
        self.assertEqual([client.read_response().text for client in clients], ["slept"] * 1000)
        self.assertLess(time.monotonic() - begin, 5 * SLOW)

    def test_spawn_runs_beside_its_maker_and_wait_gives_its_results(self):
        answer = self.get("/spawn").json()
        self.assertEqual((answer["sum"], answer["second"]), (7, "second"))
        self.assertEqual(sorted(answer["order"]), ["handler", "task"])

    def test_wait_gives_up_after_its_timeout(self):
        answer = self.get("/spawn-timeout").json()
        self.assertIs(answer["value"], True)
        self.assertTrue(answer["error"].startswith("timeout"))

    def test_cancel_raises_at_the_wait_and_again_at_the_next(self):
        answer = self.get("/spawn-cancel").json()
        self.assertIn("cancel", answer["seen"])
        self.assertIs(answer["again"], True)

    def test_hundreds_of_tasks_at_once(self):
        self.assertEqual(self.get("/spawn-many").json(), {"sum": 200 * 201 // 2})

    def test_a_task_outlives_its_request(self):
        self.assertEqual(self.get("/outlives").text, "ok")
        self.notes_when("outlived")

    def test_a_task_that_fails_is_logged_and_the_worker_goes_on(self):
        self.assertEqual(self.get("/spawn-fails").text, "ok")
        self.server.stderr.wait("a task went wrong")
        self.assertEqual(self.get("/depth/plain").text, "ok")

    def test_a_client_that_leaves_cancels_its_handler_at_every_wait(self):
        self.leave("/leave")
        (caught,) = [note for note in self.notes_when("caught", "deferred") if note.startswith("caught")]
        self.assertRegex(caught, r"^caught false .*cancelled.* false .*cancelled")
        self.assertNotIn("went on", self.get("/notes").json())

    def test_a_handler_that_does_not_catch_it_ends_and_is_no_error(self):
        since = len(self.server.stderr.text)
        self.leave("/leave-uncaught")
        self.notes_when("deferred")
        self.assertNotIn(" 500", self.server.stderr.text[since:])

    def test_a_stream_learns_that_its_client_left(self):
        self.leave("/leave-stream")
        self.notes_when("deferred")

    def test_a_half_close_does_not_cancel(self):
        with self.server.client() as client:
            client.send_request("GET", "/sleep/0.1")
            client.half_close()
            self.assertEqual(client.read_response().text, "slept")

    def test_defer_runs_on_return_error_and_problem(self):
        for how in ("return", "error", "problem", "wait"):
            with self.subTest(how=how):
                self.get("/defer/" + how)
                self.notes_when("first " + how, "second " + how)
        self.get("/defer-in-task")
        self.notes_when("task deferred")

    def test_a_deferred_function_that_fails_is_logged_and_the_others_run(self):
        self.assertEqual(self.get("/defer-fails").text, "answered")
        self.notes_when("still run")
        self.server.stderr.wait("a deferred function went wrong")

    def test_leaving_in_crowds_leaves_nothing_behind(self):
        with self.server.client() as witness:
            witness.get("/waiting")
            descriptors = self.server.descriptors()
            clients = [self.connect() for _ in range(100)]
            for client in clients:
                client.send_request("GET", "/leave-uncaught")
            wait_until(lambda: witness.get("/waiting").text == "100", "all to wait")
            for client in clients:
                client.abort()
            wait_until(lambda: witness.get("/waiting").text == "0", "all to be told")
            wait_until(lambda: self.server.descriptors() <= descriptors, "all to be gone")


TOP_LEVEL = """
local perigee = require "perigee"
perigee.sleep(0.01)
return perigee.app()
"""


ENDS = """
local perigee = require "perigee"
local app, notes = perigee.app(), {}
app:after(function(req)
  if req.path == "/late" then
    local address = req.remote_addr
    perigee.defer(function() notes[#notes + 1] = "late " .. address end)
  end
end)
app:get("/late", function() return "answered" end)
app:get("/chain/{count:integer}", function(req)
  local left = req.params.count
  local function step()
    left = left - 1
    if left > 0 then perigee.defer(step) else notes[#notes + 1] = "chain" end
  end
  perigee.defer(step)
  return "answered"
end)
app:get("/stray", function()
  local value, err = perigee.spawn(function() coroutine.yield() end):wait(5)
  return tostring(value) .. ": " .. tostring(err)
end)
app:get("/paced", function()
  return perigee.stream(function(write)
    write(("x"):rep(8000000))
    local begin = perigee.monotonic()
    perigee.sleep(0.5)
    write(("%.3f"):format(perigee.monotonic() - begin))
  end)
end)
app:get("/load/{name}", function(req) return require(req.params.name) end)
app:get("/notes", function() return perigee.json(perigee.array(notes)) end)
return app
"""

MUTUAL = """
local perigee = require "perigee"
perigee.sleep(0.1)
return "OWN, with " .. require "OTHER"
"""


class Ends(ServerCase):
    """What runs when a request or a task is over, and what wakes one that waits."""

    APP = ENDS
    FILES = {f"{own}.lua": MUTUAL.replace("OWN", own).replace("OTHER", other)
             for own, other in (("here", "there"), ("there", "here"))}

    def noted(self, text):
        wait_until(lambda: text in self.get("/notes").json(), text)

    def test_an_after_hook_may_defer_and_sees_its_own_requests_address(self):
        self.assertEqual(self.get("/late").text, "answered")
        self.noted("late 127.0.0.1")

    def test_deferred_functions_may_defer_others_however_many(self):
        self.assertEqual(self.get("/chain/100000").text, "answered")
        self.noted("chain")

    def test_modules_that_tasks_load_for_one_another_in_a_circle_are_a_loop_and_no_deadlock(self):
        begin = time.monotonic()
        with self.server.client() as first, self.server.client() as second:
            first.send_request("GET", "/load/here")
            second.send_request("GET", "/load/there")
            self.assertEqual({first.read_response().status, second.read_response().status}, {500})
        self.server.stderr.wait("loop while loading module")
        self.assertLess(time.monotonic() - begin, 5 * SLOW)

    def test_who_waits_for_a_task_is_told_of_a_stray_yield_in_it(self):
        self.assertRegex(self.get("/stray").text, "nil: attempt to yield")

    def test_a_stream_that_sleeps_is_not_woken_by_its_output_going_out(self):
        self.assertGreaterEqual(float(self.get("/paced").body[8000000:]), 0.5)


class TopLevel(ServerCase):
    def test_the_top_level_of_an_app_may_not_wait_and_the_error_names_app_start(self):
        server = self.start("local app = require('perigee').app() app:get('/', function() return 'old' end) return app")
        server.write("app.lua", TOP_LEVEL)
        server.reload(ok=False)
        server.stderr.wait(r"app\.lua:3.*app:start")
        self.assertEqual(server.get("/").text, "old")

    def test_a_start_hook_may_wait(self):
        server = self.start("""
            local perigee = require "perigee"
            local app, ready = perigee.app(), false
            app:start(function() perigee.sleep(0.05) ready = true end)
            app:get("/", function() return tostring(ready) end)
            return app""")
        self.assertEqual(server.get("/").text, "true")


if __name__ == "__main__":
    unittest.main()
