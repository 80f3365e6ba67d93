"""Handlers and other code of an app that never ends: stopped, told of in the log, and nobody else's trouble."""

import os
import threading
import unittest

from harness import Server, ServerCase, run_perigee, wait_until

LOOPS = {
    "while": "while true do end",
    "repeat": "repeat until false",
    "for": "for i = 1, 1e18 do end",
    "recursion": "local function f() return f() end f()",
    "garbage": "local t while true do t = { t and t[1] } end",
    "concatenation": "while true do local s = '' for i = 1, 1000 do s = s .. i end end",
    "pcall": "while true do pcall(spin) end",
    "xpcall": "while true do xpcall(spin, spin) end",
    "wrap": "while true do pcall(coroutine.wrap(spin)) end",
    "callback": "('x'):gsub('x', spin)",
    "metamethod": "return tostring(setmetatable({}, { __tostring = spin }))",
    "finalizer": "local p = newproxy(true) getmetatable(p).__gc = spin p = nil collectgarbage()",
    "waits": "while true do for i = 1, 1e6 do local x = i % 3 end perigee.sleep(0) end",
}
APP = """
local perigee = require "perigee"
local app = perigee.app()
local function spin() while true do end end
app:get("/", function() return "fine" end)
app:get("/spawn", function() perigee.spawn(spin) return "fine" end)
app:get("/defer", function() perigee.defer(spin) return "fine" end)
app:get("/stream", function() return perigee.stream(function(write) write("a") spin() end) end)
app:get("/route", { limits = { cpu = 0.05 } }, function() spin() end)
app:get("/patient", { limits = { cpu = 0 } }, function()
  local begun = os.clock()
  while os.clock() - begun < 0.5 do end
  return "done"
end)
local slots = perigee.semaphore(3)
local function hold() slots:acquire() spin() end
app:get("/hold/here", hold)
app:get("/hold/task", function() return perigee.spawn(hold):wait() or "fine" end)
app:get("/hold/all", function() perigee.all { hold } return "fine" end)
app:get("/free", function()
  local count = 0
  while slots:acquire(0) do count = count + 1 end
  for _ = 1, count do slots:release() end
  return tostring(count)
end)
local later = perigee.app()
later:after(spin)
later:get("/", function() return "fine" end)
app:mount("/after", later)
local broken = perigee.app()
broken:error(spin)
broken:get("/", spin)
app:mount("/error", broken)
local inside = perigee.app()
inside:use(function(req, inner) pcall(inner, req) spin() end)
inside:get("/", spin)
app:mount("/middleware", inside)
""" + "\n".join(f'app:get("/{name}", function() {body} end)' for name, body in LOOPS.items()) + "\nreturn app\n"

ENDLESS = "while true do end"


class Runaway(ServerCase):
    APP = APP
    SETTINGS = {"limits.cpu": 0.2}

    def assert_stopped(self, path, pattern="over its CPU limit of 0.2 s", count=1):
        since = len(self.server.stderr.text)
        response = self.get(path)
        self.server.stderr.wait(pattern + ".*\n", count=count, since=since)
        self.assertEqual(self.get("/").text, "fine")
        return response

    def test_no_loop_goes_on(self):
        for name in LOOPS:
            with self.subTest(loop=name):
                problem = self.assert_problem(self.assert_stopped(f"/{name}"), 503)
                self.assertEqual(problem["detail"], "the handler was over its CPU limit")
                line = self.server.stderr.lines("over its CPU limit")[-1]
                self.assertIn(problem["request_id"], line)
                self.assertIn("stack traceback", line)
                self.assertIn(f"GET /{name}", line)

    def test_what_is_no_handler_is_stopped_too(self):
        for path in ("/spawn", "/defer", "/after"):
            with self.subTest(path=path):
                self.assertEqual(self.assert_stopped(path).text, "fine")

    def test_what_answers_for_a_stopped_handler_is_stopped_too(self):
        for path in ("/error", "/middleware"):
            with self.subTest(path=path):
                self.assert_problem(self.assert_stopped(path, count=2), 503)

    def test_what_it_had_taken_of_a_semaphore_is_given_back(self):
        for path, status in (("/hold/here", 503), ("/hold/task", 200), ("/hold/all", 200)):
            with self.subTest(path=path):
                self.assertEqual(self.get(path).status, status)
                wait_until(lambda: self.get("/free").text == "3", "the semaphore to be free")

    def test_a_stream_breaks_off(self):
        with self.server.client() as client:
            client.send_request("GET", "/stream")
            self.assertNotIn(b"0\r\n\r\n", client.read_to_end())
        self.assertEqual(self.get("/").text, "fine")

    def test_a_route_has_a_limit_of_its_own(self):
        self.assert_problem(self.assert_stopped("/route", "over its CPU limit of 0.05 s"), 503)
        self.assertEqual(self.get("/patient").text, "done")

    def test_other_clients_lose_nothing_but_time(self):
        answers = []

        def ask():
            with self.server.client() as client:
                for _ in range(20):
                    answers.append(client.get("/").text)
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            self.assert_problem(self.get("/pcall"), 503)
        for thread in threads:
            thread.join()
        self.assertEqual(answers, ["fine"] * 80)


class Loading(ServerCase):
    SETTINGS = {"server.reload_timeout": 0.5, "limits.cpu": 0.2}
    MISTAKE = "app.lua:1: the app did not load within 0.5 s \\(server.reload_timeout\\)"

    def test_an_app_file_that_never_ends_is_a_failed_reload_and_the_next_works(self):
        server = self.start(APP, settings=self.SETTINGS, workers=2)
        server.write("app.lua", ENDLESS)
        since = len(server.stderr.text)
        server.reload(ok=False)
        server.stderr.wait("reload failed, nothing was changed: .*" + self.MISTAKE, since=since)
        self.assertEqual(server.get("/").text, "fine")
        server.write("app.lua", APP.replace('return "fine"', 'return "new"'))
        server.reload()
        self.assertEqual(server.get("/").text, "new")

    def test_start_hooks_that_never_end_are_one_too(self):
        server = self.start(APP, settings=self.SETTINGS)
        server.write("app.lua", APP.replace("return app", "app:start(spin) return app"))
        server.reload(ok=False)
        self.assertEqual(server.get("/").text, "fine")
        server.write("app.lua", APP)
        server.reload()

    def test_it_is_no_start_either(self):
        server = Server(ENDLESS, settings=self.SETTINGS, expect_start=False)
        self.addCleanup(server.kill)
        self.assertEqual(server.wait_exit(), 1)
        self.assertRegex(server.stderr.text, self.MISTAKE)

    def test_check_says_so(self):
        server = self.start(APP)
        server.write("app.lua", ENDLESS)
        done = run_perigee("check", "--app", str(server.app_path), "--set", "server.reload_timeout=0.5",
                           cwd=server.directory)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout + done.stderr, self.MISTAKE)


class Blocks(ServerCase):
    APP = """
    local app = require("perigee").app()
    app:get("/execute", function()
      os.execute("sleep 0.2")
      return "slept"
    end)
    app:get("/popen", function()
      local pipe = io.popen("sleep 0.2; echo done")
      local text = pipe:read("*a")
      pipe:close()
      return text
    end)
    app:get("/until-released", function()
      os.execute("cat pipe")
      return "released"
    end)
    return app
    """

    def test_a_worker_that_is_held_up_is_reported_with_where_and_for_how_long(self):
        for path, place in (("/execute", "[45]"), ("/popen", "(9|10|11)")):
            server = self.start(self.APP)
            self.assertEqual(server.get(path).status, 200)
            line = server.stderr.wait(r"warn \[\w+\] the worker was held up for (\d+) ms.*app.lua:" + place + ": in function")
            self.assertGreaterEqual(int(line.group(1)), 150)

    def test_one_that_lasts_is_told_of_before_its_end(self):
        server = self.start(self.APP)
        pipe = server.directory / "pipe"
        os.mkfifo(pipe)
        with server.client() as client:
            client.send_request("GET", "/until-released")
            server.stderr.wait("warn a worker has been held up by .* for 5 s and still is")
            pipe.write_text("")
            self.assertEqual(client.read_response().text, "released")

    def test_nobody_reports_where_none_is_wanted(self):
        server = self.start(self.APP, settings={"limits.blocked": 0})
        self.assertEqual(server.get("/execute").text, "slept")
        self.assertEqual(server.stderr.lines("held up"), [])


if __name__ == "__main__":
    unittest.main()
