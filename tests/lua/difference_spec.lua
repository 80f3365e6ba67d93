-- perigee.test.difference: values for people, and how two differ.

local difference = require "perigee.test.difference"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function has(part, text)
  if not text:find(part, 1, true) then
    error(("no %q in:\n%s"):format(part, text), 2)
  end
end

describe("difference", function()
  it("shows values as they are written", function()
    equal('"a\\n\\"\\001"', difference.show('a\n"\1'))
    equal("12", difference.show(12))
    equal("0.5", difference.show(0.5))
    equal("nil", difference.show(nil))
    equal("{}", difference.show({}))
    equal('{\n  [1] = "x"\n  a = {\n    b = true\n  }\n  ["c d"] = 1\n}',
      difference.show { "x", a = { b = true }, ["c d"] = 1 })
  end)

  it("shows a table inside itself once", function()
    local t = {}
    t.t = t
    equal("{\n  t = (itself, from above)\n}", difference.show(t))
  end)

  it("compares tables by what they hold", function()
    equal(true, difference.same({ a = { 1, 2 } }, { a = { 1, 2 } }))
    equal(false, difference.same({ a = 1 }, { a = 1, b = 2 }))
    equal(false, difference.same({ a = 1, b = 2 }, { a = 1 }))
    equal(false, difference.same({ a = 1 }, { a = "1" }))
    local a, b = {}, {}
    a.own, b.own = a, b
    equal(true, difference.same(a, b))
  end)

  it("marks the lines of tables that differ", function()
    local text = difference.difference({ a = 1, b = 2 }, { a = 1, b = 3, c = 4 })
    has("    {\n      a = 1\n  -   b = 2\n  +   b = 3\n  +   c = 4\n    }", text)
  end)

  it("marks where two strings differ, or their lines", function()
    has('"abd"\n     ^ differs from byte 3 on', difference.difference("abc", "abd"))
    has("    a\n  - b\n  + x\n    c", difference.difference("a\nb\nc", "a\nx\nc"))
  end)

  it("says that the types differ", function()
    has("a string was expected, not a number", difference.difference("1", 1))
  end)

  it("shows both where a comparison would take long", function()
    local long = ("x\n"):rep(1000)
    has("Expected:", difference.difference(long, long .. "y"))
  end)
end)
