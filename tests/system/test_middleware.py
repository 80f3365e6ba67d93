"""Middleware, groups, mounts, names of routes, and error rendering, as a client sees them."""

import pathlib
import tempfile
import unittest

from harness import ServerCase, run_perigee
from test_errors import APP as WRONG_APP, WRONG

APP = """
local perigee = require "perigee"
local app = perigee.app()

-- Writes its name before what is inside wrote into the header.
local function mark(name)
  return function(req, inner)
    local res = inner(req)
    res.headers["x-order"] = name .. (res.headers["x-order"] or "")
    return res
  end
end

app:get("/", function() return "home" end)
app:use(mark "1")
app:use("/admin", mark "A")
app:use(mark "2")
app:group("/api", mark "g", function(api)
  api:get("/", function() return { api = true } end)
  api:use(mark "h")
  api:get("/users/{id:integer}", { name = "user", use = { mark "r", mark "s" } }, function(req)
    return { id = req.params.id, url = app:url("user", { id = req.params.id + 1 }, { q = "a b", list = { 1, 2 } }) }
  end)
  api:group("/v1", function(v1) v1:get("/x", mark "not this way" and function() error("broken") end) end)
end)
app:get("/{place}/x", function(req) return req.params.place end)
app:post("/small", { limits = { body = 10 } }, function(req) return req.body end)

local other = perigee.app()
other:get("/", { name = "shop" }, function() return app:url("shop") .. " " .. other:url("file", { path = "a b/c" }) end)
other:get("/files/{path*}", { name = "file" }, function(req) return req.params.path end)
other:get("/broken", function() error("in the shop", 0) end)
other:use(mark "o")
other:not_found(function(req) return "no " .. req.path .. " in the shop" end)
other:error(function(problem, _, err) return "shop: " .. problem.status .. " " .. tostring(err) end)
app:mount("/shop", other)

-- What middleware may return.
local returns = {}
function returns.string() return "text" end
function returns.table() return { a = 1 } end
function returns.status() return 202, "accepted", { ["x-a"] = "b" } end
function returns.problem() return perigee.problem(401, "who are you", nil, { ["www-authenticate"] = "Basic" }) end
function returns.raised() error(perigee.problem(403, "not you")) end
function returns.redirect() return perigee.redirect("/login") end
function returns.lone() return 429 end
function returns.inner(req, inner) return inner(req) end
function returns.nothing_after_inner(req, inner) inner(req) end
function returns.changed(req, inner)
  local res = inner(req)
  res.status, res.body, res.headers["x-bytes"] = 203, "<" .. res:bytes() .. ">", #res:bytes()
  return res
end
function returns.wrapped(req, inner) return 203, inner(req), { ["x-a"] = "b" } end
function returns.cookie(req, inner) req:set_cookie("a", "b") return inner(req) end
function returns.context(req, inner) req.ctx.user = "ada" return inner(req) end
function returns.waits(req, inner)
  perigee.sleep(0.002)
  local res = inner(req)
  perigee.sleep(0.002)
  res.headers["x-waited"] = "yes"
  return res
end
for name, fn in pairs(returns) do
  app:get("/returns/" .. name, { use = fn }, function(req) return "handler " .. tostring(req.ctx.user) end)
end

-- What the handler inside may return.
local inside = {}
function inside.stream() return perigee.stream(function(write) write("one ") perigee.sleep(0.001) write("two") end) end
function inside.redirect() return perigee.redirect("/elsewhere") end
function inside.problem() return perigee.problem(418, "short and stout") end
function inside.raised() error("inside") end
function inside.raised_problem() error(perigee.problem(409, "conflict")) end
function inside.failed() return nil, "no luck" end
function inside.nothing() end
function inside.headers() return 200, "x", { ["Set-Thing"] = { "1", "2" } } end
function inside.json() return perigee.json("text") end
function inside.cycle() local t = {} t.self = t return t end
function inside.bad_type() return true end
local function look(req, inner)
  local res = inner(req)
  res.headers["x-error"] = tostring(res.error):gsub("[%c]", " ")
  res.headers["x-status"] = res.status
  return res
end
for name, fn in pairs(inside) do app:get("/inside/" .. name, { use = look }, fn) end

local kept, kept_req
local wrong = {}
function wrong.nothing() end
function wrong.twice(req, inner) inner(req) return inner(req) end
function wrong.without_request(_, inner) return inner() end
function wrong.forged_request(_, inner) return inner({}) end
function wrong.boolean() return true end
function wrong.error() return nil, "no luck" end
function wrong.raises() error("raised in a middleware") end
function wrong.bad_status(req, inner) local res = inner(req) res.status = 42 return res end
function wrong.bad_field(req, inner) local res = inner(req) res.stauts = 200 return res end
function wrong.headers(req, inner) local res = inner(req) res.headers["x-a"] = "b\\r\\nc: d" return res end
function wrong.kept(req, inner)
  if not kept then kept = inner end
  return kept(req)
end
for name, fn in pairs(wrong) do app:get("/wrong/" .. name, { use = fn }, function() return "handler" end) end
local function keep(req, inner) kept, kept_req = inner, req return "early" end
app:get("/keep", { use = keep }, function() return "never" end)
app:get("/kept_later", function() return tostring(select(2, pcall(kept, kept_req))) end)
return app
"""


class Composition(ServerCase):
    APP = APP

    def order(self, method, target, status=200):
        with self.server.client() as client:
            response = client.request(method, target)
        self.assertEqual(response.status, status, response)
        return response.header("x-order")

    def test_the_order_is_app_group_route_wherever_it_is_written(self):
        for target, expected in (("/", "12"), ("/api", "12gh"), ("/api/users/7", "12ghrs")):
            self.assertEqual(self.order("GET", target), expected, target)

    def test_app_wide_middleware_wraps_what_no_route_takes(self):
        for method, target, status in (("GET", "/nowhere", 404), ("PUT", "/", 405), ("GET", "/api/users/x", 400),
                                       ("OPTIONS", "/", 204), ("TRACE", "/", 405)):
            self.assertEqual(self.order(method, target, status), "12", target)
        self.assertEqual(self.order("GET", "/admin/nowhere", 404), "1A2")
        self.assertEqual(self.order("GET", "/administrator", 404), "12")

    def test_a_prefix_holds_for_paths_that_a_parameter_takes(self):
        self.assertEqual(self.order("GET", "/admin/x"), "1A2")
        self.assertEqual(self.order("GET", "/%61dmin/x"), "1A2")
        self.assertEqual(self.order("GET", "/other/../admin/x"), "1A2")
        self.assertEqual(self.order("GET", "/other/x"), "12")

    def test_options_and_405_keep_their_allow(self):
        with self.server.client() as client:
            self.assertEqual(client.request("OPTIONS", "/").header("allow"), "GET, HEAD, OPTIONS")
            response = client.request("PUT", "/")
            self.assert_problem(response, 405)
            self.assertEqual(response.header("allow"), "GET, HEAD, OPTIONS")

    def test_a_body_that_is_too_large_passes_app_wide_middleware_too(self):
        with self.server.client() as client:
            response = client.request("POST", "/small", body=b"x" * 11)
            self.assert_problem(response, 413)
            self.assertEqual(response.header("x-order"), "12")
            self.assertTrue(client.closed())
        with self.server.client() as client:
            client.send(b"POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + b"x" * 255)
            self.assertEqual(client.read_response().status, 413)
            self.assertTrue(client.closed())
        with self.server.client() as client:
            client.send(b"POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            response = client.read_response()
            self.assertEqual((response.status, response.header("x-order")), (400, "12"))
            self.assertTrue(client.closed())

    def test_names_give_urls_also_across_groups_and_mounts(self):
        self.assertEqual(self.get("/api/users/7").json(),
                         {"id": 7, "url": "/api/users/8?list=1&list=2&q=a%20b"})
        self.assertEqual(self.get("/shop").text, "/shop /shop/files/a%20b/c")
        self.assertEqual(self.get("/shop/files/a%20b/c").text, "a b/c")

    def test_a_mounted_app_has_its_middleware_and_hooks_below_its_prefix(self):
        self.assertEqual(self.order("GET", "/shop"), "12o")
        missing = self.get("/shop/nothing")
        self.assertEqual((missing.status, missing.text), (404, "no /shop/nothing in the shop"))
        self.assertEqual(missing.header("x-order"), "12o")
        broken = self.get("/shop/broken")
        self.assertEqual((broken.status, broken.text), (500, "shop: 500 in the shop"))
        self.assertEqual(self.get("/shopping").json()["status"], 404)


class Returns(ServerCase):
    APP = APP

    def test_middleware_may_return_all_a_handler_may(self):
        for name, status, text, field in (
                ("string", 200, "text", None), ("table", 200, '{"a":1}', None),
                ("status", 202, "accepted", ("x-a", "b")),
                ("redirect", 307, "", ("location", "/login")), ("inner", 200, "handler nil", None),
                ("nothing_after_inner", 200, "handler nil", None), ("changed", 203, "<handler nil>", ("x-bytes", "11")),
                ("wrapped", 203, "handler nil", ("x-a", "b")), ("context", 200, "handler ada", None),
                ("cookie", 200, "handler nil", ("set-cookie", "a=b; Path=/; HttpOnly; SameSite=Lax")),
                ("waits", 200, "handler nil", ("x-waited", "yes"))):
            with self.subTest(name=name):
                response = self.get("/returns/" + name)
                self.assertEqual((response.status, response.text), (status, text))
                self.assertEqual(response.header("x-order"), "12")
                if field:
                    self.assertEqual(response.header(field[0]), field[1])
        for name, status in (("problem", 401), ("raised", 403), ("lone", 429)):
            self.assert_problem(self.get("/returns/" + name), status)
        self.assertEqual(self.get("/returns/problem").header("www-authenticate"), "Basic")

    def test_what_the_handler_returns_passes_through(self):
        for name, status, said in (("stream", 200, "nil"), ("redirect", 307, "nil"), ("nothing", 204, "nil"),
                                   ("headers", 200, "nil"), ("json", 200, "nil"), ("problem", 418, "nil"),
                                   ("raised_problem", 409, "perigee.Response"), ("failed", 500, "no luck"),
                                   ("bad_type", 500, "returned a boolean as a body")):
            with self.subTest(name=name):
                response = self.get("/inside/" + name)
                self.assertEqual(response.status, status)
                self.assertEqual(response.header("x-status"), str(status))
                if name != "raised_problem":
                    self.assertIn(said, response.header("x-error"))
        self.assertEqual(self.get("/inside/stream").text, "one two")
        self.assertEqual(self.get("/inside/headers").all("set-thing"), ["1", "2"])
        self.assertEqual(self.get("/inside/json").text, '"text"')
        self.assertEqual(self.get("/inside/redirect").header("location"), "/elsewhere")

    def test_what_is_raised_inside_is_an_answer_with_its_cause_and_one_event(self):
        since = len(self.server.stderr.text)
        response = self.get("/inside/raised")
        problem = self.assert_problem(response, 500)
        self.assertIn("inside", response.header("x-error"))
        self.server.stderr.wait(r"app\.lua:\d+: inside\\nstack traceback", since=since)
        self.assertEqual(self.server.stderr.text[since:].count(f" error [{problem['request_id']}]"), 1)

    def test_all_of_it_holds_once_it_is_compiled(self):
        with self.server.client() as client:
            for _ in range(40):
                for name, status, text in (("inner", 200, "handler nil"), ("changed", 203, "<handler nil>"),
                                           ("context", 200, "handler ada"), ("raised", 403, None),
                                           ("string", 200, "text"), ("waits", 200, "handler nil"), ("lone", 429, None)):
                    response = client.get("/returns/" + name)
                    self.assertEqual((response.status, response.header("x-order")), (status, "12"))
                    if text:
                        self.assertEqual(response.text, text)
                for name, status in (("headers", 200), ("raised_problem", 409), ("nothing", 204), ("failed", 500)):
                    self.assertEqual(client.get("/inside/" + name).header("x-status"), str(status))

    def test_what_is_no_json_is_found_when_it_is_sent(self):
        self.assert_problem(self.get("/inside/cycle"), 500)


class Mistakes(ServerCase):
    APP = APP

    def test_each_is_a_500_that_says_which_middleware(self):
        for name, said in (("nothing", r"returned nothing and did not call inner \(from the middleware at \S*app"),
                           ("twice", r"inner was called a second time, the one of the middleware at \S*app\.lua:\d+"),
                           ("without_request", "called inner without the request"),
                           ("forged_request", "called inner without the request"),
                           ("boolean", r"the middleware at \S*app\.lua:\d+ returned a boolean as a body"),
                           ("error", "no luck"), ("raises", "raised in a middleware"),
                           ("bad_status", "a status is an integer from 200 to 599"), ("bad_field", "no 'stauts'"),
                           ("headers", "CR, LF, NUL")):
            with self.subTest(name=name):
                since = len(self.server.stderr.text)
                problem = self.assert_problem(self.get("/wrong/" + name), 500)
                self.server.stderr.wait(rf"{problem['request_id']}.*(?:{said})", since=since)
                self.assertEqual(self.server.stderr.text[since:].count(f" error [{problem['request_id']}]"), 1)

    def test_an_inner_that_was_kept_is_refused(self):
        self.assertEqual(self.get("/keep").text, "early")
        self.assertIn("inner was called when its request had ended", self.get("/kept_later").text)
        self.assert_problem(self.get("/wrong/kept"), 500)


class ErrorsWithin(ServerCase):
    """The same as test_errors, with middleware around: each still is a 500 with one event."""
    APP = WRONG_APP.replace("local count = 0", """local count = 0
for _ = 1, 3 do app:use(function(req, inner) local res = inner(req) return res end) end""")

    def test_each_is_a_500_with_its_id_and_one_event_and_the_worker_goes_on(self):
        with self.server.client() as client:
            for _ in range(2):
                for name, said in WRONG.items():
                    with self.subTest(name=name):
                        since = len(self.server.stderr.text)
                        problem = self.assert_problem(client.get("/wrong/" + name), 500)
                        self.server.stderr.wait(rf"{problem['request_id']}.*(?:{said})", since=since)
                        self.assertEqual(self.server.stderr.text[since:].count(f" error [{problem['request_id']}]"), 1)
                        self.assertEqual(client.get("/fine").status, 200)


RENDERED = """
local perigee = require "perigee"
local app = perigee.app()
local seen = 0
app:error(function(problem, req, err)
  seen = seen + 1
  if req.path == "/worse" then error("worse") end
  if req.path == "/leave" then return nil end
  if req.path == "/teapot" then return 418, "teapot" end
  perigee.sleep(0.001)
  return problem.status .. " " .. req.path .. " " .. tostring(err and tostring(err):match("[^:]*$"))
end)
app:after(function(req, res)
  if req.path ~= "/seen" then perigee.log.info("after " .. req.path .. " " .. res.status) end
end)
%s
app:get("/seen", function() local n = seen seen = 0 return tostring(n) end)
for _, path in ipairs { "/raised", "/worse", "/leave", "/teapot" } do app:get(path, function() error("oops", 0) end) end
app:get("/problem", function() return perigee.problem(403, "no", nil, { ["x-a"] = "b" }) end)
app:get("/lone", function() return 410 end)
app:get("/typed/{id:integer}", function() return "x" end)
app:post("/small", { limits = { body = 4 } }, function() return "x" end)
app:get("/fine", function() return "fine" end)
return app
"""


class Rendered(ServerCase):
    """app:error without middleware."""
    APP = RENDERED % ""

    def test_every_error_answer_is_rendered_once(self):
        with self.server.client() as client:
            for method, path, status, text in (
                    ("GET", "/raised", 500, "500 /raised oops"), ("GET", "/problem", 403, "403 /problem nil"),
                    ("GET", "/lone", 410, "410 /lone nil"), ("GET", "/nowhere", 404, "404 /nowhere nil"),
                    ("PUT", "/fine", 405, "405 /fine nil"), ("GET", "/typed/x", 400, "400 /typed/x nil"),
                    ("GET", "/teapot", 418, "teapot")):
                with self.subTest(path=path):
                    client.get("/seen")
                    response = client.request(method, path)
                    self.assertEqual((response.status, response.text), (status, text))
                    self.assertEqual(client.get("/seen").text, "1")
            response = client.request("POST", "/small", body=b"12345")
            self.assertEqual((response.status, response.text), (413, "413 /small nil"))

    def test_where_it_fails_or_leaves_it_the_problem_is_sent(self):
        self.assert_problem(self.get("/worse"), 500)
        self.assert_problem(self.get("/leave"), 500)

    def test_after_hooks_see_the_final_answer(self):
        for path, status in (("/raised", 500), ("/teapot", 418), ("/nowhere", 404), ("/fine", 200)):
            since = len(self.server.stderr.text)
            self.get(path)
            self.server.stderr.wait(f"after {path} {status}", since=since)


class RenderedWithin(Rendered):
    """The same with middleware around."""
    APP = RENDERED % "app:use(function(req, inner) return inner(req) end)"


class ChangedAfterwards(ServerCase):
    """After hooks see what middleware made of an answer."""
    APP = RENDERED % "app:use(function(req, inner) local res = inner(req) res.status = 222 return res end)"

    def test_after_hooks_see_the_final_answer(self):
        since = len(self.server.stderr.text)
        self.assertEqual(self.get("/fine").status, 222)
        self.server.stderr.wait("after /fine 222", since=since)


class Development(ServerCase):
    """Error pages name the place also within middleware."""
    APP = WRONG_APP.replace("local count = 0", """local count = 0
app:use(function(req, inner) return inner(req) end)""")

    def test_the_page_begins_where_the_error_is(self):
        server = self.start(self.APP, arguments=("--dev",))
        problem = self.assert_problem(server.get("/wrong/index"), 500)
        self.assertRegex(problem["traceback"][0], r"app\.lua:\d+")


class Loading(ServerCase):
    def test_a_name_given_twice_fails_with_both_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            app = pathlib.Path(folder) / "app.lua"
            app.write_text('local app = require("perigee").app()\n'
                           'app:get("/a", { name = "x" }, function() end)\n'
                           'app:group("/g", function(g) g:get("/b", { name = "x" }, function() end) end)\n'
                           'return app\n')
            result = run_perigee("check", "--app", app)
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stdout + result.stderr, r"app\.lua:3: .*'x'.*app\.lua:2")


if __name__ == "__main__":
    unittest.main()
