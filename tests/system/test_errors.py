"""Handlers that go wrong: each is a 500 with its request's id, one event in the log, and the worker goes on."""

import json
import unittest

from harness import ServerCase

APP = """
local perigee = require "perigee"
local app = perigee.app()
local count = 0

local function below() error("thrown from below") end
local wrong = {}
function wrong.string() below() return "never" end
function wrong.table() error({ code = 7 }) end
function wrong.table_with_tostring() error(setmetatable({}, { __tostring = function() return "spoken by a table" end })) end
function wrong.nothing() error(nil) end
function wrong.number() error(42) end
function wrong.index() local x; return x.field end
function wrong.coroutine() coroutine.wrap(function() error("thrown in a coroutine") end)() end
function wrong.coroutine_that_waited()
  coroutine.wrap(function() perigee.sleep(0.001) error("thrown after a wait") end)()
end
function wrong.metamethod()
  return setmetatable({}, { __index = function() error("thrown in a metamethod") end }).field
end
function wrong.recursion() return (wrong.recursion()) .. "x" end
function wrong.recursion_in_metamethod()
  local t
  t = setmetatable({}, { __index = function(_, key) return t[key .. "x"] end })
  return t.x
end
function wrong.recursion_in_callbacks()
  return (string.gsub("x", "x", wrong.recursion_in_callbacks))
end
function wrong.recursion_in_coroutines() return coroutine.wrap(wrong.recursion_in_coroutines)() end
function wrong.recursion_in_both()
  return (string.gsub("x", "x", coroutine.wrap(wrong.recursion_in_both)))
end
function wrong.tostring_is_none() error(setmetatable({}, { __tostring = function() return 7 end })) end
function wrong.tostring_fails() error(setmetatable({}, { __tostring = function() error("within") end })) end
function wrong.nul() error("before\\0after") end
function wrong.cycle() local t = {} t.self = t return t end
function wrong.type() return true end
function wrong.userdata() return io.stdout end
function wrong.sort() table.sort({ 3, 2, 1 }, function() perigee.sleep(0) end) end
function wrong.plain_yield() coroutine.yield("to nobody") return "came back" end
function wrong.after_wait() perigee.sleep(0.001) error("thrown after sleeping") end
function wrong.long_message() error(("long "):rep(20000)) end
function wrong.line_ends() error("first\\nsecond\\r\\n\\27[31mred") end
function wrong.exit() os.exit(3) end
for name, fn in pairs(wrong) do app:get("/wrong/" .. name, fn) end

app:get("/fine", function() count = count + 1 return tostring(count) end)
app:get("/caught", function()
  local ok, err = pcall(below)
  return { ok = ok, error = err }
end)
return app
"""

# name: what the log must say about it
WRONG = {
    "string": r"app\.lua:\d+: thrown from below", "table": r"table|code", "table_with_tostring": "spoken by a table",
    "nothing": "nil", "number": "42", "index": r"app\.lua:\d+: attempt to index", "coroutine": "thrown in a coroutine",
    "coroutine_that_waited": "thrown after a wait", "metamethod": "thrown in a metamethod", "recursion": "stack overflow",
    "recursion_in_metamethod": r"stack overflow|C stack|loop|too (long|deep)",
    "recursion_in_callbacks": "stack overflow", "recursion_in_coroutines": "stack overflow",
    "recursion_in_both": "stack overflow", "tostring_fails": ".", "cycle": r"\$\.self",
    "tostring_is_none": r"an error that can't be shown\\n", "type": "boolean", "userdata": "userdata", "sort": "wait",
    "plain_yield": ".", "after_wait": "thrown after sleeping",
    "long_message": "long long", "line_ends": "second", "exit": r"os\.exit",
    "nul": r"before\\x00after\\nstack traceback:\\n",
}


class Errors(ServerCase):
    APP = APP
    SETTINGS = {"limits.blocked": 0}  # deep recursion takes a while, and that is no error

    def test_each_is_a_500_with_its_id_and_one_event_and_the_worker_goes_on(self):
        with self.server.client() as client:
            for name, said in WRONG.items():
                with self.subTest(name=name):
                    since = len(self.server.stderr.text)
                    problem = self.assert_problem(client.get("/wrong/" + name), 500)
                    request_id = problem["request_id"]
                    self.assertTrue(request_id)
                    self.assertLessEqual(set(problem), {"type", "title", "status", "request_id", "instance"})
                    self.server.stderr.wait(said, since=since)
                    self.server.stderr.wait(request_id, since=since)
                    self.assertEqual(client.get("/fine").status, 200)
                    self.assertEqual(self.server.stderr.text[since:].count(request_id), 1)

    def test_the_event_has_the_whole_traceback(self):
        since = len(self.server.stderr.text)
        self.get("/wrong/string")
        self.server.stderr.wait("thrown from below", since=since)
        self.server.stderr.wait("traceback", since=since)
        places = self.server.stderr.text[since:].count("app.lua:")
        self.assertGreaterEqual(places, 2, "the caller's line is missing")

    def test_the_event_says_which_request_failed(self):
        since = len(self.server.stderr.text)
        self.get("/wrong/string?token=secret")
        self.server.stderr.wait(r'\{"request":"GET /wrong/string"\}\n', since=since)

    def test_a_coroutines_own_frames_are_in_the_traceback(self):
        since = len(self.server.stderr.text)
        self.get("/wrong/coroutine")
        self.server.stderr.wait("thrown in a coroutine", since=since)

    def test_errors_in_a_row_do_not_wear_the_worker_out(self):
        with self.server.client() as client:
            for index in range(500):
                name = ("string", "table", "coroutine", "after_wait")[index % 4]
                self.assertEqual(client.get("/wrong/" + name).status, 500)
            self.assertEqual(client.get("/fine").status, 200)

    def test_recursion_in_a_row_does_not_wear_the_worker_out(self):
        with self.server.client() as client:
            for _ in range(20):
                self.assertEqual(client.get("/wrong/recursion").status, 500)
            self.assertEqual(client.get("/fine").status, 200)

    def test_a_caught_error_is_the_programs_own_business(self):
        since = len(self.server.stderr.text)
        answer = self.get("/caught").json()
        self.assertIs(answer["ok"], False)
        self.assertIn("thrown from below", answer["error"])
        self.assertEqual(self.server.stderr.text[since:], "")


class JsonLog(ServerCase):
    APP = APP
    SETTINGS = {"log.format": "json"}

    def test_each_event_is_one_line_of_json_never_cut(self):
        for name in ("line_ends", "long_message", "string"):
            since = len(self.server.stderr.text)
            request_id = self.assert_problem(self.get("/wrong/" + name), 500)["request_id"]
            line = self.server.stderr.wait(rf"^.*{request_id}.*$", since=since).group(0)
            self.assertTrue(self.server.stderr.wait(rf"{request_id}[^\n]*\n", since=since))
            event = json.loads(line)
            self.assertIn(request_id, event.values())
            if name == "long_message":
                self.assertIn("long " * 20000, line)


if __name__ == "__main__":
    unittest.main()
