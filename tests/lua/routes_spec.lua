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
    equal(42, params_of("/x/{first}/{second:json}").second)
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

  it("names the route in tracebacks", function()
    local _, trace = xpcall(function() entered("/", function() error("oops") end) end, debug.traceback)
    equal("routes_spec.lua", trace:match("([%w_]+%.lua):%d+: oops"))
  end)
end)
