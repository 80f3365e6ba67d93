local hints = require "perigee.jit_hints"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("the hints", function()
  it("name bytecodes that there are", function()
    local names = require("jit.vmdef").bcnames
    for name, hint in pairs(hints.BY_BYTECODE) do
      equal(true, names:find(("%-6s"):format(name), 1, true) ~= nil)
      equal(true, #hint > 20)
    end
  end)

  it("say something of whatever has no culprit", function()
    equal("string", type(hints.UNKNOWN.loop))
    equal("string", type(hints.UNKNOWN["function"]))
  end)
end)
