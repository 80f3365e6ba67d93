local digits = require "perigee.digits"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("the text of a number", function()
  it("is Lua's own where that says all of it", function()
    for _, number in ipairs { 0, 7, -7, 0.5, 1e13, -1e-7, 1e300, math.huge, -math.huge } do
      equal(tostring(number), digits(number))
    end
  end)

  it("has all the digits of a long one", function()
    equal("9007199254740991", digits(2 ^ 53 - 1))
    equal("-9007199254740990", digits(-(2 ^ 53 - 2)))
    equal("1795347034049150", digits(1795347034049150))
    for _, number in ipairs { 1 / 3, 0.1 + 0.2, 1e14 + 0.5, 2 ^ 53 + 2, 1.7e308 / 3 } do
      equal(number, tonumber(digits(number)))
    end
  end)
end)
