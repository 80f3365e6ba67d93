"""Every way to wait, in every place that may wait; and what the places say that may not."""

import unittest

from harness import ServerCase, wait_until

APP = """
local perigee = require "perigee"
local app, t = perigee.app(), perigee.types
local shared = perigee.shared("places")

local count = 0
local WAITS = {
  sleep = function() perigee.sleep(0.001) return true end,
  sleep_zero = function() perigee.sleep(0) return true end,
  task = function() return perigee.spawn(function() perigee.sleep(0) return true end):wait() end,
  task_timeout = function()
    local task = perigee.spawn(perigee.sleep, 1e6)
    local _, err = task:wait(0.001)
    task:cancel()
    return err == "timeout"
  end,
  all = function() return perigee.all({ function() perigee.sleep(0) return true end })[1] end,
  semaphore = function()
    local semaphore = perigee.semaphore(1)
    semaphore:acquire()
    perigee.spawn(function() perigee.sleep(0) semaphore:release() end)
    return semaphore:with(function() return true end)
  end,
  shield = function() return perigee.shield(function() perigee.sleep(0) return true end) end,
  run = function() return perigee.run("jobs", "same", true) end,
  password = function() return perigee.crypto.password_verify("x", "no hash") == false end,
  fetch = function()
    count = count + 1
    return shared:fetch("fetch" .. count, 1, function() perigee.sleep(0) return true end)
  end,
  http = function()
    local self = shared:get("self")
    return not self or perigee.http.get(self .. "/plain").body == "plain"
  end,
  socket = function()
    local self = shared:get("self")
    if not self then return true end
    local socket = perigee.socket.tcp()
    assert(socket:connect("127.0.0.1", tonumber(self:match("%d+$"))))
    socket:send("GET /plain HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n")
    return socket:receive("*l") == "HTTP/1.1 200 OK"
  end,
}

-- Waits in every way; what went wrong is kept under the place's name.
local function wait_at(place)
  local wrong = {}
  for name, wait in pairs(WAITS) do
    local ok, value = pcall(wait)
    if not (ok and value == true) then
      wrong[#wrong + 1] = name .. ": " .. tostring(value)
    end
  end
  shared:set(place, #wrong == 0 and "ok" or table.concat(wrong, "; "))
  return place
end

app:get("/plain", function() return "plain" end)
app:get("/self/{url*}", function(req) shared:set("self", "http://" .. req.params.url) return "x" end)
app:get("/places", function()
  local places = {}
  for _, key in ipairs(shared:keys()) do
    if key:sub(1, 3) == "at " then places[key:sub(4)] = shared:get(key) end
  end
  return places
end)

app:start(function() wait_at "at start" end)
app:stop(function() perigee.log.info("stop: " .. tostring(pcall(perigee.sleep, 0.001))) end)
app:error(function(problem, req)
  if problem.status == 500 then wait_at "at error" end
  return problem.status, "rendered"
end)
app:not_found(function() wait_at "at not_found" return 404, "nowhere" end)
app:after(function(req) if req.path == "/after" then wait_at "at after" end end)
app:on_session(function() wait_at "at on_session" end)
app:use(function(req, inner)
  if req.path ~= "/middleware" then return inner(req) end
  wait_at "at middleware"
  local res = inner(req)
  wait_at "at middleware afterwards"
  return res
end)
app:type("waiting", function(text) wait_at "at type" return text end)

app:get("/after", function() return "x" end)
app:get("/middleware", function() return "x" end)
app:get("/error", function() error "deliberate" end)
app:get("/session", function(req) req.session.a = 1 return "x" end)
app:get("/type", { query = { a = "waiting" } }, function() return "x" end)
app:get("/stream", function()
  return perigee.stream(function(write) write(wait_at "at stream") end)
end)
app:get("/sse", function()
  return perigee.sse(function(stream) stream:send { data = wait_at "at sse" } end)
end)
app:get("/timers", function()
  local every
  every = perigee.every(0.001, function() wait_at "at every" every:cancel() end)
  perigee.spawn(function() wait_at "at spawn" end)
  perigee.defer(wait_at, "at defer")
  return "x"
end)
app:get("/children", function(req)
  req:spawn(wait_at, "at child"):wait()
  return "x"
end)

local function waits(place) return wait_at("at " .. place) end
local M = { __index = function(_, key) return waits("__index") .. key end, __call = function() return waits "__call" end,
  __newindex = function() waits "__newindex" end, __add = function() return waits "__add" end,
  __concat = function() return waits "__concat" end, __eq = function() return waits "__eq" and true end,
  __lt = function() return waits "__lt" and true end, __unm = function() return waits "__unm" end }
local one, two = setmetatable({}, M), setmetatable({}, M)
app:get("/handler", function()
  waits "handler"
  pcall(waits, "pcall")
  xpcall(waits, print, "xpcall")
  pcall(pcall, xpcall, waits, print, "pcalls within")
  for place in waits, "iterator" do
    if place then break end
  end
  require "waits_while_it_loads"
  tostring(setmetatable({}, { __tostring = function() return waits "tostring" end }))
  local parts = { "return", false, " 7" }
  assert(load(function()
    local part = table.remove(parts, 1)
    return part == false and waits "load" and " " or part
  end)() == 7)
  local co = coroutine.create(function(a)
    waits("coroutine")
    local b = coroutine.yield(a + 1)
    coroutine.wrap(function()
      waits "coroutine in coroutine"
      coroutine.yield()
    end)()
    pcall(waits, "pcall in coroutine")
    return b + 1
  end)
  local _, first = coroutine.resume(co, 1)
  local _, second = coroutine.resume(co, 10)
  assert(first == 2 and second == 11 and coroutine.status(co) == "dead")
  local _ = one.x, one(), one + 1, one .. "x", one == two, one < two, -one
  one.y = 1
  return "x"
end)

local function told(fn, ...)
  local ok, err = pcall(fn, ...)
  return ok and "no error" or tostring(err):match("can't wait here: a C function is calling back") or tostring(err)
end
app:get("/below", function()
  local nap = function() perigee.sleep(0) return "" end
  local shown = setmetatable({}, { __tostring = function() perigee.sleep(0) return "x" end })
  local finalized
  do
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = function() finalized = told(perigee.sleep, 0) end
  end
  collectgarbage()
  collectgarbage()
  local caught
  xpcall(error, function() caught = told(perigee.sleep, 0) end)
  return {
    sort = told(table.sort, { 3, 1, 2 }, function(a, b) perigee.sleep(0) return a < b end),
    gsub = told(string.gsub, "x", "x", nap),
    format = told(string.format, "%s", shown),
    xpcall = caught, finalizer = finalized,
    run = told(string.gsub, "x", "x", function() return perigee.run("jobs", "same", "x") end),
    all = told(string.gsub, "x", "x", function() perigee.all({ nap }) end),
    password = told(string.gsub, "x", "x", function() return perigee.crypto.password_hash("x") end),
    semaphore = told(string.gsub, "x", "x", function()
      local semaphore = perigee.semaphore(1)
      semaphore:acquire()
      semaphore:acquire()
    end),
    task = told(string.gsub, "x", "x", function() perigee.spawn(nap):wait() end),
  }
end)
app:get("/load", function()
  local function of(...) local fn, err = load(...) return fn and fn() or err end
  local ones = { "return ", "1" }
  return { of(function() return table.remove(ones, 1) end), of(function() return {} end), of(function() error("oops", 0) end),
    of(function() end) or "nothing", (of("x = = 1")), of("return 3") }
end)
app:get("/update", function()
  local ok, err = pcall(shared.update, shared, "at update", function() perigee.sleep(0) end)
  return tostring(err)
end)
return app
"""

FILES = {
    "jobs.lua": "return { same = function(...) return ... end }",
    "waits_while_it_loads.lua": """
        local perigee = require "perigee"
        perigee.sleep(0)
        assert(perigee.run("jobs", "same", true))
        perigee.shared("places"):set("at require", "ok")
        return {}
    """,
}

PATHS = ["/middleware", "/after", "/error", "/nowhere", "/session", "/type?a=1", "/stream", "/sse", "/timers", "/children",
         "/handler"]
PLACES = """start error not_found after on_session middleware type stream sse every spawn defer child handler pcall xpcall
    iterator require tostring load coroutine __index __call __newindex __add __concat __eq __lt __unm""".split()
PLACES += ["middleware afterwards", "pcalls within", "coroutine in coroutine", "pcall in coroutine"]


class Places(ServerCase):
    APP, FILES, SETTINGS = APP, FILES, {"limits.cpu": 20}

    def test_everything_waits_everywhere(self):
        self.get("/self/127.0.0.1:%d" % self.server.address[1])
        for path in PATHS:
            self.get(path)
        wait_until(lambda: set(PLACES) <= set(self.get("/places").json()), "every place to have waited")
        self.assertEqual(self.get("/places").json(), dict.fromkeys(PLACES, "ok"))

    def test_what_a_c_function_calls_back_cannot_wait_and_says_so(self):
        answers = self.get("/below").json()
        self.assertEqual(len(answers), 10)
        self.assertEqual(answers, dict.fromkeys(answers, "can't wait here: a C function is calling back"))
        self.assertEqual(self.get("/plain").text, "plain")

    def test_load_takes_functions_as_ever(self):
        self.assertEqual(self.get("/load").json(), [1, "reader function must return a string", "oops", "nothing",
                                                    "[string \"x = = 1\"]:1: unexpected symbol near '='", 3])

    def test_the_function_of_an_update_may_not_wait_and_says_so(self):
        self.assertIn("can't wait here", self.get("/update").text)


class StopHooks(ServerCase):
    def test_a_stop_hook_waits(self):
        server = self.start(APP, files=FILES)
        server.signal(15)
        server.wait_exit()
        self.assertIn("stop: true", server.stderr.text)


if __name__ == "__main__":
    unittest.main()
