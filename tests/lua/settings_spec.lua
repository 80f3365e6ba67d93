local settings = require "perigee.settings"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local DEFAULTS = { size = { 7, "number" }, on = { true, "boolean|string" } }

local function read(given)
  local values = settings.read("thing", given, DEFAULTS)
  return values
end

describe("settings", function()
  it("are the defaults with what is given over them", function()
    equal(7, read(nil).size)
    equal(true, read({}).on)
    equal(8, read({ size = 8 }).size)
    equal(false, read({ on = false }).on)
    equal(7, DEFAULTS.size[1])
  end)

  it("with mistakes are refused", function()
    raises("the settings of thing are a table, got string", read, "x")
    raises("thing has no setting 'sise', did you mean 'size'?", read, { sise = 1 })
    raises("thing: size is a number, got a string", read, { size = "1" })
    raises("thing: on is a boolean or a string, got a number", read, { on = 1 })
  end)

  it("that go into headers hold no control bytes", function()
    settings.check_field_value("thing", "realm", "a b\tc é", 1)
    for _, value in ipairs { "a\r\nb", "a\0b", "\127", "\1" } do
      raises("thing: realm holds a control byte", settings.check_field_value, "thing", "realm", value, 1)
    end
  end)
end)
