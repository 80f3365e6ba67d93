"""`serve --dev`: reload on save, errors shown, new globals reported; and none of it in production."""

import html
import pathlib
import shutil
import time
import unittest

from harness import ServerCase, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()

local function total(order)
  local sum = 0
  return sum + order.price * order.count
end

app:get("/", function() return "one" end)
app:get("/breaks", function(req)
  local order = { price = 3, name = "<script>", password = "hunter2" }
  local api_token = "abc123"
  return { total = total(order), token = api_token }
end)
app:post("/typed", { body = perigee.types.object { user = perigee.types.string, pin = perigee.types.string:secret() } },
  function(req)
    local pin, given = req.body.pin, req.body
    error("not " .. #given.user .. #pin)
  end)
app:get("/returns-error", function() return nil, "the disk is on fire" end)
app:get("/wrong", function() return true end)
app:get("/template", function() return perigee.html(perigee.template "page.html", {}) end)
app:get("/problem", function() error(perigee.problem(403, "no")) end)
app:get("/waits", function() perigee.sleep(0.001) error("after a wait") end)
app:get("/bytes", function() error("not \\255 UTF-8") end)
app:get("/leaks", function() leaked = 1 return "x" end)
app:get("/stream", function() return perigee.stream(function(write) write("x") perigee.sleep(20) end) end)
return app
"""

WRAPPED = """
local perigee = require "perigee"
local app = perigee.app()
app:use(function(req, inner)
  if req.path == "/outside" then error("in the middleware") end
  local res = inner(req)
  res.headers["x-seen"] = "1"
  return res
end)
app:get("/inside", function() error("in the handler") end)
app:get("/outside", function() return "x" end)
return app
"""

BROWSER = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]
FILES = {"templates/page.html": "<p>\n{{ user.name }}\n</p>", "module.lua": "return { value = 'one' }"}


class Errors(ServerCase):
    def setUp(self):
        self.server = self.start(APP, files=FILES, arguments=["--dev"])

    def page(self, path, *fields):
        response = self.server.get(path, [*BROWSER, *fields])
        self.assertEqual(response.header("content-type"), "text/html; charset=utf-8", response)
        return response, html.unescape(response.text)

    def test_a_browser_gets_a_page_with_source_traceback_and_locals(self):
        response, text = self.page("/breaks")
        self.assertEqual(response.status, 500)
        self.assertIn("attempt to perform arithmetic on field 'count'", text)
        self.assertIn("return sum + order.price * order.count", text)
        self.assertRegex(text, r"app\.lua:7</code> <span class=\"soft\">in total")
        self.assertIn("app.lua:14", text)
        self.assertIn("<td>sum</td><td>0</td>", text)
        self.assertEqual(response.header("cache-control"), "no-store")
        self.assertIn("default-src 'none'", response.header("content-security-policy"))

    def test_what_it_shows_is_escaped_and_no_secret(self):
        response, text = self.page("/breaks", ("Cookie", "session=c00kie"), ("Authorization", "Bearer b3arer"),
                                   ("X-Other", "<img>"))
        self.assertIn("&lt;script&gt;", response.text)
        self.assertIn("&lt;img&gt;", response.text)
        values = response.text[response.text.index("<h2>Request"):]
        response = self.server.fetch("POST", "/typed?api_token=qu3ry&a=shown", [*BROWSER, ("Content-Type", "application/json"),
                                     ("Referer", "http://x/?token=r3ferer")], '{"user":"ada","pin":"p1ncode"}')
        self.assertEqual(response.status, 500)
        text += html.unescape(response.text)
        self.assertIn("<td>pin</td><td>(hidden)</td>", text)
        self.assertIn('{ pin = (hidden), user = "ada" }', text)
        self.assertIn("?api_token=(hidden)&a=shown", text)
        for secret in ("c00kie", "b3arer", "p1ncode", "qu3ry", "r3ferer"):
            self.assertNotIn(secret, text)
        self.assertIn("<td>cookie</td><td>(hidden)</td>", values)
        self.assertIn("password = (hidden)", text)
        self.assertIn("<td>api_token</td><td>(hidden)</td>", text)

    def test_others_get_the_problem_with_its_traceback(self):
        problem = self.assert_problem(self.server.get("/breaks"), 500)
        self.assertIn("attempt to perform arithmetic", problem["error"])
        self.assertRegex(problem["traceback"][0], r"app\.lua:7 in total")
        self.assertFalse([frame for frame in problem["traceback"] if "perigee/" in frame], problem["traceback"])
        self.assertTrue(problem["request_id"])

    def test_every_way_to_fail_is_shown_with_its_place(self):
        for path, said in (("/returns-error", "the disk is on fire"), ("/wrong", "returned a boolean"),
                           ("/template", "page.html:2"), ("/waits", "after a wait"), ("/bytes", "not ? UTF-8")):
            with self.subTest(path=path):
                _, text = self.page(path)
                self.assertIn(said, text)
                self.assertRegex(text, r'class="now"')
                self.assertIn(said, self.assert_problem(self.server.get(path), 500)["error"])

    def test_the_log_has_the_whole_traceback_too(self):
        problem = self.assert_problem(self.server.get("/breaks"), 500)
        line = self.server.stderr.wait(rf".*{problem['request_id']}.*").group(0)
        self.assertIn("app.lua:7: in function 'total'", line)

    def test_an_error_in_middleware_and_below_it_is_shown(self):
        server = self.start(WRAPPED, arguments=["--dev"])
        for path, said in (("/inside", "in the handler"), ("/outside", "in the middleware")):
            response = server.get(path, BROWSER)
            self.assertEqual(response.status, 500)
            self.assertIn(said, response.text)
            self.assertIn(f"error(&quot;{said}&quot;)", response.text)
        self.assertEqual(server.get("/inside", BROWSER).header("x-seen"), "1")

    def test_a_problem_is_an_answer_and_no_error(self):
        problem = self.assert_problem(self.server.get("/problem", BROWSER), 403)
        self.assertNotIn("traceback", problem)

    def test_a_new_global_is_reported_once_with_its_place(self):
        server = self.start(APP, files=FILES, arguments=["--dev"], workers=2)
        for _ in range(20):
            self.assertEqual(server.get("/leaks").text, "x")
        server.stderr.wait(r"app\.lua:27: a new global 'leaked'")
        server.stop()
        self.assertEqual(len(server.stderr.lines("new global")), 1)


class LostUpdates(ServerCase):
    APP = """
local perigee = require "perigee"
local app = perigee.app()
local d = perigee.shared("d")

local function read(key)
  local n = d:get(key)
  return n or 0
end

local function write_over(key, n)
  local done = d:set(key, n + 1)
  return done
end

app:get("/blind/{key}", function(req)
  local n = read(req.params.key)
  d:incr("waiting")
  while not d:get("go") do perigee.sleep(0.001) end
  local done = write_over(req.params.key, n)
  return tostring(done)
end)
app:get("/waiting", function() return tostring(d:get("waiting")) end)
app:get("/careful/{key}", function(req)
  d:update(req.params.key, function(n) return (n or 0) + 1 end)
  if not d:add(req.params.key, 1) and not d:cas(req.params.key, -1, 1) then d:set("go", true) end
  return "x"
end)
app:get("/only-looks/{key}", function(req)
  d:add(req.params.key, 1)
  d:cas(req.params.key, -1, 1)
  d:replace("nothing", 1)
  d:delete("nothing")
  d:set("go", true)
  return "x"
end)
app:get("/alone", function() d:set("alone", (d:get("alone") or 0) + 1) d:set("alone", 7) return "x" end)
return app
"""

    def race(self, server, path, other, times=1):
        """`times` clients each at once between its get and its set when `other` is asked."""
        clients = [server.client() for _ in range(times)]
        for client in clients:
            client.send_request("GET", path)
        wait_until(lambda: server.get("/waiting").text == str(times), "all have read")
        server.get(other)
        for client in clients:
            self.assertEqual(client.read_response().text, "true")
            client.close()

    def test_one_is_reported_once_with_the_tracebacks_of_both(self):
        server = self.start(self.APP, arguments=["--dev"], workers=2)
        self.race(server, "/blind/k", "/careful/k", times=3)
        server.stderr.wait(r"a lost update")
        server.stop()
        reports = server.stderr.lines("a lost update")
        self.assertEqual(len(reports), 1, reports)
        self.assertRegex(reports[0], r"app\.lua:12: a lost update: another request wrote 'k' of the shared dictionary 'd'")
        text = server.stderr.text
        self.assertRegex(text, r"(?s)read here:.*app\.lua:7: in function 'read'.*written by the other here:.*"
                               r"app\.lua:2\d.*written over here:.*app\.lua:12: in function 'write_over'")

    def test_who_is_alone_or_looks_first_loses_nothing(self):
        server = self.start(self.APP, arguments=["--dev"], workers=2)
        server.get("/careful/k")
        for _ in range(5):
            self.assertEqual(server.get("/alone").text, "x")
            self.assertEqual(server.get("/careful/k").text, "x")
        server.stop()
        self.assertNotIn("lost update", server.stderr.text)

    def test_what_was_not_written_is_no_update(self):
        server = self.start(self.APP, arguments=["--dev"], workers=2)
        server.get("/alone")
        self.race(server, "/blind/alone", "/only-looks/alone")
        server.stop()
        self.assertNotIn("lost update", server.stderr.text)

    def test_in_production_nobody_looks(self):
        server = self.start(self.APP, workers=2)
        self.race(server, "/blind/k", "/careful/k")
        server.stop()
        self.assertEqual(server.stderr.lines("lost update"), [])


class Production(ServerCase):
    APP = APP
    FILES = FILES

    def test_an_error_shows_the_request_id_and_nothing_else(self):
        for path in ("/breaks", "/returns-error", "/template", "/waits"):
            for headers in ([], BROWSER):
                response = self.server.get(path, headers)
                problem = self.assert_problem(response, 500)
                self.assertLessEqual(set(problem), {"type", "title", "status", "request_id"})
                self.assertNotIn("app.lua", response.text)

    def test_a_save_changes_nothing_and_new_globals_are_nobodys_business(self):
        since = len(self.server.stderr.text)
        self.server.write("module.lua", "return { value = 'two' }")
        for _ in range(5):
            self.server.get("/leaks")
        self.assertEqual(self.server.get("/").text, "one")
        self.assertEqual(self.server.stderr.text[since:], "")


class Saving(ServerCase):
    def setUp(self):
        self.server = self.start(APP, files=FILES, arguments=["--dev"], workers=2)

    def until(self, text, path="/"):
        wait_until(lambda: self.server.get(path).text == text, f"{path} to answer {text!r}")

    def changed(self, text):
        return APP.replace('return "one"', f'return "{text}"')

    def test_a_save_serves_the_new_app_soon(self):
        times = []
        for number in range(5):
            began = time.monotonic()
            self.server.write("app.lua", self.changed(f"save {number}"))
            self.until(f"save {number}")
            times.append(time.monotonic() - began)
        self.assertLess(min(times), 1, times)  # a tenth of that where nothing else runs

    def test_editors_save_in_their_own_ways(self):
        path = pathlib.Path(self.server.app_path)
        path.write_text(self.changed("written"))  # in place
        self.until("written")
        path.rename(path.with_name("app.lua~"))  # aside, and a new one
        path.write_text(self.changed("new"))
        self.until("new")
        self.server.write("app.lua", self.changed("renamed"))  # another name first
        self.until("renamed")
        since = len(self.server.stderr.text)
        for _ in range(20):
            path.write_text(self.changed("many"))
        self.until("many")
        self.assertLess(len(self.server.stderr.lines(r"reloaded")), 20, self.server.stderr.text[since:])

    def test_modules_templates_and_configuration_are_watched_in_new_folders_too(self):
        self.server.write("app.lua", """
local perigee = require "perigee"
local app, value = perigee.app(), require "module".value
local ok, deep = pcall(require, "sub.deep.module")
local page = perigee.template "page.html"
app:get("/", function() return value .. " " .. (ok and deep or "none") .. " " .. (perigee.config.word or "unset") end)
app:get("/page", function() return page { user = { name = "x" } } end)
return app
""")
        self.until("one none unset")
        self.server.write("module.lua", "return { value = 'two' }")
        self.until("two none unset")
        self.server.write("sub/deep/module.lua", "return 'deep'")
        self.until("two deep unset")
        self.server.write("sub/deep/module.lua", "return 'deeper'")
        self.until("two deeper unset")
        self.server.write("server.toml", "[app]\nword = 'set'\n")
        self.until("two deeper set")
        self.server.write("templates/page.html", "new {{ user.name }}")
        self.until("new x", "/page")
        shutil.rmtree(self.server.directory / "sub")
        self.until("two none set")

    def test_other_files_don_t_reload(self):
        since = len(self.server.stderr.text)
        for name in ("access.log", ".hidden.lua", "node_modules/x.lua", ".git/x.lua", "app.lua.swp"):
            self.server.write(name, "x")
        self.server.write("module.lua", "return { value = 'three' }")
        self.server.stderr.wait("reloaded: generation", since=since)
        self.assertEqual(len(self.server.stderr.lines("reloaded")), 1, self.server.stderr.text[since:])

    def test_streams_that_stay_open_hold_up_no_save(self):
        clients = []
        for number in range(6):
            client = self.connect(self.server)
            client.send_request("GET", "/stream").read_head()
            clients.append(client)
            self.server.write("app.lua", self.changed(f"stream {number}"))
            self.until(f"stream {number}")

    def test_what_does_not_load_is_shown_until_it_is_mended(self):
        since = len(self.server.stderr.text)
        self.server.write("app.lua", APP.replace("local sum = 0", "local sum = = 0"))
        self.server.stderr.wait(r"reload failed: .*app\.lua:6: ", since=since)
        response = wait_until(lambda: (answer := self.server.get("/", BROWSER)).status == 500 and answer, "the page")
        self.assertIn("The app does not load", response.text)
        self.assertIn("local sum = = 0", response.text)
        self.assertRegex(response.text, r'class="now"><i>6</i>')
        problem = self.assert_problem(self.server.fetch("POST", "/any/path", body="x"), 500)
        self.assertIn("app.lua:6", problem["mistakes"][0])
        self.server.write("app.lua", self.changed("mended"))
        self.until("mended")

    def test_a_broken_configuration_and_start_hook_are_shown_too(self):
        self.server.write("server.toml", "[server]\nlistn = 1\n")
        wait_until(lambda: "did you mean" in self.server.get("/").text, "the mistake of the configuration")
        self.server.write("server.toml", "")
        self.until("one")
        self.server.write("app.lua", APP.replace("return app", "app:start(function() error('no database') end) return app"))
        wait_until(lambda: "no database" in self.server.get("/", BROWSER).text, "the error of the hook")
        self.assertEqual(self.server.reload(ok=None) >= 400, True)
        self.server.write("app.lua", APP)
        self.until("one")

    def test_a_template_with_a_mistake_is_shown_with_its_line(self):
        self.server.write("app.lua", APP.replace("local function", 'perigee.template "page.html"\nlocal function', 1))
        self.server.write("templates/page.html", "\n\n{{ a b }}")
        response = wait_until(lambda: "page.html:3" in (answer := self.server.get("/", BROWSER)).text and answer, "it")
        self.assertIn("<i>3</i>{{ a b }}", response.text)


class Starting(ServerCase):
    def test_a_broken_app_is_served_as_its_mistakes_from_the_start(self):
        server = self.start("this is no Lua", arguments=["--dev"])
        self.assertIn("app.lua:1", server.stderr.text)
        self.assertIn("The app does not load", server.get("/", BROWSER).text)
        server.write("app.lua", APP)
        wait_until(lambda: server.get("/").text == "one", "the mended app")

    def test_whoever_can_be_reached_by_others_is_told(self):
        server = self.start(APP, arguments=["--dev"], listen=["0.0.0.0:0"])
        server.stderr.wait("development mode on 0.0.0.0")
        quiet = self.start(APP, arguments=["--dev"])
        quiet.stderr.wait("development mode: saves reload")
        self.assertEqual(quiet.stderr.lines("whoever reaches it"), [])

    def test_no_more_folders_are_watched_than_configured(self):
        files = {f"folder{index}/x.lua": "" for index in range(10)}
        server = self.start(APP, files=files, arguments=["--dev"], settings={"dev.folders": 5})
        server.stderr.wait("only 5 folders are watched")


if __name__ == "__main__":
    unittest.main()
