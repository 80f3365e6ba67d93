local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("a coroutine", function()
  it("passes values in and out as ever", function()
    local co = coroutine.create(function(a, b)
      local c, d = coroutine.yield(a + b, nil)
      return c .. d, nil
    end)
    local ok, sum, none = coroutine.resume(co, 1, 2)
    equal(true, ok)
    equal(3, sum)
    equal(nil, none)
    equal("suspended", coroutine.status(co))
    equal(3, select("#", coroutine.resume(co, "c", "d")))
    equal("dead", coroutine.status(co))
  end)

  it("gives its error to who resumes it", function()
    local co = coroutine.create(function() error("oops", 0) end)
    local ok, err = coroutine.resume(co)
    equal(false, ok)
    equal("oops", err)
    ok, err = coroutine.resume(co)
    equal(false, ok)
    equal("cannot resume dead coroutine", err)
  end)

  it("keeps an error's type", function()
    local reason = {}
    raises(reason, coroutine.wrap(function() error(reason) end))
    equal(reason, select(2, coroutine.resume(coroutine.create(function() error(reason) end))))
  end)

  it("iterates", function()
    local seen = {}
    for value in coroutine.wrap(function()
      for i = 1, 3 do
        coroutine.yield(i)
      end
    end) do
      seen[#seen + 1] = value
    end
    equal("1,2,3", table.concat(seen, ","))
  end)
end)

describe("a wait inside a coroutine", function()
  it("is not seen by who resumes it", function()
    local co = coroutine.create(function()
      perigee.sleep(1)
      coroutine.yield("own")
      perigee.sleep(1)
      return "end"
    end)
    equal("own", select(2, coroutine.resume(co)))
    equal("suspended", coroutine.status(co))
    equal("end", select(2, coroutine.resume(co)))
  end)

  it("passes through any number of them", function()
    local function nested(depth)
      if depth == 0 then
        perigee.sleep(1)
        return "deep"
      end
      return coroutine.wrap(nested)(depth - 1)
    end
    equal("deep", nested(20))
  end)

  it("passes through pcall around and inside of it", function()
    local ok, value = pcall(coroutine.wrap(function()
      local _, inner = pcall(function()
        perigee.sleep(1)
        error("inside", 0)
      end)
      return inner
    end))
    equal(true, ok)
    equal("inside", value)
  end)

  it("may come between two of its own yields, values kept", function()
    local next_value = coroutine.wrap(function(first)
      local second = coroutine.yield(first + 1)
      perigee.sleep(1)
      return coroutine.yield(second + 1)
    end)
    equal(2, next_value(1))
    equal(11, next_value(10))
    equal("last", next_value("last"))
  end)

  it("lets two tasks use one module's coroutines at a time", function()
    local function slow(name)
      return coroutine.wrap(function()
        perigee.sleep(1)
        return name
      end)()
    end
    local a, b = perigee.spawn(slow, "a"), perigee.spawn(slow, "b")
    equal("ab", a:wait() .. b:wait())
  end)
end)
