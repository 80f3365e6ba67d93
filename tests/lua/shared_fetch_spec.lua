local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises
local fetches = require "perigee.shared_fetch"

local d = perigee.shared("fetch spec")

describe("what is computed once for all", function()
  it("fetches once for all who ask", function()
    local runs, list = 0, {}
    local function ask()
      return d:fetch("f", 60, function()
        runs = runs + 1
        perigee.sleep(0.005)
        return { runs }
      end)
    end
    for i = 1, 5 do list[i] = perigee.spawn(ask) end
    for i = 1, 5 do equal(1, list[i]:wait()[1]) end
    equal(1, ask()[1])
    equal(1, runs)
    raises("within the function that computes it", d.fetch, d, "r", 1, function()
      return d:fetch("r", 1, function() end)
    end)
  end)

  it("gives an error to those who waited, and keeps none", function()
    local function ask()
      return pcall(d.fetch, d, "bad", 60, function()
        perigee.sleep(0.005)
        error("boom", 0)
      end)
    end
    local one, two = perigee.spawn(ask), perigee.spawn(ask)
    equal("boom", select(2, one:wait()))
    equal("fetch of 'bad' failed where it was computed: boom", select(2, two:wait()))
    equal("later", d:fetch("bad", nil, function() return "later" end))
    equal("why", select(2, d:fetch("nothing", 1, function() return nil, "why" end)))
    equal(nil, d:get("nothing"))
  end)

  it("lets another compute where the first is broken off", function()
    local first = perigee.spawn(d.fetch, d, "cut", 60, function() perigee.sleep(60) end)
    perigee.sleep(0)
    local second = perigee.spawn(d.fetch, d, "cut", 60, function() return "mine" end)
    perigee.sleep(0)
    first:cancel()
    equal("mine", second:wait(10))
    equal("mine", d:get("cut"))
  end)

  it("has an end of its own for each function that it runs", function()
    equal(false, (fetches.contained(error, "raised")))
    equal("two", select(3, fetches.contained(function() return "one", "two" end)))
    equal(true, select(2, fetches.contained(coroutine.yield)):find("can't yield", 1, true) ~= nil)
  end)
end)
