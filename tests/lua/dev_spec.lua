local core = require "perigee.core"
local dev = require "perigee.dev"
local response = require "perigee.response"
local spec = require "spec"
local values = require "perigee.dev_values"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("a guarded handler", function()
  it("returns and raises what the handler does", function()
    local a, b, c = dev.guard(function(req) return req, nil, 3 end)("req")
    equal("req nil 3", ("%s %s %s"):format(a, tostring(b), c))
    local problem = response.problem(403)
    raises(problem, dev.guard(function() error(problem) end))
    local value = {}
    raises(value, dev.guard(function() error(value) end))
  end)

  it("leaves a report of what it raised, once", function()
    local handler = dev.guard(function() error("broken") end)
    local _, err = pcall(handler)
    local taken, trace = dev.report(err)
    equal(err, taken.message)
    equal("dev_spec.lua", taken.frames[1].place:match("([^/]*):%d+$"))
    equal(true, trace:find("dev_spec.lua", 1, true) ~= nil)
    equal(0, #dev.report(err).frames)
  end)

  it("leaves none of another error", function()
    pcall(dev.guard(function() error("broken") end))
    local taken, trace = dev.report("another")
    equal("another 0 nil", ("%s %d %s"):format(taken.message, #taken.frames, tostring(trace)))
  end)
end)

describe("the answer to an error", function()
  it("is the problem with error and traceback for a client without pages", function()
    local _, err = pcall(dev.guard(function() error("broken", 0) end))
    local answer = dev.answer(response.problem(500), dev.report(err), spec.req[1])
    equal("problem", answer.kind)
    equal("broken", answer.body.error)
    equal(true, #answer.body.traceback > 0)
    equal(false, dev.wants_page(spec.req))
  end)
end)

describe("what the types of a route call secret", function()
  it("is hidden wherever it is called so", function()
    local t = require("perigee").types
    local app = require("perigee.app").new()
    app:post("/", { query = { pin_a = t.string:secret(), open_a = t.string },
      body = t.object { pin_b = t.integer:secret(), deep = t.list(t.object { pin_c = t.string:secret() }) } }, print)
    local route = app.routes[1]
    require("perigee.spec").load(route, {})
    dev.hide_secrets(route.plan)
    local secret = { pin_a = true, pin_b = true, pin_c = true, PIN_A = true, open_a = false, deep = false }
    for name, expected in pairs(secret) do
      equal(expected, values.is_secret(name))
    end
  end)
end)

describe("a new global", function()
  it("is reported once for each place, and kept", function()
    local logged, log, uncaught = {}, core.log, core.uncaught
    core.uncaught = function(prefix, text) core.log("error", prefix .. text) end
    core.log = function(_, message) logged[#logged + 1] = message end
    dev.watch_globals()
    local ok, err = pcall(function()
      for _, name in ipairs { "dev_spec_leaked", "dev_spec_leaked" } do
        _G[name] = nil
        _G[name] = 1
      end
      equal(1, dev_spec_leaked) -- luacheck: ignore 113
    end)
    core.log, core.uncaught = log, uncaught
    setmetatable(_G, nil)
    _G.dev_spec_leaked = nil
    equal(nil, err)
    equal(true, ok)
    equal(1, #logged)
    equal(true, logged[1]:find("dev_spec.lua:%d+: a new global 'dev_spec_leaked'") ~= nil)
  end)

  it("is left to an app that watches its globals itself", function()
    local own = {}
    setmetatable(_G, own)
    dev.watch_globals()
    local meta = getmetatable(_G)
    setmetatable(_G, nil)
    equal(own, meta)
  end)
end)
