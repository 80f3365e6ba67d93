"""The error desk: what went wrong is counted by kind, over all workers, and shown on the admin port, in Lua and at the end."""

import re
import unittest

from harness import Server, ServerCase, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
app:use("/inside", function(req, inner)
  local res = inner(req)
  if req.query.how == "middleware" then error "the middleware failed" end
  return res
end)
app:get("/users/{id}", function(req) error("no user '" .. req.params.id .. "' in 10.0.0." .. #req.params.id) end)
app:post("/users", function() error("no user 'x' in 10.0.0.1") end)
app:get("/deep", function()
  local function below() error "in the depth" end
  local function above() below() return 1 end
  above()
  return "x"
end)
app:get("/inside", function() return "x" end)
app:get("/task", function() perigee.spawn(function() error "the task failed" end) return "x" end)
app:get("/stream", function() return perigee.stream(function(write) write "x" error "the stream failed" end) end)
app:get("/ignored/{text}", function(req) error("not worth a thought: " .. req.params.text) end)
app:get("/nothing", function() return nil, "the call failed" end)
app:get("/problem", function() error(perigee.problem(409, "as it should be")) end)
app:get("/many/{kind}", function(req) error(req.params.kind, 0) end)
app:get("/errors", function()
  local out = {}
  for i, kind in ipairs(perigee.errors()) do out[i] = kind.signature end
  return perigee.array(out)
end)
return app
"""


class ErrorDesk(ServerCase):
    def setUp(self):
        self.server = self.start(APP, config='[errors]\nignore = ["not worth*thought"]\nkinds = 64\n', workers=2)

    def errors(self, accept=None):
        with self.server.admin() as client:
            response = client.request("GET", "/errors", [("Accept", accept)] if accept else [], host="127.0.0.1")
            self.assertEqual(response.status, 200)
            return response

    def kinds(self):
        return {re.sub(r"^.*app\.lua", "app.lua", error["signature"]): error for error in self.errors().json()["errors"]}

    def test_equal_errors_are_one_kind_over_all_workers(self):
        for i in range(40):
            self.get(f"/users/{i}?token=sesame", [("Cookie", "sid=sesame"), ("Authorization", "Bearer sesame")])
        self.server.fetch("POST", "/users")
        report = self.errors()
        self.assertEqual(report.header("content-type"), "application/json")
        self.assertNotIn("sesame", report.text)
        self.assertEqual(report.json()["total"], 41)
        kinds = self.kinds()
        first = kinds["app.lua:9: no user '*' in #"]
        self.assertEqual((first["count"], first["routes"], first["hosts"]), (40, {"GET /users/{id}": 40}, {}))
        self.assertRegex(first["sample"], r"^GET /users/\d+\?token=\*$")
        self.assertRegex(first["message"], r"app\.lua:9: no user '\d+' in 10\.0\.0\.\d$")
        self.assertIn("stack traceback:", first["traceback"])
        self.assertLessEqual(first["first_seen"], first["last_seen"])
        self.assertEqual(kinds["app.lua:10: no user '*' in #"]["routes"], {"POST /users": 1})
        self.assertEqual(len(self.get("/errors").json()), 2)

    def test_a_traceback_is_whole(self):
        self.get("/deep")
        (kind,) = self.kinds().values()
        for name in ("below", "above"):
            self.assertIn(f"in function '{name}'", kind["traceback"])

    def test_errors_come_from_everywhere_and_answers_do_not(self):
        for path in ("/inside?how=middleware", "/task", "/nothing", "/problem", "/absent", "/ignored/1"):
            self.get(path)
        with self.server.client() as client:
            client.send_request("GET", "/stream")
            client.read_to_end()
        wait_until(lambda: len(self.kinds()) == 4, "four kinds")
        text = self.errors().text
        for part in ("the middleware failed", "the task failed", "the stream failed", "the call failed"):
            self.assertIn(part, text)
        self.assertEqual(self.errors().json()["ignored"], 1)
        self.assertIn("not worth a thought", self.server.stderr.text)

    def test_a_reload_that_fails_is_counted_and_one_that_works_changes_what_is_ignored(self):
        self.server.write("app.lua", "this is no Lua")
        self.server.reload(ok=False)
        (kind,) = self.kinds().values()
        self.assertIn("app.lua:1:", kind["message"])
        self.assertEqual(kind["sample"], "reload")
        self.server.write("app.lua", APP)
        self.server.write("server.toml", '[errors]\nignore = ["in the depth"]\n')
        self.server.reload()
        self.get("/deep")
        self.get("/ignored/1")
        self.assertEqual(len(self.kinds()), 2)

    def test_more_kinds_than_are_kept_are_forgotten(self):
        letters = "abcdefghijklmnopqrstuvwxyz"
        with self.server.client() as client:
            for a in letters[:10]:
                for b in letters:
                    client.get(f"/many/{a}{b}")
        report = self.errors().json()
        self.assertLessEqual(len(report["errors"]), 64)
        self.assertEqual(len(report["errors"]) + report["forgotten_kinds"], 260)
        self.assertEqual(report["total"], 260)

    def test_there_is_a_table_for_people_and_a_line_at_the_end(self):
        for i in range(3):
            self.get(f"/users/{i}")
        table = self.errors("text/plain")
        self.assertTrue(table.header("content-type").startswith("text/plain"))
        self.assertRegex(table.text, r"\n +3  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  .*app\.lua:9: no user '\*' in #\n"
                                     r" +in GET /users/\{id\} \(3\)\n +as in GET /users/0\n")
        self.server.stop()
        self.assertRegex(self.server.stderr.text, r"errors since the start: 3 of 1 kind, 0 ignored; most often \(3\): ")

    def test_the_desk_is_guarded_as_the_rest_of_the_admin_port(self):
        with self.server.admin() as client:
            self.assertEqual(client.request("GET", "/errors", host="evil.example").status, 403)
        server = self.start(APP, settings={"admin.token": "sesame"})
        with server.admin() as client:
            self.assertEqual(client.request("GET", "/errors", host="127.0.0.1").status, 401)

    def test_mistakes_in_its_options_are_told(self):
        server = Server(APP, config='[errors]\nkinds = 1\nignored = []\n', expect_start=False)
        self.assertEqual(server.wait_exit(), 1)
        self.assertRegex(server.stderr.text, r"server\.toml:2:\d+: errors\.kinds takes an integer from 8 to 100000")
        self.assertRegex(server.stderr.text, r"server\.toml:3:1: unknown key 'ignored' in \[errors\].*'ignore'")


if __name__ == "__main__":
    unittest.main()
