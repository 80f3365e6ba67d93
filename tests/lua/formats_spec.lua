-- perigee.test.formats: how a file of tests wants values shown.

local formats = require "perigee.test.formats"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function number(value)
  return type(value) == "number" and "number " .. value or nil
end

local function seven(value)
  return value == 7 and "77"
end

describe("formatters", function()
  it("are asked from the newest on, until one takes a value", function()
    local back = formats.snapshot()
    formats.add(number)
    formats.add(seven)
    equal("77", formats.of(7))
    equal("number 8", formats.of(8))
    equal(nil, formats.of("7"))
    formats.remove(seven)
    equal("number 7", formats.of(7))
    back()
    equal(nil, formats.of(7))
  end)

  it("are as they were when a snapshot is taken back, as often as that is done", function()
    formats.add(number)
    local back = formats.snapshot()
    for _ = 1, 2 do
      formats.remove(number)
      formats.add(seven)
      back()
      equal("number 7", formats.of(7))
    end
    formats.remove(number)
  end)
end)

describe("parameters", function()
  it("say how many levels of tables are shown", function()
    local back = formats.snapshot()
    for level, levels in pairs { [0] = 0, [3] = 3, [-1] = 60, [1000] = 60, x = 60 } do
      formats.set("TableFormatLevel", level)
      equal(levels, formats.levels())
      equal(60, formats.levels(true))
    end
    formats.set("TableFormatLevel", nil)
    equal(60, formats.levels())
    formats.set("own", "kept")
    equal("kept", formats.get("own"))
    back()
    equal(nil, formats.get("own"))
    equal(60, formats.get("TableFormatLevel"))
  end)
end)
