local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local d = perigee.shared("spec")

describe("a shared dictionary", function()
  it("keeps strings, numbers and booleans as they are", function()
    for _, value in ipairs { "", "a\0b", 0, -0.1, 2 ^ 53, math.huge, true, false } do
      equal(true, (d:set("k", value)))
      equal(value, d:get("k"))
    end
    equal(nil, d:get("none"))
    equal(true, (d:set(7, "number")))
    equal("number", d:get("7"))
  end)

  it("copies tables in and out", function()
    local value = { 1, "two", { deep = { true } }, name = "x", [2.5] = false, [true] = perigee.null }
    d:set("t", value)
    value[1] = "changed"
    local copy = d:get("t")
    equal(1, copy[1])
    equal(true, copy[3].deep[1])
    equal(false, copy[2.5])
    equal(perigee.null, copy[true])
    copy.name = "y"
    equal("x", d:get("t").name)
    d:set("t", perigee.array())
    equal("[]", perigee.encode(d:get("t")))
  end)

  it("names the place of what can't be kept", function()
    raises("a function at $.items[3].f can't be kept", d.set, d, "x", { items = { 1, 2, { f = print } } })
    raises("a key that is no string", d.set, d, "x", { [{}] = 1 })
    raises("not function", d.set, d, "x", print)
    raises("not nil", d.set, d, "x", nil)
    local cycle, deep = {}, {}
    cycle.again = { cycle }
    raises("a cycle at $.again[1]", d.set, d, "x", cycle)
    for _ = 1, 70 do deep = { deep } end
    raises("nested too deep", d.set, d, "x", deep)
    equal(nil, d:get("x"))
  end)

  it("says what kept it from writing", function()
    d:clear()
    equal("not found", select(2, d:replace("k", 1)))
    equal(true, (d:add("k", 1)))
    equal("exists", select(2, d:add("k", 2)))
    equal(true, (d:replace("k", 2)))
    equal(true, (d:delete("k")))
    equal("not found", select(2, d:delete("k")))
    equal("full", select(2, d:set("k", ("x"):rep(11e6))))
  end)

  it("adds to numbers", function()
    equal(1, d:incr("n"))
    equal(3.5, d:incr("n", 2.5, 100))
    equal(9, d:incr("m", -1, 10, 60))
    equal(true, d:ttl("m") > 59 and d:ttl("m") <= 60)
    d:set("s", "text")
    raises("'s' holds something else", d.incr, d, "s")
    raises("number expected, got NaN", d.incr, d, "n", 0 / 0)
    raises("number expected, got string", d.incr, d, "n", 1, "1")
  end)

  it("forgets what has expired", function()
    d:set("e", 1, 0.001)
    equal(nil, select(2, d:expire("e", 0.002)))
    local past = perigee.monotonic() + 0.01
    while perigee.monotonic() < past do end
    equal(nil, d:get("e"))
    equal("not found", select(2, d:ttl("e")))
    equal("not found", select(2, d:expire("e", 1)))
    d:set("e", 1)
    equal(math.huge, d:ttl("e"))
    d:expire("e", 5)
    equal(true, d:ttl("e") <= 5)
    d:expire("e")
    equal(math.huge, d:ttl("e"))
    for _, ttl in ipairs { 0, -1, 0 / 0, "1" } do
      raises("ttl is a number of seconds above 0", d.set, d, "e", 1, ttl)
    end
  end)

  it("swaps what is as it was", function()
    d:set("c", "a", 60)
    equal("exists", select(2, d:cas("c", "b", "x")))
    equal(true, (d:cas("c", "a", 1)))
    equal(true, d:ttl("c") <= 60)
    equal("not found", select(2, d:cas("none", 1, 2)))
    equal(true, (d:cas("c", 1, nil)))
    equal(true, (d:cas("c", nil, true)))
    equal("exists", select(2, d:cas("c", nil, 1)))
    raises("tables can't be compared", d.cas, d, "c", {}, 1)
  end)

  it("updates by a function, again where another wrote meanwhile", function()
    d:set("u", { n = 1 }, 60)
    local runs = 0
    equal(12, d:update("u", function(value)
      runs = runs + 1
      if runs == 1 then d:set("u", { n = 10 }, 60) end
      value.n = value.n + 2
      return value
    end).n)
    equal(2, runs)
    equal(12, d:get("u").n)
    equal(true, d:ttl("u") <= 60)
    equal(nil, d:update("u", function() return nil end))
    equal(nil, d:get("u"))
    equal(1, d:update("u", function(value) return (value or 0) + 1 end))
    raises("must return the new value", d.update, d, "u", function() end)
    raises("must not wait", d.update, d, "u", function() perigee.sleep(0) end)
    raises("can't yield", d.update, d, "u", function() coroutine.yield() return 1 end)
    raises("broken", d.update, d, "u", function() error("broken") end)
    perigee.sleep(0) -- here it may
    equal(1, d:get("u"))
  end)

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

  it("keeps its room over collections", function()
    local module = require "perigee.shared"
    local room = setmetatable({ module.room }, { __mode = "v" })
    collectgarbage()
    collectgarbage()
    equal("userdata", type(room[1]))
    d:set("long", ("x"):rep(2 ^ 21))
    for _ = 1, 100 do
      local litter = {}
      for i = 1, 1000 do litter[i] = { i } end
      equal(1000, #litter)
      equal(2 ^ 21, #d:get("long"))
    end
    d:delete("long")
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

  it("lists and counts keys", function()
    d:clear()
    for i = 1, 3000 do d:set((i % 2 == 0 and "even:" or "odd:") .. i, i) end
    equal(3000, d:count())
    equal(1000, #d:keys())
    equal(1500, #d:keys("odd:", 5000))
    equal(7, #d:keys("", 7))
    equal(0, #d:keys("none"))
    d:clear()
    equal(0, d:count())
    raises("a number from 1 to 100000", d.keys, d, "", 0)
    raises("a prefix is a string", d.keys, d, 7)
  end)

  it("has a name", function()
    equal(d, perigee.shared("spec"))
    for _, name in ipairs { "", ("x"):rep(101), "a\nb", 7 } do
      raises("a name of 1 to 100 bytes", perigee.shared, name)
    end
    raises("a key is a string, got table", d.get, d, {})
  end)
end)
