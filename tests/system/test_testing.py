"""`perigee test`: tests of apps, what they may ask for, and what becomes of those that fail, hang or can't be run."""

import os
import pty
import subprocess
import unittest
import xml.etree.ElementTree as ET

from folder_case import FolderCase
from harness import BINARY, SLOW

APP = r'''
local perigee = require "perigee"
local app, t = perigee.app(), perigee.types
app:get("/", function() return "Hello, World!" end)
app:get("/hi", { query = { color = t.string:match("^%w*$"):default("") } }, function(req)
  return perigee.html("<b style='color: {color}'>{n}</b>",
    { color = req.query.color, n = perigee.shared("visitors"):incr("total") })
end)
app:get("/slow/{s:number}", function(req) perigee.sleep(req.params.s) return "slept" end)
app:any("/echo", function(req)
  return { method = req.method, body = req.body, type = req:header("content-type"), q = req:query_all("a"),
    x = req:header("x-one"), cookie = req.cookies.c }
end)
app:get("/cookie", function(req)
  req:set_cookie("n", (tonumber(req.cookies.n) or 0) + 1)
  return req.cookies.n or "none"
end)
app:get("/forget", function(req) req:delete_cookie("n") return "" end)
app:get("/boom", function() local x = nil; return x.y end)
app:get("/ticks", function() return tostring(perigee.shared("ticks"):get("n") or 0) end)
app:get("/now", function() return tostring(perigee.now()) end)
app:get("/loop", function() while true do end end)
app:get("/parts", function()
  return perigee.stream(function(write) for i = 1, 3 do write("part " .. i) perigee.sleep(10) end end)
end)
app:get("/events", function()
  local text = ": hello\n\nid: 7\nevent: tick\ndata: a\ndata: b\n\ndata: c\n\n"
  return perigee.stream(function(write) write(text) end), { ["content-type"] = "text/event-stream" }
end)
app:get("/large", function() return ("x"):rep(3 * 1024 * 1024) end)
app:channel("/news", function() return "news" end)
app:post("/news", function(req) perigee.publish("news", req.body) return 204 end)
app:start(function()
  perigee.shared("ticks"):set("started", true)
  perigee.spawn(function() while true do perigee.sleep(60) perigee.shared("ticks"):incr("n") end end)
end)
app:stop(function() io.stderr:write("stop hooks ran\n") end)
return app
'''.replace('return perigee.stream(function(write) write(text) end), { ["content-type"] = "text/event-stream" }',
            'local res = perigee.stream(function(write) write(text) end)\n'
            '  return 200, res, { ["content-type"] = "text/event-stream" }')

CLIENT = 'local test = require "perigee.test"\nlocal client = test.app "lua/app.lua"\n'


class Testing(FolderCase):
    FILES = {"lua/app.lua": APP}

    def perigee_test(self, *arguments):
        return self.perigee("test", *arguments)

    def passes(self, spec, *arguments):
        self.write("tests/app_spec.lua", spec)
        result = self.perigee_test(*arguments)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def fails(self, spec, *arguments):
        self.write("tests/app_spec.lua", spec)
        result = self.perigee_test(*arguments)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        return result.stdout

    def test_an_app_is_asked_in_memory_by_its_real_parser_router_and_types(self):
        said = self.passes(CLIENT + r'''
describe("app", function()
  it("answers", function()
    local res = client:get("/")
    assert.equal(200, res.status)
    assert.equal("Hello, World!", res.body)
    assert.equal("text/plain; charset=utf-8", res.headers["Content-Type"])
    assert.equal("13", res.headers["content-length"])
  end)
  it("checks types", function()
    local res = client:get("/hi", { query = { color = "<red>" } })
    assert.equal(400, res.status)
    assert.equal("color", res:json().errors[1].name)
  end)
  it("knows methods and paths", function()
    assert.equal(404, client:get("/nowhere").status)
    assert.equal(405, client:delete("/").status)
    assert.equal("GET, HEAD, OPTIONS", client:delete("/").headers.allow)
    local head = client:head("/")
    assert.same({ 200, "", "13" }, { head.status, head.body, head.headers["content-length"] })
  end)
  it("sends bodies", function()
    local got = client:post("/echo", { json = { 1, 2 }, query = { a = { "x y", "&" } }, headers = { ["X-One"] = 1 },
      cookies = { c = "v" } }):json()
    assert.same({ method = "POST", body = "[1,2]", type = "application/json", q = { "x y", "&" }, x = "1", cookie = "v" },
      got)
    assert.equal("a=1&b=%C3%A4", client:put("/echo", { form = { b = "ä", a = 1 } }):json().body)
    assert.equal("raw", client:request("PATCH", "/echo", { body = "raw" }):json().body)
  end)
  it("refuses what is no request", function()
    for _, request in ipairs { function() client:get("x") end, function() client:get("/a b") end,
      function() client:get("/", { jsom = 1 }) end, function() client:post("/", { json = 1, body = "" }) end,
      function() client:get("/", { headers = { a = "b\r\nc: d" } }) end } do
      assert.error_matches(request, "^tests/app_spec.lua:%d+: ")
    end
  end)
  it("takes large answers, and goes on after a connection's end", function()
    assert.equal(3 * 1024 * 1024, #client:get("/large").body)
    for _ = 1, 3 do assert.equal(200, client:get("/boom/../").status) end
  end)
end)''')
        self.assertIn("6 successes / 0 failures / 0 errors / 0 pending", said)

    def test_a_client_keeps_cookies_and_another_has_its_own(self):
        self.passes(CLIENT + r'''
it("keeps them", function()
  assert.equal("none", client:get("/cookie").body)
  assert.equal("1", client:get("/cookie").body)
  assert.equal("2", client.jar:get("n"))
  assert.equal("none", client:another():get("/cookie").body)
  client:get("/forget")
  assert.equal("none", client:get("/cookie").body)
end)''')

    def test_each_app_has_state_of_its_own_and_runs_its_hooks(self):
        self.write("tests/app_spec.lua", CLIENT + r'''
it("is fresh", function()
  assert.match(">1<", client:get("/hi").body)
  assert.match(">2<", client:get("/hi").body)
  local other = test.app "lua/app.lua"
  assert.match(">1<", other:get("/hi").body)
  other:close()
  assert.has_error(function() other:get("/") end)
end)''')
        result = self.perigee_test()
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(result.stderr.count("stop hooks ran"), 2)

    def test_waiting_takes_its_time_or_none_where_the_clock_is_moved_on(self):
        self.passes(CLIENT + r'''
it("waits for real", function() assert.equal("slept", client:get("/slow/0.02").body) end)
it("moves the clock", function()
  local slow = client:send("GET", "/slow/20")
  assert.same({ nil, "timeout" }, { slow:wait(0) })
  test.clock:advance(19)
  assert.is_nil(slow:wait(0))
  test.clock:advance(1)
  assert.equal("slept", slow:wait(0).body)
  local before, now = tonumber(client:get("/ticks").body), tonumber(client:get("/now").body)
  test.clock:advance(600)
  assert.equal(before + 10, tonumber(client:get("/ticks").body))
  assert.near(now + 600, tonumber(client:get("/now").body), 5)
end)
it("meets the handler's time limit", function()
  local slow = client:send("GET", "/slow/100")
  test.clock:advance(31)
  assert.equal(503, slow:wait().status)
end)''')

    def test_streams_and_events_are_read_as_they_come(self):
        self.passes(CLIENT + r'''
it("reads parts", function()
  local stream = client:stream("GET", "/parts")
  assert.equal("part 1", stream:read())
  test.clock:advance(10)
  assert.equal("part 2", stream:read())
  assert.same({ nil, "timeout" }, { stream:read(0) })
  test.clock:advance(10)
  assert.equal("part 3", stream:read())
  test.clock:advance(10)
  assert.same({ nil }, { stream:read() })
end)
it("iterates events", function()
  local got = {}
  for event in client:sse("/events") do got[#got + 1] = event end
  assert.same({ { event = "tick", data = "a\nb", id = "7" }, { event = "message", data = "c", id = "7" } }, got)
end)
it("hears what is published", function()
  local news, other = client:sse("/news"), client:another():sse("/news")
  client:post("/news", { body = "one" })
  client:post("/news", { body = "two" })
  for _, events in ipairs { news, other } do
    assert.same({ "one", "two" }, { events:next().data, events:next().data })
    assert.same({ nil, "timeout" }, { events:next(0) })
  end
end)
it("says what is no stream of events", function()
  assert.error_matches(function() client:sse("/") end, "no stream of events but 200, text/plain")
end)''')

    def test_a_server_is_the_real_thing_on_a_port(self):
        self.passes(r'''
local test = require "perigee.test"
local server = test.server "lua/app.lua"
it("serves", function()
  assert.match("^http://127%.0%.0%.1:%d+$", server.url)
  assert.equal("Hello, World!", server:get("/").body)
  assert.equal("close", server:get("/", { headers = { connection = "close" } }).headers.connection)
  assert.equal(3 * 1024 * 1024, #server:get("/large").body)
  assert.same({ nil, "timeout" }, { server:send("GET", "/slow/5"):wait(0.02) })
  assert.equal("part 1", server:stream("GET", "/parts"):read())
end)
it("says that its port is in use", function()
  local port = tonumber(server.url:match("%d+$"))
  assert.error_matches(function() test.server("lua/app.lua", { port = port }) end, "not served.*in use")
end)''')

    def test_a_failure_shows_its_place_the_difference_and_what_was_logged(self):
        said = self.fails(CLIENT + r'''
it("same", function() assert.same({ a = 1, b = { 1, 2 } }, { a = 1, b = { 1, 3 } }) end)
it("logs", function() assert.equal(200, client:get("/boom").status) end)
it("errs", function() local x; x() end)
pending "later"
it("succeeds", function() end)''')
        self.assertIn("1 success / 2 failures / 1 error / 1 pending", said)
        self.assertIn("Failure -> tests/app_spec.lua:4\nsame\ntests/app_spec.lua:4: Expected values to be the same.", said)
        self.assertIn("  -     [2] = 2\n  +     [2] = 3\n", said)
        self.assertIn("Logged meanwhile:\n  error: lua/app.lua:", said)
        self.assertIn("Error -> tests/app_spec.lua:6\nerrs\ntests/app_spec.lua:6: attempt to call local 'x'", said)
        self.assertIn("Pending -> tests/app_spec.lua:7\nlater", said)

    def test_a_test_that_never_ends_is_named_and_the_others_run(self):
        self.write("tests/loop_spec.lua", 'it("loops", function() while true do end end)')
        said = self.fails('local perigee = require "perigee"\n' + CLIENT + r'''
it("sleeps", function() perigee.sleep(1000) end)
it("asks", function() client:get("/slow/20") end)
it("goes on", function() assert.equal(200, client:get("/").status) end)''', "--timeout", str(0.3 * SLOW))
        self.assertIn("1 success / 0 failures / 3 errors", said)
        self.assertIn("sleeps\ncancelled: over the time limit that a test has (--timeout)", said)
        self.assertIn("GET /slow/20: no answer came in the time a test may take (--timeout)", said)
        self.assertRegex(said, r"Error -> tests/loop_spec.lua:1\nloops\n.*(did not end within|over its CPU)")

    def test_an_app_that_does_not_load_is_an_error_with_every_mistake(self):
        self.write("lua/broken.lua", "local x = = 1")
        self.write("lua/hook.lua", 'local app = require "perigee".app()\napp:start(function() error("no disk") end)\n'
                                   'return app')
        said = self.fails(r'''
local test = require "perigee.test"
it("broken", function() test.app "lua/broken.lua" end)
it("missing", function() test.app "lua/none.lua" end)
it("hook", function() test.app "lua/hook.lua" end)
it("setting", function() test.app("lua/app.lua", { set = { ["limit.time"] = 1 } }) end)''')
        self.assertIn("4 errors", said)
        self.assertIn("lua/broken.lua:1: unexpected symbol near '='", said)
        self.assertIn("cannot open lua/none.lua", said)
        self.assertIn("a start hook failed: lua/hook.lua:2: no disk", said)
        self.assertIn("did you mean [limits]?", said)

    def test_what_can_not_be_run_is_said(self):
        result = self.perigee_test()
        self.assertEqual((result.returncode, result.stderr),
                         (1, "perigee: no files *_spec.lua or *_test.lua in lua\n"))
        result = self.perigee_test("nowhere")
        self.assertEqual((result.returncode, result.stderr), (1, "perigee: there is no nowhere\n"))
        said = self.fails('it("x", function() end')
        self.assertIn("Error -> tests/app_spec.lua\nthe file as a whole\ntests/app_spec.lua:1: ')' expected", said)
        self.write("tests/app_spec.lua", 'it("x", function() end)')
        result = self.perigee_test("--filter", "%")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(result.stderr.split("\n")[0],
                         "perigee: --filter: '%' is no Lua pattern: malformed pattern (ends with '%')")
        result = self.perigee("serve", "--app", "tests/app_spec.lua")
        self.write("lua/app.lua", 'require "perigee.test"')
        result = self.perigee("check")
        self.assertIn("perigee.test works in files that `perigee test`", result.stderr)

    def test_a_filter_chooses_a_seed_orders_and_junit_records(self):
        spec = 'local order = {}\ndescribe("all", function()\n' + "".join(
            f'it("number {i}", function() io.write("<{i}>") end)\n' for i in range(9)) + "end)"
        orders = [self.passes(spec, "--seed", seed).replace(".", "").split("\n")[0] for seed in ("1", "2", "1")]
        self.assertEqual(orders[0], orders[2])
        self.assertNotEqual(orders[0], orders[1])
        said = self.passes(spec, "--filter", "number [12]$", "--junit", "out.xml")
        self.assertIn("2 successes", said)
        suite = ET.parse(self.folder / "out.xml").getroot().find("testsuite")
        self.assertEqual((suite.get("name"), suite.get("tests"), suite.get("failures")), ("tests/app_spec.lua", "2", "0"))
        self.assertEqual({case.get("name") for case in suite}, {"all number 1", "all number 2"})
        said = self.fails('it("a <b> & \\0\\255", function() assert.equal("\\27[1m", "") end)', "--junit", "out.xml")
        case = ET.parse(self.folder / "out.xml").getroot().find("testsuite/testcase")
        self.assertIn("Expected values to be equal", case.find("failure").text)

    def test_files_run_beside_each_other_each_with_globals_of_its_own(self):
        for i in range(5):
            self.write(f"tests/deep/n{i}_test.lua", f'leak = (leak or 0) + 1\nit("n{i}", function() assert.equal(1, leak) end)')
        self.write("tests/helper.lua", "return { answer = 42 }")
        said = self.passes('local helper = require "helper"\nit("h", function() assert.equal(42, helper.answer) end)',
                           "--jobs", "3")
        self.assertIn("6 successes", said)

    def test_blocks_prepare_and_clean_up_in_busteds_order(self):
        self.passes(r'''
local log = {}
local function note(text) return function() log[#log + 1] = text end end
describe("outer", function()
  setup(note "setup")
  teardown(function()
    assert.same({ "setup", "before outer", "before inner", "test", "finally", "after inner", "after outer" }, log)
  end)
  before_each(note "before outer")
  after_each(note "after outer")
  describe("inner", function()
    before_each(note "before inner")
    after_each(note "after inner")
    it("runs", function() finally(note "finally") log[#log + 1] = "test" end)
  end)
end)''')
        said = self.fails('describe("d", function() setup(function() error("no") end) it("x", function() end) end)')
        self.assertIn("d x\nin setup: tests/app_spec.lua:1: no", said)

    def test_what_is_asked_of_a_closed_app_is_told_so(self):
        self.passes(CLIENT + r'''
it("closes", function()
  local slow, parts, news = client:send("GET", "/slow/50"), client:stream("GET", "/parts"), client:sse("/news")
  client:close()
  assert.same({ nil, "closed" }, { slow:wait() })
  parts:read()
  assert.same({ nil, "closed" }, { parts:read() })
  assert.same({ nil, "closed" }, { news:next() })
  assert.error_matches(function() client:get("/") end, "the client was closed before the request")
  assert.error_matches(function() client:post("/new", {}) end, "the client was closed before the request")
end)''')

    def test_stop_hooks_that_fail_are_told_of(self):
        self.write("lua/stops.lua", """
local app = require "perigee".app()
app:get("/", function() return "fine" end)
app:stop(function() error("no disk") end)
return app""")
        said = self.fails("""
local test = require "perigee.test"
randomize(false)
local apps = { test.app "lua/stops.lua", test.server "lua/stops.lua", test.app "lua/stops.lua" }
it("closes one", function() apps[1]:close() end)
it("closes another", function() apps[2]:close() end)
it("closes it again", function() apps[1]:close() end)""")
        self.assertIn("1 success / 0 failures / 3 errors", said)
        for line in (5, 6):
            self.assertIn(f"tests/app_spec.lua:{line}: lua/stops.lua: a stop hook failed: lua/stops.lua:4: no disk", said)
        self.assertIn("the file as a whole\nlua/stops.lua: a stop hook failed: lua/stops.lua:4: no disk", said)

    def test_wrong_arguments_name_the_line_of_the_test(self):
        mistakes = (
            ('client:get("/", { headers = "x" })', "bad option 'headers' of the request (table expected, got string)"),
            ('client:get("/", { body = 3 })', "bad option 'body' of the request (string expected, got number)"),
            ('client:request(3, "/")', "no method of a request: a number"),
            ('client:request("G T", "/")', 'no method of a request: "G T"'),
            ("finally(3)", "bad argument #1 to 'finally' (function expected, got number)"),
            ("assert.near(1, 2)", "bad argument #3 to assert.near (number expected, got nil)"),
            ('assert.matches(nil, "x")', "bad argument #1 to assert.matches (string expected, got nil)"),
            ("assert.error_matches(error)", "bad argument #2 to assert.error_matches (string expected, got nil)"),
            ('assert.has.property(nil, "x")', "bad argument #1 to assert.property (table expected, got nil)"),
            ("assert.has.arguments(nil, 1)", "bad argument #1 to assert.arguments (number expected, got nil)"),
            ('test.server("lua/app.lua", { port = "80" })',
             "bad option 'port' of test.server (an integer from 0 to 65535 expected, got 80)"),
            ('test.app("lua/app.lua", { set = "x" })', "bad option 'set' of test.app (table expected, got string)"),
            ('test.upstream("x:99999", print)', 'bad argument #1 to test.upstream (a host expected, "api.example.com" or'),
            ('test.upstream("x:", print)', "bad argument #1 to test.upstream"),
        )
        said = self.fails(CLIENT + "".join(f"it('number {i}', function() {call} end)\n"
                                           for i, (call, _) in enumerate(mistakes)))
        first = CLIENT.count("\n") + 1
        self.assertIn(f"{len(mistakes)} errors", said)
        for i, (call, message) in enumerate(mistakes):
            self.assertIn(f"\nnumber {i}\ntests/app_spec.lua:{first + i}: {message}", said, call)

    def test_a_test_that_kept_its_thread_too_long_fails(self):
        said = self.fails(r'''
local ffi = require "ffi"
ffi.cdef "int usleep(unsigned);"
it("is fine", function() end)
it("sleeps in C", function() ffi.C.usleep(600000) end)''', "--timeout", "0.3")
        self.assertIn("1 success / 0 failures / 1 error", said)
        self.assertRegex(said, r"sleeps in C\n(took 0\.\d+ seconds, of 0\.3 that a test may take|"
                               r"tests/app_spec\.lua:5: did not end within 0\.3 s) \(--timeout\)\n")

    def test_a_filter_that_matches_nothing_is_told_of(self):
        self.write("tests/app_spec.lua", 'it("a", function() end)')
        result = self.perigee_test("--filter", "b")
        self.assertEqual((result.returncode, result.stderr), (0, "perigee: no test was run: the filters and tags choose none\n"))

    def test_a_terminal_has_colours_unless_somebody_minds(self):
        self.write("tests/app_spec.lua", 'it("a", function() end)\nit("b", function() assert.equal(1, 2) end)')
        for more, colourful in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            ours, theirs = pty.openpty()
            environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
            result = subprocess.Popen([BINARY, "test"], cwd=self.folder, stdout=theirs, stderr=subprocess.DEVNULL,
                                      env={**environment, "TERM": "xterm", **more})
            os.close(theirs)
            said = b""
            try:
                while part := os.read(ours, 4096):
                    said += part
            except OSError:  # of a terminal that nobody writes to any more
                pass
            os.close(ours)
            self.assertEqual(result.wait(), 1)
            for coloured in (b"\x1b[32m.\x1b[0m", b"\x1b[32m1 success\x1b[0m / \x1b[31m1 failure\x1b[0m / 0 errors / 0 pending"):
                self.assertEqual(coloured in said, colourful, said)
            self.assertEqual(b"\x1b" in said, colourful, said)

    def test_tags_choose(self):
        spec = """
it("a #slow", function() end)
it("b #slow,#net", function() end)
it("c", function() end)"""
        for arguments, count in ((("--tags", "slow"), 2), (("-t", "#slow", "--exclude-tags", "net,disk"), 1),
                                 (("--tags", "net,x"), 1), (("--exclude-tags", "slow"), 1), (("--filter-out", "^b"), 2)):
            said = self.passes(spec, *arguments)
            self.assertRegex(said, rf"^\.{{{count}}}\n{count} success", arguments)
        result = self.perigee_test("--tags", "a,b", "--exclude-tags", "b")
        self.assertEqual((result.returncode, result.stderr.split("\n")[0]),
                         (1, "perigee: --tags and --exclude-tags name the same tag, 'b'"))

    def test_nothing_that_a_test_says_moves_the_cursor(self):
        said = self.fails('it("a \\27[2J\\0 b", function() error("x\\27]0;y\\7\\r", 0) end)')
        self.assertIn(r"a \x1b[2J\x00 b", said)
        self.assertIn(r"x\x1b]0;y\x07\r", said)

    def test_what_goes_wrong_in_any_way_is_the_tests_own(self):
        for body, how in (('local function f() return 1 + f() end f()', "stack overflow|error in error handling|C stack"),
                          ('local s = ("xxxx"):rep(0x7ffffff0)', "not enough memory|string length overflow"),
                          ("coroutine.yield()", "attempt to yield outside a coroutine of the program's own"),
                          ('local t = {} stub(t, "x") t.x = nil setmetatable(t, { __newindex = function() error "frozen" end })',
                           "frozen")):
            said = self.fails(f"""
randomize(false)
it("goes wrong", function() {body} end)
it("is fine", function() end)""")
            self.assertIn("1 success / 0 failures / 1 error", said, body)
            self.assertRegex(said, rf"Error -> tests/app_spec.lua:3\ngoes wrong\n.*({how})", body)

    def test_time_that_runs_out_in_the_library_is_the_tests_own(self):
        said = self.fails("""
randomize(false)
it("compares", function()
  local t = {}
  for i = 1, 20000 do t[i] = { i } end
  assert.unique(t)
end)
it("is fine", function() end)""", "--timeout", str(0.3 * SLOW))
        self.assertIn("1 success / 0 failures / 1 error", said)
        self.assertRegex(said, r"Error -> tests/app_spec.lua:3\ncompares\n.*did not end within")

    def test_errors_are_shown_whole(self):
        self.assertIn(r"bad byte \x00 at 7", self.fails('it("a", function() error("bad byte \\0 at 7", 0) end)'))

    def test_tags_end_in_any_letter(self):
        spec = 'it("a #c++ x", function() end) it("b #äöü", function() end) it("c #äöüs #c++2", function() end)'
        self.assertIn("1 success", self.passes(spec, "--tags", "äöü"))
        self.assertIn("1 success", self.passes(spec, "--tags", "c++"))
        self.assertIn("1 success", self.passes(spec, "--exclude-tags", "c++,äöü"))

    def test_code_under_test_may_be_spied_on(self):
        self.passes(r'''
it("spies", function()
  local t = { greet = function(name) return "hi " .. name end }
  local s = spy.on(t, "greet")
  assert.equal("hi ada", t.greet("ada"))
  assert.spy(s).was_called(1)
  assert.spy(s).was.called_with("ada")
  assert.spy(s).was_not.called_with("bob")
  stub(t, "greet").returns(7)
end)
it("restores", function()
  local t = { f = function() return 1 end }
  stub(t, "f", 5)
  assert.equal(5, t.f())
end)'''.replace('stub(t, "greet").returns(7)', 'stub(t, "greet"):returns(7)'))


if __name__ == "__main__":
    unittest.main()
