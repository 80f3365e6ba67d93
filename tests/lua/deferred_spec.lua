local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("perigee.defer", function()
  it("runs at the end of the task, the last first, whatever each does", function()
    local order = {}
    local function note(what) order[#order + 1] = what end
    perigee.spawn(function()
      perigee.defer(note, "first")
      perigee.defer(error, "in the middle")
      perigee.defer(function()
        perigee.sleep(1)
        note("last")
      end)
      note("body")
    end):wait()
    repeat
      perigee.sleep(1)
    until #order == 3
    equal("body,last,first", table.concat(order, ","))
  end)

  it("runs though the task raises", function()
    local ran = false
    perigee.spawn(function()
      perigee.defer(function() ran = true end)
      error("oops")
    end):wait()
    perigee.sleep(0)
    equal(true, ran)
  end)

  it("takes a function", function()
    raises("bad argument #1 to 'defer' (function expected, got nil)", perigee.defer)
  end)
end)
