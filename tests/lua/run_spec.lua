local perigee = require "perigee"
local run = require "perigee.run"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("perigee.run", function()
  it("wants the names of a module and a function", function()
    raises("bad argument #1 to 'run' (the name of a module expected, got nil)", perigee.run)
    raises("bad argument #1 to 'run' (the name of a module expected, got an empty one)", perigee.run, "", "f")
    raises("bad argument #1 to 'run' (the name of a module expected, got function)", perigee.run, print, "f")
    raises("bad argument #1 to 'run' (the name of a module expected, got one with a NUL)", perigee.run, "m\0x", "f")
    raises("bad argument #2 to 'run' (the name of a function expected, got nil)", perigee.run, "m")
    raises("bad argument #2 to 'run' (the name of a function expected, got function)", perigee.run, "m", print)
  end)

  it("passes on plain data only, and says what is none", function()
    raises("run_spec.lua:", function() perigee.run("m", "f", print) end)
    raises("plain data only: a function at argument 1", perigee.run, "m", "f", print)
    local deep = { items = { 1, 2, { g = print } } }
    raises("plain data only: a function at argument 2.items[3].g", perigee.run, "m", "f", 1, deep)
    raises("at argument 1", perigee.run, "m", "f", coroutine.create(print))
    raises("at argument 1", perigee.run, "m", "f", newproxy())
    raises("at argument 1", perigee.run, "m", "f", 1LL)
    local cycle = {}
    cycle.cycle = cycle
    raises("argument 1.cycle", perigee.run, "m", "f", cycle)
  end)

  it("is for where jobs are run", function()
    raises("perigee.run can't be used here", perigee.run, "m", "f")
  end)
end)

describe("run.pack", function()
  local function round(...)
    return run.unpack(assert(run.pack("argument", ...)))
  end

  it("keeps values, their number and what is nil", function()
    equal(0, select("#", round()))
    equal(3, select("#", round(nil, nil, nil)))
    local a, b, c, d, e, f = round(nil, "x\0y", 1 / 3, false, { 1, { n = perigee.null } }, nil)
    equal(nil, a)
    equal("x\0y", b)
    equal(1 / 3, c)
    equal(false, d)
    equal(perigee.null, e[2].n)
    equal(nil, f)
  end)
end)
