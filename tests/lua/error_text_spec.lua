local error_text = require "perigee.error_text"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("an error's description", function()
  it("is its text, if that can be had", function()
    equal("x", error_text.describe("x"))
    equal("nil", error_text.describe(nil))
    equal("shown", error_text.describe(setmetatable({}, { __tostring = function() return "shown" end })))
    equal("an error that can't be shown",
      error_text.describe(setmetatable({}, { __tostring = function() error("no") end })))
    equal("an error that can't be shown",
      error_text.describe(setmetatable({}, { __tostring = function() return 7 end })))
  end)
end)
