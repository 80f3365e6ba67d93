-- perigee.test.show: values for people.

local formats = require "perigee.test.formats"
local match = require "perigee.test.match"
local show = require "perigee.test.show"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function has(part, text)
  if not text:find(part, 1, true) then
    error(("no %q in:\n%s"):format(part, text), 2)
  end
end

describe("a value", function()
  it("that can't be shown is said to be one", function()
    for _, told in ipairs { function() error "no" end, function() return {} end } do
      local value = newproxy(true)
      getmetatable(value).__tostring = told
      equal("a userdata that can't be shown", show.value(value))
    end
  end)

  it("that holds the same tables again and again has an end", function()
    local value = { 1 }
    for _ = 1, 40 do
      value = { value, value }
    end
    has("more lines)", show.value(value))
  end)

  it("is shown as it is written", function()
    equal('"a\\n\\"\\001"', show.value('a\n"\1'))
    equal("12", show.value(12))
    equal("0.5", show.value(0.5))
    equal("nil", show.value(nil))
    equal("{}", show.value({}))
    equal('{\n  [1] = "x"\n  a = {\n    b = true\n  }\n  ["c d"] = 1\n}',
      show.value { "x", a = { b = true }, ["c d"] = 1 })
  end)

  it("is shown once where it is inside itself", function()
    local t = {}
    t.t = t
    equal("{\n  t = (itself, from above)\n}", show.value(t))
  end)

  it("is cut where nobody would read on", function()
    local function least(value)
      equal(true, #show.value(value) < 20000)
    end
    least(("x"):rep(1e6))
    local wide, deep = {}, {}
    local inner = deep
    for i = 1, 1e4 do
      wide[i] = i
      inner.n = {}
      inner = inner.n
    end
    least(wide)
    least(deep)
    has("(9902 more lines)", show.value(wide))
    has("{ ... }", show.value(deep))
    equal("a\nb", show.shortened("a\nb"))
    has("... (5000 bytes in all)", show.shortened(("y"):rep(5000)))
  end)

  it("is shown as a formatter has it, wherever it stands, and a matcher as it is written", function()
    local back = formats.snapshot()
    formats.add(function(value)
      return type(value) == "table" and value.x and ("point\n%d"):format(value.x) or nil
    end)
    equal("{\n  [1] = point\n  1\n  at = point\n  2\n}", show.value { { x = 1 }, at = { x = 2 } })
    formats.add(function() return "" end)
    equal("", show.value(1))
    equal("match.is_nil()", show.value(match.is_nil()))
    back()
    equal("1", show.value(1))
  end)

  it("has as many levels as the file asks for", function()
    local back = formats.snapshot()
    formats.set("TableFormatLevel", 1)
    equal("{\n  a = {}\n  b = { ... }\n}", show.value { a = {}, b = { 1 } })
    equal("{ a = { b = { [1] = 1 } } }", table.concat(show.lines({ a = { b = { 1 } } }, true), " "):gsub(" +", " "))
    formats.set("TableFormatLevel", 0)
    equal("{ ... }", show.value { 1 })
    back()
  end)
end)
