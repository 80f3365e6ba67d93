"""perigee.run: jobs on background VMs, while the one worker serves others."""

import textwrap
import unittest

from harness import Client, ServerCase, run_perigee, wait_until

APP = """
local perigee = require "perigee"
local app, shared = perigee.app(), perigee.shared("notes")

app:get("/note/{name}", function(req) return tostring(shared:get(req.params.name) or 0) end)
app:get("/set/{name}", function(req) shared:set(req.params.name, true) return "set" end)

-- Runs a function of jobs.lua: what it returned, or raised.
app:get("/job/{name}", { limits = { time = 20 } }, function(req)
  local ok, value, err = pcall(perigee.run, "jobs", req.params.name, req.query.a)
  return { ok = ok, value = value, err = err }
end)
app:get("/limited/{name}", { limits = { time = 0.1 } }, function(req)
  return (perigee.run("jobs", req.params.name))
end)
app:get("/raise", function() return { (perigee.run("jobs", "fail")) } end)

app:get("/values", function()
  local count = select("#", perigee.run("jobs", "same", nil, nil))
  local text, number, yes, list, empty, null = perigee.run("jobs", "same", "a\\0b", 1 / 3, true,
    { 1, { deep = { "x" } }, three = 3 }, {}, perigee.null)
  return { count, #text, number == 1 / 3, yes, list[2].deep[1], list.three, next(empty) == nil, null == perigee.null }
end)
app:get("/copies", function()
  local mine = { 1 }
  local theirs = perigee.run("jobs", "change", mine)
  return { mine[1], theirs[1] }
end)

local function refused(...)
  local ok, err = pcall(perigee.run, ...)
  return not ok and (err:match("^[^\\n]*"):gsub("^.-app.lua:%d+: ", ""))
end
app:get("/mistakes", function()
  local cycle = {}
  cycle.self = cycle
  return {
    refused("jobs", "same", print), refused("jobs", "same", 1, { f = { print } }), refused("jobs", "same", cycle),
    refused(7, "f"), refused("jobs", ""), refused("nowhere", "f"), refused("jobs", "nothing"), refused("no_table", "f"),
    refused("broken", "f"), refused("jobs", "give_function"), refused("jobs", "nested"), refused("jobs", "stray"),
  }
end)
app:get("/below", function()
  table.sort({ 2, 1 }, function() return perigee.run("jobs", "same", 1) == 1 end)
end)
app:get("/coroutine", function()
  local out = {}
  for value in coroutine.wrap(function()
    for i = 1, 3 do coroutine.yield((perigee.run("jobs", "same", i))) end
  end) do
    out[#out + 1] = value
  end
  return out
end)

app:get("/many/{count:integer}", function(req)
  local functions = {}
  for i = 1, req.params.count do
    functions[i] = function() return perigee.run("jobs", "square", i) end
  end
  local results, errors = perigee.all(functions)
  local sum, refused, err = 0, 0, nil
  for i = 1, req.params.count do
    sum = sum + (results[i] or 0)
    refused, err = refused + (errors[i] and 1 or 0), errors[i] or err
  end
  return { sum = sum, refused = refused, err = err }
end)
app:get("/leave/{count:integer}", function(req)
  for _ = 1, req.params.count do
    req:spawn(perigee.run, "jobs", "endless")
  end
  perigee.sleep(0)
  return "left"
end)
app:get("/uses", function() return perigee.run("jobs", "uses") end)
app:after(function() if shared:get("after") then shared:set("after", perigee.run("jobs", "square", 7)) end end)
return app
"""

JOBS = """
local perigee = require "perigee"
local shared = perigee.shared("notes")
local M, calls = {}, 0

function M.same(...) return ... end
function M.change(t) t[1] = 2 return t end
function M.square(n) return n * n end
function M.fail() error("on purpose") end
function M.refuse() return nil, "refused by the job" end
function M.give_function() return 1, { print } end
function M.nested() return perigee.run("jobs", "square", 2) end
function M.stray() coroutine.yield(1) end
function M.version() return 1 end
function M.calls() calls = calls + 1 return calls end
function M.worker() return perigee.worker end
-- Computes until somebody says that it may end.
function M.until_set(name)
  shared:set(name .. " began", true)
  while not shared:get(name) do end
  return name
end
function M.endless()
  shared:incr("began")
  while true do pcall(M.square, 3) end
end
function M.endless_wait()
  shared:incr("began")
  perigee.defer(function() shared:incr("wait ended") end)
  perigee.sleep(1e6)
end
function M.spawner()
  perigee.spawn(function() perigee.sleep(0.01) shared:set("spawned", true) end)
end
function M.uses()
  perigee.sleep(0.001)
  local got = perigee.all { function() perigee.sleep(0) return "a" end, function() return "b" end }
  perigee.log.info("said in a job")
  local digits = perigee.crypto.hex(perigee.crypto.sha256("x")):sub(1, 6)
  return { config = perigee.config.word, all = got[1] .. got[2], digits = digits, other = require("other").word }
end
return M
"""

FILES = {"jobs.lua": JOBS, "no_table.lua": "return 7", "broken.lua": "return {\n  f = = 1 }",
         "other.lua": "return { word = 'beside' }"}
SETTINGS = {"background.threads": 2}


class Values(ServerCase):
    APP, FILES, CONFIG, SETTINGS = APP, FILES, "[app]\nword = 'configured'\n", SETTINGS

    def test_plain_data_goes_in_and_out(self):
        self.assertEqual(self.get("/values").json(), [2, 3, True, True, "x", 3, True, True])
        self.assertEqual(self.get("/copies").json(), [1, 2])
        self.assertEqual(self.get("/job/refuse").json(), {"ok": True, "err": "refused by the job"})

    def test_mistakes_are_named(self):
        shown = self.get("/mistakes").json()
        expected = [
            "perigee.run passes on plain data only: a function at argument 1",
            "perigee.run passes on plain data only: a function at argument 2.f[1]",
            "perigee.run passes on plain data only: a cycle at argument 1.self",
            "bad argument #1 to 'run' (the name of a module expected, got number)",
            "bad argument #2 to 'run' (the name of a function expected, got an empty one)",
            "perigee.run of 'f' in 'nowhere': module 'nowhere' not found:",
            "perigee.run of 'nothing' in 'jobs': the module 'jobs' has no function 'nothing'",
            "perigee.run of 'f' in 'no_table': the module 'no_table' returns no table of functions, but a number",
            "perigee.run of 'f' in 'broken': ",
            "perigee.run of 'give_function' in 'jobs': it returned what can't be passed on: a function at result 2[1]",
            "perigee.run of 'nested' in 'jobs': ",
            "perigee.run of 'stray' in 'jobs': attempt to yield outside a coroutine of the program's own",
        ]
        self.assertEqual(len(shown), len(expected))
        for text, start in zip(shown, expected):
            self.assertTrue(text.startswith(start), text)
        self.assertIn("broken.lua:2: unexpected symbol", shown[8])
        self.assertIn("perigee.run can't be used here", shown[10])

    def test_an_error_comes_with_the_traceback_of_the_background(self):
        self.assertEqual(self.get("/raise").status, 500)
        line = self.server.stderr.wait(r"error .*on purpose.*").group(0)
        self.assertRegex(line, r"app.lua:\d+: perigee.run of 'fail' in 'jobs': \S*jobs.lua:9: on purpose\\nstack traceback:"
                               r"\\n\\t\[C\]: in function 'error'\\n\\t\S*jobs.lua:9: in function")
        self.assertIn("GET /raise", line)

    def test_it_waits_wherever_waiting_works(self):
        self.assertEqual(self.get("/coroutine").json(), [1, 2, 3])
        self.assertEqual(self.get("/below").status, 500)
        self.server.stderr.wait(r"app.lua:\d+: perigee.run can't wait here: a C function is calling back")

    def test_a_job_may_use_and_wait_for_what_the_app_may(self):
        self.assertEqual(self.get("/uses").json(),
                         {"config": "configured", "all": "ab", "digits": "2d7116", "other": "beside"})
        self.server.stderr.wait("said in a job")
        self.assertEqual(self.get("/job/worker").json()["value"]["count"], 2)
        self.get("/job/spawner")
        wait_until(lambda: self.get("/note/spawned").text == "true", "the task of a job that has ended")

    def test_after_hooks_run_jobs(self):
        self.get("/set/after")
        wait_until(lambda: self.get("/note/after").text == "49", "the job of an after hook")

    def test_the_worker_serves_others_while_a_job_computes(self):
        with self.connect() as busy:
            busy.send_request("GET", "/job/until_set?a=others")
            wait_until(lambda: self.get("/note/others%20began").text == "true", "the job")
            self.assertEqual(self.get("/set/others").text, "set")
            self.assertEqual(busy.read_response().json()["value"], "others")

    def test_a_thousand_at_once(self):
        self.assertEqual(self.get("/many/1000").json(), {"sum": 1000 * 1001 * 2001 // 6, "refused": 0})


class Ends(ServerCase):
    APP, FILES = APP, FILES
    SETTINGS = {"background.threads": 1, "background.queue": 3, "background.cpu": 0.3}

    def test_a_job_over_its_time_is_stopped(self):
        answer = self.get("/job/endless").json()
        self.assertRegex(answer["err"], r"^timeout: \S*jobs.lua:\d+: over its CPU limit of 0.3 s\nstack traceback:")
        self.assertEqual(self.get("/job/square?a=3").json()["value"], 9)

    def test_one_too_many_is_told_so(self):
        with self.connect() as busy:
            busy.send_request("GET", "/job/until_set?a=full")
            wait_until(lambda: self.get("/note/full%20began").text == "true", "the job")
            answer = self.get("/many/10").json() if self.get("/set/full") else None
            busy.read_response()
        self.assertEqual(answer["sum"] > 0, True)
        crowd = self.get("/many/500").json()
        self.assertGreater(crowd["refused"], 0)
        self.assertEqual(crowd["err"], "full: too many jobs wait for their turn (background.queue)")


class Abandoned(ServerCase):
    APP, FILES = APP, FILES
    SETTINGS = {"background.threads": 1, "background.queue": 3, "background.cpu": 0}

    def began(self):
        return int(self.get("/note/began").text)

    def test_the_job_of_a_handler_over_its_time_is_stopped(self):
        for name in ("endless", "endless_wait", "endless"):
            self.assertEqual(self.get("/limited/" + name).status, 503)
        self.assertEqual(self.get("/job/square?a=3").json()["value"], 9)
        self.assertEqual(self.get("/note/wait%20ended").text, "1")

    def test_the_job_of_a_client_that_left_is_stopped(self):
        before = self.began()
        with self.connect() as client:
            client.send_request("GET", "/job/endless")
            wait_until(lambda: self.began() > before, "the job")
            client.abort()
        self.assertEqual(self.get("/job/square?a=4").json()["value"], 16)

    def test_jobs_that_were_given_up_leave_the_queue(self):
        for _ in range(20):
            self.assertEqual(self.get("/leave/4").text, "left")
        # The last four are cancelled behind their request's answer.
        wait_until(lambda: self.get("/job/square?a=5").json().get("value") == 25, "room in the queue")

    def test_a_vm_lives_on_after_a_job_was_stopped(self):
        first = self.get("/job/calls").json()["value"]
        self.assertEqual(self.get("/limited/endless").status, 503)
        self.assertEqual(self.get("/job/calls").json()["value"], first + 1)


class Reloading(ServerCase):
    def test_new_code_reaches_the_background(self):
        server = self.start(APP, files=FILES, settings={"background.threads": 1})
        self.assertEqual(server.get("/job/version").json()["value"], 1)
        server.write("jobs.lua", JOBS.replace("M.version() return 1", "M.version() return 2"))
        self.assertEqual(server.get("/job/version").json()["value"], 1)
        server.reload()
        self.assertEqual(server.get("/job/version").json()["value"], 2)

    def test_a_start_hook_of_a_new_version_gets_new_code(self):
        hook = 'app:start(function() shared:set("version", perigee.run("jobs", "version")) end)\nreturn app'
        server = self.start(APP.replace("\nreturn app", hook), files=FILES, settings={"background.threads": 1})
        self.assertEqual(server.get("/note/version").text, "1")
        server.write("jobs.lua", JOBS.replace("M.version() return 1", "M.version() return 2"))
        server.reload()
        self.assertEqual(server.get("/note/version").text, "2")

    def test_jobs_that_run_at_a_reload_end_where_they_began(self):
        server = self.start(APP, files=FILES, settings={"background.threads": 1})
        with Client(server.address) as busy:
            busy.send_request("GET", "/job/until_set?a=go")
            wait_until(lambda: server.get("/note/go%20began").text == "true", "the job")
            server.reload()
            server.get("/set/go")
            self.assertEqual(busy.read_response().json()["value"], "go")
        self.assertEqual(server.get("/job/calls").json()["value"], 1)


class Stopping(ServerCase):
    def test_a_server_that_stops_lets_jobs_end(self):
        server = self.start(APP, files=FILES)
        with Client(server.address) as busy, Client(server.address) as other:
            busy.send_request("GET", "/job/until_set?a=go")
            wait_until(lambda: other.request("GET", "/note/go%20began").text == "true", "the job")
            other.send_request("GET", "/set/go")
            server.stop()
            self.assertEqual(busy.read_response().json()["value"], "go")

    def test_and_stops_those_that_do_not_by_its_deadline(self):
        server = self.start(APP, files=FILES, settings={"server.drain": 0.2, "background.cpu": 0, "background.threads": 2})
        with Client(server.address) as one, Client(server.address) as two, Client(server.address) as three:
            one.send_request("GET", "/job/endless")
            two.send_request("GET", "/job/endless_wait")
            wait_until(lambda: server.get("/note/began").text == "2", "the jobs")
            three.send_request("GET", "/job/endless")
            server.stop()
            self.assertEqual([client.read_response().status for client in (one, two, three)], [200, 200, 200])


class Testing(ServerCase):
    def test_an_app_under_test_runs_jobs(self):
        server = self.start(APP, files=FILES)
        spec = server.write("jobs_spec.lua", textwrap.dedent("""
            local test = require "perigee.test"
            it("runs a job", function()
              local client = test.app "app.lua"
              assert.equal(81, client:get("/job/square?a=9"):json().value)
              client:close()
            end)
            it("runs a job of a served app", function()
              local server = test.server "app.lua"
              assert.equal(64, server:get("/job/square?a=8"):json().value)
            end)
        """))
        ran = run_perigee("test", spec, cwd=server.directory)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)


if __name__ == "__main__":
    unittest.main()
