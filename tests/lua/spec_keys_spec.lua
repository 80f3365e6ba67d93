local keys = require "perigee.spec_keys"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function first() end
local function second() end

describe("a spec", function()
  it("is read into its route", function()
    local route = {}
    keys.read(route, { name = "user", use = first, limits = { body = "1KB", time = 2 } }, 1)
    equal("user", route.name)
    equal(first, route.use[1])
    equal(1000, route.body_limit)
    equal(2, route.time_limit)
  end)

  it("with a key that nobody knows is a mistake of its writer", function()
    raises("unknown key 'nmae' in a route's spec, did you mean 'name'?", keys.read, {}, { nmae = "x" }, 1)
    raises("unknown key '1' in a route's spec", keys.read, {}, { first }, 1)
    local function writer() keys.read({}, { nmae = "x" }, 1) end
    raises("spec_keys_spec.lua:" .. debug.getinfo(writer, "S").linedefined, writer)
  end)

  it("has a name that is a text", function()
    raises("a route's name is not empty", keys.read, {}, { name = "" }, 1)
    raises("'name' in a route's spec is a string, got a boolean", keys.read, {}, { name = true }, 1)
  end)
end)

describe("middleware", function()
  it("is a function or a list of them", function()
    equal(first, keys.middleware(first, 1)[1])
    equal(second, keys.middleware({ first, second }, 1)[2])
    equal(0, #keys.middleware({}, 1))
    raises("a middleware is a function, got nil", keys.middleware, nil, 1)
    raises("got a string under 2", keys.middleware, { first, "second" }, 1)
    raises("got a function under cors", keys.middleware, { cors = first }, 1)
  end)
end)
