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

  it("is called before it is used", function()
    local app = perigee.app()
    local message = "perigee.middleware.cors makes a middleware: call it, perigee.middleware.cors { ... }"
    raises(message, app.use, app, perigee.middleware.cors)
    raises(message, app.use, app, "/x", { function() end, perigee.middleware.cors })
    raises(message, app.get, app, "/", { use = perigee.middleware.cors }, function() end)
    raises(message, app.group, app, "/x", perigee.middleware.cors, function() end)
  end)

  it("has nothing else", function()
    raises("there is no perigee.middleware.coors, did you mean 'cors'?", function() return perigee.middleware.coors end)
  end)
end)
