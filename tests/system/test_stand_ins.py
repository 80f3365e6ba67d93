"""test.upstream: what apps under test ask of other servers is answered by the test."""

import unittest

from folder_case import FolderCase

APP = r'''
local perigee = require "perigee"
local app, begun = perigee.app(), nil
app:start(function()
  local res = perigee.http.get("https://start.example.com/", { timeout = 2 })
  begun = res and res.body
end)
app:get("/begun", function() return begun end)
app:post("/call", function(req)
  local asked = req:json()
  local method, url = asked.method or "GET", asked.url
  asked.method, asked.url = nil, nil
  local res, err = perigee.http.request(method, url, asked)
  if not res then return { err = err } end
  return { status = res.status, body = res.body, type = res.headers["content-type"] }
end)
app:get("/upload", function()
  local left = 4
  local res = perigee.http.post("https://api.example.com/echo", { body = function()
    left = left - 1
    return left >= 0 and ("y"):rep(10000) or nil
  end })
  return perigee.decode(res.body).body
end)
return app
'''

HEAD = r'''
local test = require "perigee.test"
local perigee = require "perigee"
test.upstream("start.example.com", function() return "begun" end)
local api = test.upstream("api.example.com", function(req)
  if req.path == "/echo" then
    return { method = req.method, body = req.body, q = req.query, x = req.headers["X-A"], host = req.host }
  elseif req.path == "/slow" then
    req:wait(5)
    return "slow"
  elseif req.path == "/never" then
    req:wait(math.huge)
  elseif req.path == "/gone" then
    req:hang_up()
  elseif req.path == "/raises" then
    assert.equal("POST", req.method)
  elseif req.path == "/wrong" then
    return function() end
  elseif req.path == "/sleeps" then
    perigee.sleep(1)
  elseif req.path == "/away" then
    return perigee.redirect("/missing", 302)
  elseif req.path == "/large" then
    return ("x"):rep(3e6)
  else
    return perigee.problem(404, "none")
  end
end)
local client = test.app "app.lua"
local function call(options)
  if type(options) == "string" then options = { url = "https://api.example.com" .. options } end
  return client:post("/call", { json = options }):json()
end
local function begin(path, timeout)
  return client:send("POST", "/call", { json = { url = "http://api.example.com" .. path, timeout = timeout } })
end
'''


class StandIns(FolderCase):
    FILES = {"app.lua": APP}

    def run_spec(self, spec, *arguments):
        self.write("calls_spec.lua", HEAD + spec)
        return self.perigee("test", *arguments, "calls_spec.lua")

    def passes(self, spec, *arguments):
        result = self.run_spec(spec, *arguments)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_a_call_reaches_the_test_and_its_answer_the_app(self):
        self.passes(r'''
it("is shown whole", function()
  local got = call { method = "PUT", url = "https://api.example.com/echo?a=b+c&a=2", json = { n = 1 },
    headers = { ["x-a"] = "1" } }
  assert.same({ 200, "application/json" }, { got.status, got.type })
  assert.same({ method = "PUT", body = '{"n":1}', q = { a = "b c" }, x = "1", host = "api.example.com" },
    perigee.decode(got.body))
end)
it("is answered with whatever an app may answer", function()
  assert.equal("application/problem+json", call("/nothing").type)
  assert.equal(404, call("/away").status)
  assert.equal(3e6, #call("/large").body)
  assert.match("^closed", call("/gone").err)
  assert.equal(40000, #client:get("/upload").body)
end)
it("is remembered", function()
  local before = #api.calls
  call "/a?b"
  assert.same({ before + 1, "/a?b" }, { #api.calls, api.calls[before + 1].target })
end)
it("comes from start hooks too", function() assert.equal("begun", client:get("/begun").body) end)
it("comes from an app that is served", function()
  local server = test.server "app.lua"
  local got = server:post("/call", { json = { url = "http://api.example.com:8080/echo" } }):json()
  assert.equal("api.example.com:8080", perigee.decode(got.body).host)
end)
it("may be passed on to the app", function()
  test.upstream("back.example.com", function() return client:another():get("/begun").body end)
  assert.equal("begun", call({ url = "http://back.example.com/" }).body)
end)''')

    def test_time_passes_on_the_clock_of_the_apps(self):
        self.passes(r'''
it("answers in its time", function()
  local asked = begin("/slow", 7)
  test.clock:advance(4)
  assert.is_nil((asked:wait(0)))
  test.clock:advance(1)
  assert.equal("slow", asked:wait():json().body)
end)
it("answers before what is due later", function()
  local asked = begin("/slow", 7)
  test.clock:advance(100)
  assert.equal("slow", asked:wait():json().body)
end)
it("never answers", function()
  local asked = begin("/never", 7)
  test.clock:advance(8)
  assert.match("^timeout", asked:wait():json().err)
end)''')

    def test_a_host_is_itself_again_once_nobody_stands_in_for_it(self):
        self.passes(r'''
it("ends", function()
  local one = test.upstream("127.0.0.1:1", function() return "one" end)
  assert.equal("one", call({ url = "http://127.0.0.1:1/" }).body)
  assert.match("^refused", call({ url = "http://127.0.0.1:2/" }).err)
  local two = test.upstream("127.0.0.1:1", function() return "two" end)
  assert.equal("two", call({ url = "http://127.0.0.1:1/" }).body)
  local three = test.upstream("127.0.0.1", function() return "three" end)
  assert.equal("two", call({ url = "http://127.0.0.1:1/" }).body)
  one:close()
  two:close()
  two:close()
  assert.equal("three", call({ url = "http://127.0.0.1:1/", method = "POST" }).body)
  three:close()
  assert.match("^refused", call({ url = "http://127.0.0.1:1/" }).err)
end)''')

    def test_what_goes_wrong_in_a_handler_is_the_tests_failure(self):
        result = self.run_spec(r'''
it("asserts", function() call "/raises" end)
it("returns", function() call "/wrong" end)
it("sleeps", function() call "/sleeps" end)
it("is fine after that", function() assert.equal(404, call("/x").status) end)
it("names hosts", function() test.upstream("http://x/", print) end)
it("wants a function", function() test.upstream("x") end)''')
        self.assertEqual(result.returncode, 1)
        self.assertIn("1 success / 1 failure / 4 errors", result.stdout)
        for said in ('calls_spec.lua:16: Expected values to be equal', 'calls_spec.lua:5: an upstream\'s handler returned a '
                     'function', 'perigee.sleep can\'t wait here: a handler of test.upstream calls req:wait',
                     'a host expected, "api.example.com" or', 'bad argument #2 to test.upstream'):
            self.assertIn(said, result.stdout)


if __name__ == "__main__":
    unittest.main()
