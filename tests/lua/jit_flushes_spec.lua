local flushes = require "perigee.jit_flushes"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("what the compiler threw away", function()
  it("is found once, however often it happened between two looks", function()
    flushes.look()
    local before = flushes.count()
    equal(false, flushes.look())
    jit.flush()
    jit.flush()
    equal(true, flushes.look())
    equal(false, flushes.look())
    equal(before + 1, flushes.count())
  end)

  it("is nothing where nothing is compiled", function()
    jit.off()
    jit.flush()
    flushes.look()
    jit.flush()
    equal(false, flushes.look())
    jit.on()
    equal(false, flushes.look())
    jit.flush()
    equal(true, flushes.look())
  end)
end)
