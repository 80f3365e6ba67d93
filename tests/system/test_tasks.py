"""Tasks and timers: many at once, those of a request, shields, semaphores, and what a reload or the end does to them."""

import unittest

from harness import ServerCase, wait_until

APP = """
local perigee = require "perigee"
local app, shared = perigee.app(), perigee.shared("notes")
local semaphore, held = perigee.semaphore(2), 0
local function note(text) shared:incr(text) end

app:get("/note/{name}", function(req) return tostring(shared:get(req.params.name) or 0) end)

app:get("/crowd/{count:integer}", function(req)
  local functions = {}
  for i = 1, req.params.count do
    functions[i] = function()
      perigee.sleep(i % 2 == 0 and 0 or 0.001)
      return i
    end
  end
  local results, errors = perigee.all(functions)
  local sum = 0
  for _, value in ipairs(results) do sum = sum + value end
  return { sum = sum, failed = next(errors) ~= nil }
end)
app:get("/crowd-left/{count:integer}", function(req)
  for _ = 1, req.params.count do
    req:spawn(function()
      perigee.defer(note, "left")
      perigee.sleep(1e6)
    end)
  end
  perigee.sleep(0)
  return "gone"
end)

app:get("/fan", function()
  local results, errors = perigee.all({
    one = function() perigee.sleep(0.01) return 1 end,
    none = function() return nil, "refused" end,
    raises = function() error("oops", 0) end,
    never = function() perigee.defer(note, "never ended") perigee.sleep(1e6) end,
  }, { timeout = 0.1 })
  errors.raises = errors.raises:match("^[^\\n]*")
  return { results = results, errors = errors }
end)

local function child(req)
  req:spawn(function()
    perigee.defer(note, "child ended")
    perigee.sleep(1e6)
  end)
  perigee.sleep(0)
end
app:get("/child/return", function(req) child(req) return "x" end)
app:get("/child/error", function(req) child(req) error "deliberate" end)
app:get("/child/stream", function(req)
  child(req)
  return perigee.stream(function(write)
    perigee.sleep(0.01)
    write(shared:get("child ended") and "early" or "later")
  end)
end)
app:get("/child/leave", function(req) child(req) note("waiting") perigee.sleep(1e6) end)
app:get("/child/after", function(req)
  perigee.spawn(function()
    perigee.sleep(0.01)
    note(tostring(select(2, pcall(req.spawn, req, print))):match("request has ended") or "no error")
  end)
  return "x"
end)
app:get("/child/result", function(req)
  return (req:spawn(function(a, b) perigee.sleep(0) return a .. b end, "a", "b"):wait())
end)

app:get("/shield", function()
  note("waiting")
  perigee.shield(function()
    while (shared:get("go on") or 0) == 0 do perigee.sleep(0.005) end
    note("saved")
  end)
  note(pcall(perigee.sleep, 0) and "went on" or "then cancelled")
end)
app:get("/go-on", function() note("go on") return "x" end)

app:get("/hold", function()
  semaphore:with(function()
    held = held + 1
    perigee.defer(function() held = held - 1 end)
    note("waiting")
    perigee.sleep(1e6)
  end)
end)
app:get("/free", function()
  local count = 0
  while semaphore:acquire(0) do count = count + 1 end
  for _ = 1, count do semaphore:release() end
  return tostring(count)
end)

app:get("/every-in-handler", function()
  local runs = 0
  local timer
  timer = perigee.every(0.005, function()
    runs = runs + 1
    if runs == 3 then timer:cancel() end
  end)
  timer:wait()
  return tostring(runs)
end)
return app
"""

TIMERS = """
local perigee = require "perigee"
local app, shared = perigee.app(), perigee.shared("ticks")
app:start(function()
  perigee.every(0.005, function() shared:incr("VERSION on " .. perigee.worker.id) end)
  perigee.every(0.005, function() shared:incr("VERSION once on " .. perigee.worker.id) end, { once = true })
  perigee.every(0.005, function() error "a timer went wrong" end)
  perigee.cron("* * * * *", function() end, { once = true, utc = true })
end)
app:get("/ticks", function()
  local out = {}
  for _, key in ipairs(shared:keys()) do out[key] = shared:get(key) end
  return out
end)
return app
"""


class Tasks(ServerCase):
    APP = APP
    SETTINGS = {"limits.connections_per_address": 0}

    def noted(self, name, count=1):
        wait_until(lambda: int(self.get("/note/" + name.replace(" ", "%20")).text) >= count, f"{count} of {name}")

    def notes(self, name):
        return int(self.get("/note/" + name.replace(" ", "%20")).text)

    def leave(self, path, count=1):
        """Asks `count` times, waits until every handler waits, and leaves for good."""
        before = self.notes("waiting")
        clients = [self.connect() for _ in range(count)]
        for client in clients:
            client.send_request("GET", path)
        self.noted("waiting", before + count)
        for client in clients:
            client.abort()

    def test_one_request_runs_ten_thousand_tasks(self):
        for _ in range(2):
            self.assertEqual(self.get("/crowd/10000").json(), {"sum": 10000 * 10001 // 2, "failed": False})

    def test_ten_thousand_tasks_end_with_their_request(self):
        before = self.notes("left")
        self.assertEqual(self.get("/crowd-left/10000").text, "gone")
        self.noted("left", before + 10000)

    def test_all_gives_what_came_of_each(self):
        self.assertEqual(self.get("/fan").json(), {
            "results": {"one": 1}, "errors": {"none": "refused", "raises": "oops", "never": "timeout"}})
        self.noted("never ended")

    def test_a_requests_own_task_ends_with_it(self):
        for how in ("return", "error", "stream"):
            with self.subTest(how=how):
                before = self.notes("child ended")
                answer = self.get("/child/" + how)
                if how == "stream" and before == 0:
                    self.assertEqual(answer.text, "later")
                self.noted("child ended", before + 1)
        before = self.notes("child ended")
        self.leave("/child/leave")
        self.noted("child ended", before + 1)
        self.assertEqual(self.get("/child/result").text, "ab")
        self.get("/child/after")
        self.noted("request has ended")

    def test_a_shield_keeps_a_client_that_leaves_from_cancelling(self):
        self.leave("/shield")
        self.assertEqual(self.notes("saved"), 0)
        self.get("/go-on")
        self.noted("saved")
        self.noted("then cancelled")
        self.assertEqual(self.notes("went on"), 0)

    def test_cancelled_tasks_give_their_semaphores_back(self):
        self.assertEqual(self.get("/free").text, "2")
        self.leave("/hold", 2)
        wait_until(lambda: self.get("/free").text == "2", "the semaphore to be free")

    def test_a_timer_of_a_handler_runs_until_it_is_cancelled(self):
        self.assertEqual(self.get("/every-in-handler").text, "3")


class Timers(ServerCase):
    APP = TIMERS.replace("VERSION", "old")

    def test_timers_run_on_every_worker_or_on_one_and_stop_with_their_version(self):
        server = self.start(self.APP, workers=2)

        def ticks():
            return server.get("/ticks").json()

        wait_until(lambda: {"old on 1", "old on 2", "old once on 1"} <= set(ticks()), "the timers to run")
        self.assertNotIn("old once on 2", ticks())
        server.stderr.wait("error in the function of perigee.every at .*app.lua:\\d+: .*a timer went wrong", count=2)
        with server.client() as holder:
            holder.get("/ticks")
            server.write("app.lua", TIMERS.replace("VERSION", "new"))
            server.reload()
            before = ticks()
            wait_until(lambda: ticks().get("new once on 1", 0) >= 5 and ticks().get("new on 2", 0) >= 5,
                       "the new timers to run")
            after = ticks()
            for key in ("old on 1", "old on 2", "old once on 1"):
                self.assertLessEqual(after[key] - before[key], 1, key)  # one may have been under way

    def test_a_server_with_timers_stops_at_once(self):
        server = self.start(self.APP, settings={"server.drain": 30})
        wait_until(lambda: server.get("/ticks").json(), "the timers to run")
        server.stop()
        self.assertNotIn("did not end in time", server.stderr.text)


if __name__ == "__main__":
    unittest.main()
