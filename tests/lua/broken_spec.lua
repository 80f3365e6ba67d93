local broken = require "perigee.broken"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("the app that stands in for a broken one", function()
  local function answer(accept)
    perigee.config = { mistakes = {
      "nowhere.lua:3: '=' expected\nstack traceback:\n\t[C]: in x\n\tnowhere.lua:3: in y" } }
    local handler = broken.routes[1].handler
    return handler({ header = function() return accept end })
  end

  it("takes every path and method", function()
    equal("* /", broken.routes[1].method .. " " .. broken.routes[1].pattern)
    equal("* /{path*}", broken.routes[2].method .. " " .. broken.routes[2].pattern)
  end)

  it("answers with the mistakes", function()
    local problem = answer("application/json")
    equal(500, problem.status)
    equal(perigee.config.mistakes[1], problem.body.mistakes[1])
  end)

  it("shows them to a browser, the traceback apart", function()
    local status, page, headers = answer("text/html")
    equal(500, status)
    equal("no-store", headers["cache-control"])
    equal(true, page.body:find("<p class=\"message\">nowhere.lua:3: &#39;=&#39; expected</p>", 1, true) ~= nil)
    equal(true, page.body:find("nowhere.lua:3: in y", 1, true) ~= nil)
  end)
end)
