-- The running request: /specs/fleeting_spec/42?a=1&a=2&b=x+y with the cookies flavour=oat and quoted="v".

local fleeting = require "perigee.fleeting"
local native = require "perigee.native"
local request = require "perigee.request"
local routes = require "perigee.routes"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function entered(pattern, handler)
  return routes.enter({ pattern = pattern, place = "spec.lua:1", handler = handler })(native.vm.current)
end

describe("a fleeting field", function()
  it("has the values of the table that it stands for", function()
    local whole = request.query(native.vm.current)
    for _, name in ipairs { "a", "b", "c", "", "a=1", "x y", "b=x" } do
      equal(whole[name], fleeting.query[name])
    end
    for _, name in ipairs { "flavour", "quoted", "flavou", "", "flavour=oat" } do
      equal(request.new(native.vm.current).cookies[name], fleeting.cookies[name])
    end
  end)

  it("is what a handler reads that can't tell", function()
    equal("1 x yoat42", entered("/specs/{name}/{id:integer}", function(req)
      return req.query.a .. " " .. req.query.b .. req.cookies.flavour .. req.params.id
    end))
    equal("nil", entered("/", function(req) return tostring(req.params.id) end))
  end)

  it("is a table of its own for a handler that can tell", function()
    local query = entered("/", function(req) return req.query end)
    equal("1", rawget(query, "a"))
    local params = entered("/specs/{name}/{id:integer}", function(req)
      local kept = req.params
      return kept
    end)
    equal(42, rawget(params, "id"))
  end)

  it("comes with the other fields and methods", function()
    equal("POST example 1", entered("/", function(req)
      return req.method .. " " .. req:header("host") .. " " .. req.query.a
    end))
  end)

  it("leaves errors as they are", function()
    raises("attempt to index", entered, "/", function(req) return req.query.a.b.c end)
    raises("can't be assigned", entered, "/", function(req) req.query = 1 end)
  end)
end)
