local spec = require "spec"
local vary = require "perigee.vary"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("Vary", function()
  it("gets names that it has not yet, in any case", function()
    local cases = {
      { nil, "Origin", "Origin" }, { "", "Origin", "Origin" }, { "Accept", "Origin", "Accept, Origin" },
      { "Accept,origin", "Origin", "Accept,origin" }, { "*", "Origin", "*" }, { { "A", "B" }, "B, C", "A, B, C" },
      { "Origins", "Origin", "Origins, Origin" },
    }
    for _, case in ipairs(cases) do
      local headers = { vary = case[1] }
      vary(headers, case[2])
      equal(case[3], headers.vary)
    end
  end)
end)
