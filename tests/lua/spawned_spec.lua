local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("a spawned task", function()
  it("begins when its maker waits", function()
    local begun = false
    local task = perigee.spawn(function() begun = true end)
    equal(false, begun)
    perigee.sleep(0)
    equal(true, begun)
    task:wait()
  end)

  it("gives every value, nil included, and the same again", function()
    local task = perigee.spawn(function(...) return select("#", ...), ... end, nil, "b", nil)
    for _ = 1, 2 do
      equal(4, select("#", task:wait()))
      equal("b", select(3, task:wait()))
    end
  end)

  it("gives nil and its error with a traceback", function()
    local value, err = perigee.spawn(function() error("oops") end):wait()
    equal(nil, value)
    equal("oops", err:match("spawned_spec%.lua:%d+: (%w+)\nstack traceback:"))
  end)

  it("gives an error that is no string as it is", function()
    local reason = {}
    equal(reason, select(2, perigee.spawn(function() error(reason) end):wait()))
  end)

  it("is waited for as long as a number says", function()
    local task = perigee.spawn(function() end)
    for _, timeout in ipairs { "1", {}, 0 / 0 } do
      raises("spawned_spec.lua:", function() task:wait(timeout) end)
      raises("bad argument #1 to 'wait' (a number of seconds expected)", task.wait, task, timeout)
    end
  end)

  it("may spawn tasks of its own", function()
    equal("inner", perigee.spawn(function()
      return perigee.spawn(function()
        perigee.sleep(1)
        return "inner"
      end):wait()
    end):wait())
  end)

  it("is a function", function()
    raises("bad argument #1 to 'spawn' (function expected, got nil)", perigee.spawn)
    raises("bad argument #1 to 'spawn' (function expected, got string)", perigee.spawn, "no")
  end)

  it("runs beside many others", function()
    local handles, sum = {}, 0
    for i = 1, 200 do
      handles[i] = perigee.spawn(function()
        perigee.sleep(i % 3)
        return i
      end)
    end
    for _, handle in ipairs(handles) do
      sum = sum + handle:wait()
    end
    equal(20100, sum)
  end)
end)

describe("a cancelled task", function()
  it("raises at each wait from then on", function()
    local raised = 0
    local task = perigee.spawn(function()
      for _ = 1, 3 do
        if not pcall(perigee.sleep, 1000) then
          raised = raised + 1
        end
      end
      return "ended"
    end)
    perigee.sleep(0)
    task:cancel()
    equal("ended", task:wait())
    equal(3, raised)
  end)

  it("may be cancelled again, and after its end", function()
    local task = perigee.spawn(perigee.sleep, 1000)
    perigee.sleep(0)
    task:cancel()
    task:cancel()
    equal(nil, (task:wait()))
    task:cancel()
    equal(nil, (task:wait()))
  end)

  it("leaves the task that serves something else now alone", function()
    local old = perigee.spawn(function() end)
    old:wait()
    perigee.sleep(0)
    local young = perigee.spawn(function()
      perigee.sleep(1)
      return "untouched"
    end)
    perigee.sleep(0)
    old:cancel()
    equal("untouched", young:wait())
  end)
end)

describe("req:spawn", function()
  it("makes a task like others", function()
    equal(3, spec.req:spawn(function(a, b)
      perigee.sleep(1)
      return a + b
    end, 1, 2):wait())
    raises("bad argument #1 to 'spawn' (function expected, got string)", spec.req.spawn, spec.req, "x")
  end)

  it("is refused once the request has ended", function()
    local ended = setmetatable({ { serial = 2 }, 1 }, getmetatable(spec.req))
    raises("request has ended", function() ended:spawn(print) end)
  end)
end)
