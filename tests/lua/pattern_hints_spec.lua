local hints = require "perigee.pattern_hints"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function of(pattern)
  return table.concat(hints.of { { pattern = pattern, place = "app.lua:7" } }, "\n")
end

describe("a hint", function()
  it("is given for what other servers take for a parameter", function()
    equal("app.lua:7: ':id' of the pattern '/users/:id' is taken as it stands: a parameter is written {id}",
      of "/users/:id")
    equal("app.lua:7: ':a' of the pattern '/:a/x/:b.json' is taken as it stands: a parameter is written {a}\n"
      .. "app.lua:7: ':b.json' of the pattern '/:a/x/:b.json' is taken as it stands: a parameter is written {b}",
      of "/:a/x/:b.json")
  end)

  it("is given once for routes of one line", function()
    local route = { pattern = "/:id", place = "app.lua:7" }
    equal(1, #hints.of { route, route })
  end)

  it("is not given for anything else", function()
    for _, pattern in ipairs { "/", "/users/{id}", "/days/{day:date}", "/{path*}", "/a:b", "/:", "/:1", "/::id" } do
      equal("", of(pattern))
    end
  end)
end)
