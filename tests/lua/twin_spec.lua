local spec = require "spec"
local twin = require "perigee.twin"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("a twin", function()
  it("shares the function's upvalues and globals", function()
    local count = 0
    local function next_of(step)
      count = count + step
      return count, some_global -- luacheck: ignore 113
    end
    setfenv(next_of, { some_global = "mine" })
    local copy = twin.of(next_of)
    equal(false, copy == next_of)
    equal(2, (copy(2)))
    equal(5, (next_of(3)))
    equal("mine", select(2, copy(1)))
    equal(6, count)
  end)

  it("has code of its own at the same lines", function()
    local function original() return 1 end
    local copy = twin.of(original)
    equal(debug.getinfo(original, "S").linedefined, debug.getinfo(copy, "S").linedefined)
    equal(debug.getinfo(original, "S").source, debug.getinfo(copy, "S").source)
  end)

  it("of what can't be copied is the function itself", function()
    equal(string.rep, twin.of(string.rep))
  end)
end)

describe("a chunk", function()
  it("runs with its arguments, each time as another function", function()
    local make = twin.chunk("local n = ... return function() return n end", "=(a chunk)")
    local one, two = make(1), make(2)
    equal(1, one())
    equal(2, two())
    equal("(a chunk)", debug.getinfo(one, "S").short_src)
  end)

  it("that does not compile says why", function()
    local ok, err = pcall(twin.chunk, "return return", "=(a chunk)")
    equal(false, ok)
    equal("(a chunk):1:", err:match("%(a chunk%):1:"))
  end)
end)
