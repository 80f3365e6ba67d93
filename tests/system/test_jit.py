"""GET /jit on the admin port: the loops and functions that LuaJIT gave up, with line, reason and hint."""

import re
import unittest

from harness import ServerCase

APP = """local perigee = require "perigee"
local app = perigee.app()

app:get("/closure", function()
  local list
  for i = 1, 2000 do
    list = function() return i end
  end
  return tostring(list())
end)

local function rest(...)
  local sum = 0
  for _ = 1, 2000 do
    local all = { ... }
    sum = sum + #all
  end
  return sum
end

app:get("/vararg", function() return tostring(rest(1, 2, 3)) end)

local function uncompiled() return 1 end
jit.off(uncompiled)

app:get("/off", function()
  local sum = 0
  for _ = 1, 2000 do
    sum = sum + uncompiled()
  end
  return tostring(sum)
end)

app:get("/unroll", function()
  local rounds, n = 0, 0
  for i = 1, 2000 do
    n = i % 7
    while n > 0 do n = n - 1 rounds = rounds + 1 end
  end
  return tostring(rounds)
end)

app:get("/gsub", function()
  local text
  for _ = 1, 200 do
    text = string.rep("x", 3):gsub("x", "y")
  end
  return text
end)

app:get("/fail", function() for _ = 1, 20 do pcall(error, "x") end error("planted") end)
app:get("/flush", function() jit.flush() return "" end)
app:get("/fine", function() local s = 0 for i = 1, 1000 do s = s + i end return tostring(s) end)
return app
"""


def line_of(text):
    """The line of APP that has this text."""
    return f"app.lua:{next(number for number, line in enumerate(APP.splitlines(), 1) if text in line)}"


class Jit(ServerCase):
    APP = APP
    WORKERS = 2

    def report(self, **headers):
        with self.server.admin() as admin:
            response = admin.request("GET", "/jit", list(headers.items()), host="127.0.0.1")
        self.assertEqual(response.status, 200, response)
        return response

    def ask(self, target, times, status=200):
        with self.server.client() as client:
            for _ in range(times):
                self.assertEqual(client.get(target).status, status)

    def given_up(self, target, began):
        """The row of the place, once LuaJIT has tried it often enough."""
        self.ask(target, 100)
        for _ in range(20):
            self.ask(target, 20)
            rows = [row for row in self.report().json()["blacklisted"] if row["began"].endswith(began)]
            if rows:
                return rows[0]
        return self.fail(f"{began} is not in:\n{self.report(Accept='text/plain').text}")

    def test_a_closure_in_a_loop_is_named_with_its_line_its_route_and_a_hint(self):
        row = self.given_up("/closure", line_of("for i = 1, 2000 do"))
        self.assertEqual((row["kind"], row["detail"], row["route"]), ("loop", "FNEW", "GET /closure"))
        self.assertTrue(row["at"].endswith(line_of("list = function()")), row)
        self.assertIn("closure", row["hint"])
        self.assertIn(len(row["workers"]), (1, 2))
        text = self.report(Accept="text/plain").text
        self.assertRegex(text, rf"FNEW at \S*{line_of('list = function()')}\n +a function is made here each time")

    def test_a_browser_is_shown_a_page(self):
        self.given_up("/closure", line_of("for i = 1, 2000 do"))
        page = self.report(Accept="text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
        self.assertEqual(page.header("content-type"), "text/html; charset=utf-8")
        self.assertIn("default-src 'none'", page.header("content-security-policy"))
        self.assertIn("<td>GET /closure</td>", page.text)
        self.assertIn(f"{line_of('list = function()')}</td>", page.text)

    def test_varargs_in_a_loop(self):
        row = self.given_up("/vararg", line_of("for _ = 1, 2000 do"))
        self.assertTrue(row["at"].endswith(line_of("local all = { ... }")), row)
        self.assertEqual((row["detail"], row["route"]), ("VARG", ""))

    def test_a_loop_that_calls_what_is_not_compiled(self):
        number = int(line_of("sum = sum + uncompiled()").rpartition(":")[2]) - 1
        row = self.given_up("/off", f"app.lua:{number}")
        self.assertEqual((row["detail"], row["route"]), ("", "GET /off"))
        self.assertIn("jit.off", row["hint"])

    def test_what_is_compiled_is_counted_and_not_blamed(self):
        self.ask("/fine", 50)
        report = self.report().json()
        self.assertEqual([worker["worker"] for worker in report["workers"]], [1, 2])
        self.assertGreater(sum(worker["traces"] for worker in report["workers"]), 0)
        self.assertGreater(sum(worker["compiled"] for worker in report["workers"]), 0)
        self.assertFalse([row for row in report["blacklisted"] if row["began"].endswith(line_of('"/fine"'))])

    def test_flushes_are_counted(self):
        before = self.report().json()["workers"]
        self.ask("/flush", 3)
        after = self.report().json()["workers"]
        self.assertEqual(sum(worker["flushes"] for worker in before), 0)
        self.assertEqual(sum(worker["flushes"] for worker in after), 1, "three at one worker between two looks")
        again = self.report().json()["workers"]
        self.assertEqual([worker["flushes"] for worker in again], [worker["flushes"] for worker in after])
        with self.server.admin() as admin:
            page = admin.request("GET", "/metrics", host="127.0.0.1").text
        counts = re.findall(r'^perigee_lua_flushes_total\{worker="[12]"\} (\d+)$', page, re.MULTILINE)
        self.assertEqual(sum(map(int, counts)), 1, page)

    def test_whatever_the_compiler_gives_up_the_server_goes_on(self):
        for _ in range(3):
            for target, status in (("/unroll", 200), ("/gsub", 200), ("/fail", 500), ("/closure", 200)):
                self.ask(target, 30, status)
            self.report()
        self.server.reload()
        self.assertEqual(self.report().status, 200)


if __name__ == "__main__":
    unittest.main()
