-- perigee.test.spy: functions that remember how they were called.

local spies = require "perigee.test.spy"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal
local spy, stub = spies.spy, spies.stub

local function asserted(object)
  return spies.asserted(object, function(message) error(message, 0) end)
end

describe("spies", function()
  it("see calls through", function()
    local t = { add = function(a, b) return a + b end }
    local seen = spy.on(t, "add")
    equal(3, t.add(1, 2))
    asserted(seen).was_called(1)
    asserted(seen).was.called_with(1, 2)
    asserted(seen).was_not.called_with(2, 1)
    asserted(seen).was_called_at_least(1)
    spec.raises("Expected it to be called 2 times. It was called with:\n  (1, 2)", asserted(seen).was_called, 2)
    spec.raises("Expected a call with 9.", asserted(seen).was_called_with, 9)
    spec.raises("Expected it not to be called", asserted(seen).was_not_called)
  end)

  it("stand in, and leave again", function()
    local own = function() return "own" end
    local t = { f = own, g = own }
    equal(7, (function() stub(t, "f", 7) return t.f() end)())
    stub(t, "g"):invokes(function(x) return x * 2 end)
    equal(8, t.g(4))
    equal(5, stub(t, "g").returns(5)())
    equal(6, stub(t, "g"):returns(6)())
    equal(4, stub(t, "g").invokes(function(x) return x + 1 end)(3))
    spies.restore()
    equal(own, t.f)
    equal(own, t.g)
  end)

  it("take every function of a table", function()
    local t = spies.mock({ f = function() return 1 end, n = 2 }, true)
    equal(nil, (t.f()))
    asserted(t.f).was_called(1)
    t.f:clear()
    asserted(t.f).was_not_called()
    spies.restore()
    equal(1, t.f())
    spec.raises("takes a spy", asserted, t.f)
  end)

  it("may be on their own", function()
    local alone = spy.new()
    alone(1)
    asserted(alone).was_called(1)
  end)
end)
