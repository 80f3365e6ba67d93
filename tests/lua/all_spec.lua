local faked_clock = require "faked_clock"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function after(seconds, ...)
  local values = { ... }
  return function()
    perigee.sleep(seconds)
    return unpack(values)
  end
end

describe("perigee.all", function()
  it("gives results and errors under the same keys", function()
    local results, errors = perigee.all {
      quick = after(0, 1), slow = after(2, 2), nothing = function() end, refused = after(1, nil, "refused"),
      raises = function() error("oops", 0) end,
    }
    equal(1, results.quick)
    equal(2, results.slow)
    equal(nil, results.nothing)
    equal(nil, results.refused)
    equal("refused", errors.refused)
    equal("oops", errors.raises:match("^[^\n]*"))
    equal(nil, errors.quick)
    equal(nil, errors.nothing)
  end)

  it("runs them together, in the order of a list", function()
    local order = {}
    local functions = {}
    for i = 1, 50 do
      functions[i] = function()
        order[#order + 1] = i
        perigee.sleep(1)
        return i * i
      end
    end
    local begin = perigee.monotonic()
    local results, errors = perigee.all(functions)
    equal(true, perigee.monotonic() - begin < 20)
    equal(50, #results)
    equal(2500, results[50])
    equal(nil, next(errors))
    for i = 1, 50 do
      equal(i, order[i])
    end
  end)

  it("ends though a function yields astray, or is cancelled", function()
    local results, errors = perigee.all {
      astray = function() coroutine.yield() end,
      good = function() return "good" end,
    }
    equal("good", results.good)
    equal(true, errors.astray:find("yield", 1, true) ~= nil)
    local started = false
    local task = perigee.spawn(function()
      perigee.all { function() started = true perigee.sleep(1000) started = "over" end }
    end)
    perigee.sleep(0)
    perigee.sleep(0)
    task:cancel()
    task:wait()
    perigee.sleep(0)
    equal(true, started)
  end)

  it("takes any value for a key, and many functions", function()
    local functions, key = {}, {}
    for i = 1, 100 do
      functions["name" .. i] = function() return i end
    end
    functions[key], functions[1] = function() return "key" end, function() return "one" end
    local results, errors = perigee.all(functions)
    equal("key", results[key])
    equal("one", results[1])
    equal(100, results.name100)
    equal(nil, next(errors))
    equal(nil, next((perigee.all {})))
  end)

  it("takes tasks that run, have ended, and stand there twice", function()
    local running, ended = perigee.spawn(after(1, "running")), perigee.spawn(after(0, "ended"))
    ended:wait()
    local results = perigee.all { running, ended, running }
    equal("running ended running", table.concat(results, " "))
  end)

  it("cancels after its timeout what has not ended, and keeps what has", function()
    local ran_on = false
    local results, errors
    faked_clock.with(function(advance)
      local task = perigee.spawn(function()
        results, errors = perigee.all({
          quick = after(0, "in time"),
          slow = function()
            perigee.sleep(1000)
            ran_on = true
          end,
        }, { timeout = 5 })
      end)
      advance(4)
      equal(nil, results)
      advance(2)
      task:wait()
    end)
    equal("in time", results.quick)
    equal("timeout", errors.slow)
    equal(nil, errors.quick)
    perigee.sleep(0)
    equal(false, ran_on)
    local _, at_once = perigee.all({ slow = after(1000) }, { timeout = 0 })
    equal("timeout", at_once.slow)
  end)

  it("lets the others go on when one fails", function()
    local results = perigee.all { function() error "at once" end, after(1, "fine") }
    equal("fine", results[2])
  end)

  it("that is cancelled cancels what it has begun, and nothing else", function()
    local cancelled, mine = 0, nil
    local task = perigee.spawn(function()
      mine = perigee.spawn(after(2, "mine"))
      local function watched()
        perigee.defer(function() cancelled = cancelled + 1 end)
        perigee.sleep(1000)
      end
      perigee.all { watched, watched, mine }
    end)
    perigee.sleep(0)
    perigee.sleep(0)
    task:cancel()
    local _, err = task:wait()
    equal("cancelled", err:match("^cancelled"))
    equal("mine", mine:wait())
    perigee.sleep(0)
    equal(2, cancelled)
  end)

  it("of nothing gives nothing", function()
    local results, errors = perigee.all {}
    equal(nil, next(results))
    equal(nil, next(errors))
  end)

  it("says what it can't take", function()
    raises("bad argument #1 to 'all' (a table of functions or tasks expected, got nil)", perigee.all)
    raises("bad argument #1 to 'all'", perigee.all, perigee.spawn(function() end))
    raises("the item 'x' is neither a function nor a task, but a number", perigee.all, { x = 1 })
    raises("perigee.all has no option 'time'", perigee.all, {}, { time = 1 })
    raises("timeout is a number of seconds", perigee.all, {}, { timeout = -1 })
    raises("bad argument #2 to 'all'", perigee.all, {}, 5)
  end)
end)
