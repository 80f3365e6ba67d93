-- perigee.test.difference: what is the same, and how two values differ.

local difference = require "perigee.test.difference"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function has(part, text)
  if not text:find(part, 1, true) then
    error(("no %q in:\n%s"):format(part, text), 2)
  end
end

describe("difference", function()
  it("compares tables by what they hold", function()
    equal(true, difference.same({ a = { 1, 2 } }, { a = { 1, 2 } }))
    equal(false, difference.same({ a = 1 }, { a = 1, b = 2 }))
    equal(false, difference.same({ a = 1, b = 2 }, { a = 1 }))
    equal(false, difference.same({ a = 1 }, { a = "1" }))
    local a, b = {}, {}
    a.own, b.own = a, b
    equal(true, difference.same(a, b))
  end)

  it("finds what is in a list twice", function()
    equal(false, (difference.twice { 1, "1", { 1 }, { 2 } }))
    equal(false, (difference.twice {}))
    local twice, value = difference.twice { a = false, b = 1, c = false }
    equal(true, twice)
    equal(false, value)
    equal(2, select(2, difference.twice { { 1 }, { 2 }, { 2 } })[1])
    equal(false, (difference.twice { 0 / 0, 0 / 0 }))
    local long = {}
    for i = 1, 200000 do
      long[i] = i
    end
    equal(false, (difference.twice(long)))
  end)

  it("marks the lines of tables that differ", function()
    local text = difference.difference({ a = 1, b = 2 }, { a = 1, b = 3, c = 4 })
    has("    {\n      a = 1\n  -   b = 2\n  +   b = 3\n  +   c = 4\n    }", text)
  end)

  it("marks where two strings differ, or their lines", function()
    has('"abd"\n     ^ differs from byte 3 on', difference.difference("abc", "abd"))
    has('"äö€b"\n      ^ differs from byte 8 on', difference.difference("äö€a", "äö€b"))
    has('"aü"\n    ^ differs from byte 3 on', difference.difference("aä", "aü"))
    has('b"\n           ^ differs from byte 3 on', difference.difference("\255\255a", "\255\255b"))
    has("    a\n  - b\n  + x\n    c", difference.difference("a\nb\nc", "a\nx\nc"))
  end)

  it("says that the types differ", function()
    has("a string was expected, not a number", difference.difference("1", 1))
  end)

  it("shows of what is long the place that differs", function()
    local long = ("x\n"):rep(100000)
    equal("Difference (- expected, + got):\n    ... (99997 lines that are the same)\n    x\n    x\n    x\n  - \n  + y",
      difference.difference(long, long .. "y"))
    local a, b = {}, {}
    for i = 1, 1e4 do
      a[i], b[i] = i, i
    end
    b[5000] = 0
    has("    [4999] = 4999\n  -   [5000] = 5000\n  +   [5000] = 0\n", difference.difference(a, b))
    local byte = ("x"):rep(1e6)
    local text = difference.difference(byte .. "a" .. byte, byte .. "b" .. byte)
    has("differs from byte 1000001 on", text)
    equal(true, #text < 1000)
    local place = text:match("\n( +)%^")
    equal("b", text:match("Got:\n([^\n]*)"):sub(#place + 1, #place + 1))
  end)

  it("cuts what nobody reads", function()
    local wide, deep = {}, {}
    local inner = deep
    for i = 1, 1e4 do
      wide[i] = i
      inner.n = {}
      inner = inner.n
    end
    equal(true, #difference.difference({}, deep) < 20000)
    equal(true, #difference.difference("x", wide) < 20000)
    equal(true, #difference.difference(("a\n"):rep(1e4), ("b\n"):rep(1e4)) < 20000)
  end)
end)
