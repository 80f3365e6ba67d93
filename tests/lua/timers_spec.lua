local faked_clock = require "faked_clock"
local perigee = require "perigee"
local spec = require "spec"
local timers = require "perigee.timers"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("perigee.every", function()
  it("runs first after its time, then again and again, until it is cancelled", function()
    faked_clock.with(function(advance)
      local runs = 0
      local timer = perigee.every(10, function() runs = runs + 1 end)
      advance(9)
      equal(0, runs)
      advance(1)
      equal(1, runs)
      advance(10)
      equal(2, runs)
      timer:cancel()
      equal(nil, (timer:wait()))
      advance(50)
      equal(2, runs)
    end)
  end)

  it("counts from its start: a run that takes its time delays no later one", function()
    faked_clock.with(function(advance)
      local runs, hold = 0, true
      local timer = perigee.every(10, function()
        runs = runs + 1
        while hold do
          perigee.sleep(0.1)
        end
      end)
      advance(10)
      advance(4)
      hold = false
      advance(5)
      equal(1, runs)
      advance(1)
      equal(2, runs)
      timer:cancel()
    end)
  end)

  it("waits for a run that takes longer, and leaves out what that has missed", function()
    faked_clock.with(function(advance)
      local runs, hold = 0, true
      local timer = perigee.every(10, function()
        runs = runs + 1
        while hold do
          perigee.sleep(0.1)
        end
      end)
      advance(10)
      advance(35)
      equal(1, runs)
      hold = false
      advance(0)
      equal(1, runs)
      advance(5)
      equal(2, runs)
      timer:cancel()
    end)
  end)

  it("goes on after an error", function()
    faked_clock.with(function(advance)
      local runs = 0
      local timer = perigee.every(1, function()
        runs = runs + 1
        error "goes wrong"
      end)
      advance(1)
      advance(1)
      equal(2, runs)
      timer:cancel()
    end)
  end)

  it("cancels a run with the timer", function()
    faked_clock.with(function(advance)
      local ended
      local timer = perigee.every(1, function()
        perigee.defer(function() ended = true end)
        perigee.sleep(1e6)
      end)
      advance(1)
      timer:cancel()
      perigee.sleep(0)
      perigee.sleep(0)
      perigee.sleep(0)
      equal(true, ended)
    end)
  end)

  it("gives each run an end of its own for what it defers", function()
    faked_clock.with(function(advance)
      local deferred = 0
      local timer = perigee.every(1, function()
        perigee.defer(function() deferred = deferred + 1 end)
      end)
      advance(1)
      advance(1)
      perigee.sleep(0)
      equal(2, deferred)
      timer:cancel()
    end)
  end)

  it("says what it can't take", function()
    for _, seconds in ipairs { 0, -1, 0.0001, 0 / 0, math.huge, "1" } do
      raises("bad argument #1 to 'every' (a number of seconds, at least 0.001, expected)", timers.every, seconds, print)
    end
    raises("bad argument #2 to 'every' (function expected, got nil)", timers.every, 1)
    raises("perigee.every has no option 'onec'", timers.every, 1, print, { onec = true })
    raises("perigee.every: once is true or false, got number", timers.every, 1, print, { once = 1 })
    raises("perigee.every: options are a table, got boolean", timers.every, 1, print, true)
  end)
end)

describe("perigee.cron", function()
  it("runs at its times, and goes by the clock when it is set", function()
    faked_clock.with(function(advance)
      local runs = 0
      local timer = perigee.cron("* * * * *", function() runs = runs + 1 end, { utc = true })
      advance(0)
      advance(60)
      equal(1, runs)
      advance(3600) -- the clock is set forward
      equal(2, runs)
      advance(-3600) -- and back
      advance(61)
      equal(3, runs)
      timer:cancel()
    end)
  end)

  it("gives a timer that can be cancelled", function()
    local timer = perigee.cron("0 0 1 1 *", function() end)
    perigee.sleep(0)
    timer:cancel()
    equal(nil, (timer:wait()))
  end)

  it("says what it can't take", function()
    raises("bad cron expression '61 * * * *': minute: '61' is not from 0 to 59", timers.cron, "61 * * * *", print)
    raises("bad argument #1 to 'cron' (string expected, got number)", timers.cron, 5, print)
    raises("bad argument #2 to 'cron' (function expected, got nil)", timers.cron, "* * * * *")
    raises("perigee.cron has no option 'tz'", timers.cron, "* * * * *", print, { tz = "UTC" })
  end)
end)
