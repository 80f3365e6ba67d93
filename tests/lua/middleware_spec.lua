local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("perigee.middleware", function()
  it("has what comes with it, each the same every time", function()
    for _, name in ipairs { "basic_auth", "cors", "csrf", "rate_limit", "security_headers" } do
      equal("function", type(perigee.middleware[name]))
      equal(perigee.middleware[name], perigee.middleware[name])
    end
  end)

  it("has nothing else", function()
    raises("there is no perigee.middleware.coors", function() return perigee.middleware.coors end)
  end)
end)
