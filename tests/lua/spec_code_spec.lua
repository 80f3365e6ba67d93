-- The request has the path /specs/spec_code_spec/42, the query a=1&a=2&b=x+y, two cookies and a form.

local perigee = require "perigee"
local request = require "perigee.request"
local route_of = require "route_of"
local spec = require "spec"
local spec_code = require "perigee.spec_code"
local describe, it, equal = spec.describe, spec.it, spec.equal

local t = perigee.types

local function asked(given)
  local result
  local req = request.new(spec.req[1])
  local problem = spec_code.wrap(route_of(given), function(typed) result = typed end)(req)
  return result, problem
end

describe("the code of a spec", function()
  it("fills the fields of the request with typed values", function()
    local req = asked { query = { a = t.list(t.integer), b = t.string, c = t.number:default(0.5) },
      headers = { Host = t.string, ["x-none"] = t.string:optional() }, cookies = { flavour = t.enum { "oat" } },
      form = { f = t.integer, g = "string" } }
    equal(2, req.query.a[2])
    equal("x y", req.query.b)
    equal(0.5, req.query.c)
    equal("example", req.headers.host)
    equal(nil, req.headers["x-none"])
    equal("oat", req.cookies.flavour)
    equal(1, req.form.f)
    equal("A", req.form.g)
    equal(nil, req.cookies.quoted)
    equal("f=1&g=%41", req:raw())
  end)

  it("tells all that is wrong at once", function()
    local req, problem = asked { query = { a = t.boolean, b = t.integer, c = t.string },
      cookies = { quoted = t.integer } }
    equal(nil, req)
    equal(400, problem.status)
    local names = {}
    for i, err in ipairs(problem.body.errors) do
      names[i] = err["in"] .. " " .. err.name .. " " .. tostring(err.got)
    end
    equal("query a 1;query b x y;query c " .. tostring(perigee.null) .. ";cookie quoted nil", table.concat(names, ";"))
  end)

  it("has the body as text, also when that is empty or false", function()
    equal("f=1&g=%41", (asked { body = t.string }).body)
    equal(false, (asked { body = function() return false end }).body)
    local _, problem = asked { body = t.json }
    equal(415, problem.status)
    equal("application/json", problem.headers.accept)
  end)

  it("leaves a handler alone that asks for nothing", function()
    local function handler() end
    equal(handler, spec_code.wrap(route_of {}, handler))
    equal(handler, spec_code.params(route_of({}, "/x/{a:integer}/{b}"), handler))
  end)
end)

describe("the code of a path's parameters", function()
  it("refines them by the spec", function()
    local route = route_of { params = { number = t.integer:min(42), name = t.match("^s") } }
    local check = spec_code.params(route, function(req) return req.params end,
      function(_, errors) return { errors = errors } end)
    local function ask(name, number)
      local req = request.new(spec.req[1])
      req[3] = { name = name, number = number }
      return check(req)
    end
    equal(42, ask("spec", 42).number)
    local refused = ask("x", 41)
    equal("name", refused.errors[1].name)
    equal("41", refused.errors[2].got)
  end)
end)
