-- perigee.test.spy: functions that remember how they were called.

local match = require "perigee.test.match"
local spies = require "perigee.test.spy"
local spec = require "spec"
local spy_assertions = require "perigee.test.spy_assertions"
local describe, it, equal = spec.describe, spec.it, spec.equal
local spy, stub = spies.spy, spies.stub

local function asserted(object)
  return spy_assertions.asserted(object, function(message) error(message, 0) end)
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

  it("leave where they can, also after one that could not", function()
    local frozen, t = {}, { f = 1 }
    stub(t, "f")
    stub(frozen, "f")
    frozen.f = nil
    setmetatable(frozen, { __newindex = function() error("frozen", 0) end })
    spec.raises("frozen", spies.restore)
    equal(1, t.f)
    spies.restore()
  end)

  it("leave once, and nothing that is put there afterwards", function()
    local t = { f = function() return "own" end }
    stub(t, "f", 1):revert()
    equal("own", t.f())
    local other = function() return "other" end
    t.f = other
    spies.restore()
    equal(other, t.f)
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

  it("see arguments as they were", function()
    local match_ref, list, seen = match.is_ref, { 1 }, spy.new()
    seen(list)
    list[1] = 2
    asserted(seen).was.called_with({ 1 })
    asserted(seen).was_not.called_with({ 2 })
    asserted(seen).was.called_with(match_ref(list))
  end)

  it("follow what stubs do for certain arguments", function()
    local t = {}
    local made = stub(t, "f")
    made.by_default.returns("none")
    made.on_call_with(1).returns("one")
    made.on_call_with(match.is_string()).invokes(function(text) return text .. "!" end)
    equal("none one a!", t.f() .. " " .. t.f(1) .. " " .. t.f("a"))
    equal(true, spy.is_spy(made))
    spies.restore()
    equal(nil, t.f)
  end)

  it("go back to a snapshot, and over tables in tables", function()
    local t = { g = function() return 1 end, deep = { f = function() return 2 end } }
    stub(t, "g", 5)
    local snapshot = spies.snapshot()
    spies.mock(t.deep, true)
    equal(nil, (t.deep.f()))
    snapshot.revert()
    equal("52", t.g() .. t.deep.f())
    spies.mock(t)
    equal(2, t.deep.f())
    asserted(t.deep.f).was_called(1)
    spies.mock.clear(t)
    asserted(t.deep.f).was_not_called()
    spies.restore()
  end)
end)
