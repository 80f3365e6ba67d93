local faked_clock = require "faked_clock"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("perigee.semaphore", function()
  it("lets so many in, the others in the order they came", function()
    local semaphore, inside, most, order = perigee.semaphore(2), 0, 0, {}
    local handles = {}
    for i = 1, 6 do
      handles[i] = perigee.spawn(function()
        semaphore:with(function()
          inside = inside + 1
          most = math.max(most, inside)
          order[#order + 1] = i
          perigee.sleep(1)
          inside = inside - 1
        end)
      end)
    end
    for _, handle in ipairs(handles) do
      handle:wait()
    end
    equal(2, most)
    equal("1 2 3 4 5 6", table.concat(order, " "))
  end)

  it("gives back what with returns, and one place whatever it raises", function()
    local semaphore = perigee.semaphore(1)
    equal(3, (semaphore:with(function(a, b) return a + b end, 1, 2)))
    equal(2, select("#", semaphore:with(function() return nil, nil end)))
    local reason = {}
    raises(reason, semaphore.with, semaphore, function() error(reason) end)
    equal(true, semaphore:acquire(0))
  end)

  it("gives up after a timeout, at once for 0", function()
    local semaphore = perigee.semaphore(1)
    semaphore:acquire()
    local ok, err = semaphore:acquire(0)
    equal(nil, ok)
    equal("timeout", err)
    faked_clock.with(function(advance)
      local task = perigee.spawn(function() return select(2, semaphore:acquire(5)) end)
      advance(4)
      equal(false, task.done)
      advance(1)
      equal("timeout", task:wait())
    end)
    semaphore:release()
    equal(true, semaphore:acquire(0))
  end)

  it("takes a time of 0 or more, free or not, and names the line of what is none", function()
    local semaphore = perigee.semaphore(1)
    for _ = 1, 2 do
      for _, timeout in ipairs { -1, 0 / 0, "1", true } do
        raises("semaphore_spec.lua:", function() semaphore:acquire(timeout) end)
        raises("bad argument #1 to 'acquire' (a number of seconds, 0 or more, expected)", semaphore.acquire, semaphore,
          timeout)
      end
      semaphore:acquire(0)
    end
  end)

  it("is left by who is cancelled, also when it is served at that moment", function()
    local semaphore = perigee.semaphore(1)
    semaphore:acquire()
    local first = perigee.spawn(function() semaphore:acquire() end)
    local second = perigee.spawn(function()
      semaphore:acquire()
      return "second"
    end)
    perigee.sleep(0)
    semaphore:release() -- to the first, which has not run yet
    first:cancel()
    equal("second", second:wait())
    equal(nil, (first:wait()))
    local third = perigee.spawn(function() semaphore:acquire() end)
    perigee.sleep(0)
    third:cancel()
    perigee.sleep(0)
    semaphore:release()
    equal(true, semaphore:acquire(0))
  end)

  it("stays held by a task that ends without giving it back", function()
    local semaphore = perigee.semaphore(1)
    perigee.spawn(function() semaphore:acquire() end):wait()
    equal(nil, (semaphore:acquire(0)))
    perigee.spawn(function()
      perigee.defer(semaphore.release, semaphore)
      error "goes wrong"
    end):wait()
    perigee.sleep(0)
    equal(true, semaphore:acquire(0))
  end)

  it("is given back by who is cancelled, once, whatever it deferred", function()
    local semaphore = perigee.semaphore(2)
    local function hold(with_defer)
      semaphore:acquire()
      if with_defer then
        perigee.defer(semaphore.release, semaphore)
      end
      perigee.sleep(1000)
    end
    local first, second = perigee.spawn(hold), perigee.spawn(hold, true)
    perigee.sleep(0)
    second:cancel()
    second:wait()
    perigee.sleep(0)
    equal(true, semaphore:acquire(0))
    equal(nil, (semaphore:acquire(0))) -- the first has its own still
    first:cancel()
    first:wait()
    perigee.sleep(0)
    equal(true, semaphore:acquire(0))
    semaphore:release()
    semaphore:release()
    raises("a semaphore was released that nobody held", semaphore.release, semaphore)
  end)

  it("is released for a task that has left it to another, before those of others", function()
    local semaphore = perigee.semaphore(2)
    local other = perigee.spawn(function()
      semaphore:acquire()
      perigee.sleep(1000)
    end)
    perigee.sleep(0)
    perigee.spawn(function() semaphore:acquire() end):wait() -- to be released here
    perigee.sleep(0)
    perigee.spawn(semaphore.release, semaphore):wait()
    other:cancel()
    other:wait()
    perigee.sleep(0)
    equal(true, semaphore:acquire(0))
    equal(true, semaphore:acquire(0))
  end)

  it("is not given back by who has none", function()
    local semaphore = perigee.semaphore(2)
    raises("a semaphore was released that nobody held", semaphore.release, semaphore)
    semaphore:acquire()
    semaphore:release()
    raises("a semaphore was released that nobody held", semaphore.release, semaphore)
  end)

  it("is made of a whole number", function()
    for _, count in ipairs { 0, -1, 1.5, 0 / 0, "2", {} } do
      raises("bad argument #1 to 'semaphore' (a whole number, 1 or more, expected)", perigee.semaphore, count)
    end
    local semaphore = perigee.semaphore(1)
    semaphore:acquire()
    raises("bad argument #1 to 'acquire'", semaphore.acquire, semaphore, -1)
    raises("bad argument #1 to 'with' (function expected, got nil)", semaphore.with, semaphore)
  end)
end)
