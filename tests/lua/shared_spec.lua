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

  it("takes a number for a key by all of its digits", function()
    d:set(1795347034049150, "a")
    d:set(1795347034049151, "b")
    d:set(7, "seven")
    equal("a", d:get(1795347034049150))
    equal("b", d:get("1795347034049151"))
    equal("seven", d:get("7"))
    d:clear()
  end)

  it("takes any string for a key, up to its own size", function()
    for _, key in ipairs { "", "\0", "a\0b", "\255", (" "):rep(1e6) } do
      equal(true, (d:set(key, #key)))
      equal(#key, d:get(key))
      equal(true, (d:delete(key)))
    end
    equal("full", select(2, d:set(("k"):rep(11e6), 1)))
    equal("full", select(2, d:add(("k"):rep(11e6), 1)))
    equal("full", select(2, d:incr(("k"):rep(11e6))))
    equal(nil, d:get(("k"):rep(11e6)))
    for _, key in ipairs { {}, print, true } do
      for _, method in ipairs { "get", "set", "add", "replace", "delete", "incr", "cas", "update", "fetch", "expire",
        "ttl" } do
        raises("a key is a string", d[method], d, key)
      end
    end
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
    for _, limit in ipairs { 0, -1, 100001, 0 / 0, "7" } do
      raises("a number from 1 to 100000", d.keys, d, "", limit)
    end
    equal(0, #d:keys("", 100000))
    raises("a prefix is a string", d.keys, d, 7)
  end)

  it("has a name", function()
    equal(d, perigee.shared("spec"))
    local longest = perigee.shared(("x"):rep(100))
    longest:set("k", 1)
    equal(1, longest:get("k"))
    for _, name in ipairs { "", ("x"):rep(101), "a\nb", 7 } do
      raises("a name of 1 to 100 bytes", perigee.shared, name)
    end
    raises("a key is a string, got table", d.get, d, {})
  end)
end)
