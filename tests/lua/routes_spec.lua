-- Routes are entered with the task that runs this file, whose path has two parameters: "routes_spec" and 42.

local native = require "perigee.native"
local request = require "perigee.request"
local routes = require "perigee.routes"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function entered(pattern, handler, keeps)
  return routes.enter({ pattern = pattern, place = "spec.lua:1", handler = handler }, keeps)(native.vm.current)
end

local function params_of(pattern)
  return entered(pattern, function(req) return req.params end)
end

describe("a route's function", function()
  it("hands the handler a request and returns all that it returns", function()
    local a, b, c = entered("/", function(req) return req.method, nil, req end)
    equal("POST", a)
    equal(nil, b)
    equal(request.Request, getmetatable(c))
  end)

  it("reads parameters in the pattern's order and types", function()
    local params = params_of("/x/{first}/{second:integer}")
    equal("routes_spec", params.first)
    equal(42, params.second)
    equal("42", params_of("/x/{first}/{second}").second)
    equal("42", params_of("/x/{first}/{rest*}").rest)
    equal(42, params_of("/x/{first}/{second:number}").second)
    equal(true, params_of("/x/{first}/{second:boolean}").second)
    equal("42", params_of("/x/{first}/{second:slug}").second)
    equal("42", params_of("/x/{first}/{second:json}").second) -- perigee.spec decodes it
  end)

  it("has an empty table of parameters where the pattern has none", function()
    equal(nil, next(params_of("/plain")))
  end)

  it("takes parameters named as the language's words", function()
    local params = params_of("/x/{end}/{function:integer}")
    equal("routes_spec", params["end"])
    equal(42, params["function"])
  end)

  it("keeps the request where hooks will ask for it", function()
    local serial = native.vm.current.serial
    local before = request.live[serial]
    local kept = entered("/", function(req) return req end, true)
    equal(kept, request.live[serial])
    request.live[serial] = before
    entered("/", function() end, false)
    equal(before, request.live[serial])
  end)

  it("reads early what the handler is known to read, the same again", function()
    local enter = routes.enter({ pattern = "/", place = "spec.lua:1", handler = function(req)
      return req.query.a .. req.query.b .. req.cookies.flavour
    end })
    for _ = 1, 100 do
      equal("1x yoat", enter(native.vm.current))
    end
  end)

  it("hands on returned headers, or has their lines added and keeps them", function()
    local held = { a = "1" }
    local status, body, headers = entered("/", function() return 200, "x", held end)
    equal(200, status)
    equal("x", body)
    equal(held, headers)
    status, body, headers = entered("/", function() return 201, "y", { ["x-a"] = "1", ["x-b"] = nil } end)
    equal(201, status)
    equal("y", body)
    equal(nil, headers)
    entered("/", function() return 200, "x", { ["x-a"] = "\n" } end) -- takes them back
  end)

  it("hands headers on whole where one of them is no plain line, or the body no text", function()
    local function handed(body, value)
      local _, _, headers = entered("/", function() return 200, body, { ["x-a"] = value, ["x-b"] = "2" } end)
      return headers
    end
    for _, value in ipairs { 7, "a\nb", true } do
      equal(value, handed("x", value)["x-a"])
      equal("2", handed("x", value)["x-b"])
    end
    equal("1", handed({}, "1")["x-a"])
    equal("1", handed(nil, "1")["x-a"])
    for _, value in ipairs { 7, "a\rb", true } do
      local _, _, headers = entered("/", function() return 200, "x", { ["Content-Type"] = value } end)
      equal(value, headers["Content-Type"])
    end
  end)

  it("hands headers on whole where a name may not be sent, or there are more than eight", function()
    local _, _, reserved = entered("/", function() return 200, "x", { date = "now", ["x-a"] = "1" } end)
    equal("now", reserved.date)
    equal("1", reserved["x-a"])
    local _, _, bad = entered("/", function() return 200, "x", { ["a b"] = "1" } end)
    equal("1", bad["a b"])
    local _, _, nine = entered("/", function()
      return 200, "x", { a = "1", b = "2", c = "3", d = "4", e = "5", f = "6", g = "7", h = "8", i = "9" }
    end)
    equal("9", nine.i)
  end)

  it("names the route in tracebacks", function()
    local _, trace = xpcall(function() entered("/", function() error("oops") end) end, debug.traceback)
    equal("routes_spec.lua", trace:match("([%w_]+%.lua):%d+: oops"))
  end)
end)
