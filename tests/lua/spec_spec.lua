-- The request has the path /specs/spec_spec/42, the query a=1&a=2&b=x+y, two cookies and a form.

local perigee = require "perigee"
local request = require "perigee.request"
local spec = require "spec"
local specs = require "perigee.spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local t = perigee.types

local function route_of(given, pattern, own)
  local route = { pattern = pattern or "/x/{name}/{number:integer}", place = "spec.lua:1", read = {} }
  for key, types in pairs(given) do
    specs.read(route.read, key, types, 1)
  end
  specs.load(route, own or {})
  return route
end

local function asked(given)
  local result
  local req = request.new(spec.req[1])
  local problem = specs.wrap(route_of(given), function(typed) result = typed end)(req)
  return result, problem
end

local function mistake(given, pattern, own)
  local ok, err = pcall(route_of, given, pattern, own)
  equal(false, ok)
  return err[1]
end

describe("a spec", function()
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
    equal(handler, specs.wrap(route_of {}, handler))
    equal(handler, specs.params(route_of({}, "/x/{a:integer}/{b}"), handler))
  end)

  it("is summed up in short", function()
    equal("params{name:slug} query{a:[integer] b:string?} body{c:number=}", specs.summary(route_of {
      params = { name = t.slug }, query = { a = t.list("integer"), b = t.string:optional() },
      body = t.object { c = t.number:default(1) } }))
  end)
end)

describe("the parameters of a path", function()
  it("are refined by the spec", function()
    local route = route_of { params = { number = t.integer:min(42), name = t.match("^s") } }
    local check = specs.params(route, function(req) return req.params end,
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

  it("conflict with the pattern where their types differ", function()
    equal("spec.lua:1: the parameter 'number' is of the type integer in the pattern '/x/{name}/{number:integer}' at "
      .. "spec.lua:1 and of the type number in 'params' at spec.lua:1", mistake { params = { number = t.number } })
    local said = mistake { params = { number = t.slug:length(1) } }
    equal("spec_spec.lua", said:match("'params' at .-([%w_]+%.lua):%d+$"))
    equal("spec.lua:1: 'params' names 'other', which the pattern '/x' does not",
      mistake({ params = { other = t.slug } }, "/x"))
    equal(true, mistake({ params = { name = t.slug:optional() } }):find("is always there", 1, true) ~= nil)
  end)
end)

describe("a mistake in a spec", function()
  it("is raised at the line of the route", function()
    raises("'query' in a route's spec is a table of types by name", specs.read, {}, "query", 7, 1)
    raises("'query' in a route's spec is a table", specs.read, {}, "query", t.string, 1)
    raises("in 'query': 'a': a type is expected", specs.read, {}, "query", { a = 7 }, 1)
    raises("in 'body': a type is expected", specs.read, {}, "body", {}, 1)
    raises("either 'form' or 'body'", specs.read, { body = {} }, "form", {}, 1)
  end)

  it("names the route where the whole app has to be known", function()
    local said = mistake({ query = { a = "gam" } }, nil, { game = {} }):gsub(" at [^ ]+$", "")
    equal("spec.lua:1: in 'query': unknown type 'gam'; the types are boolean, date, game, integer, json, keyword, "
      .. "number, slug, string, uuid", said)
    equal("spec.lua:1: 'a' in 'query' can't be of the type object: it comes as text; perigee.types.json reads a JSON "
      .. "text", mistake { query = { a = t.object {} } })
    equal("spec.lua:1: 'headers' names 'x-a' twice", mistake { headers = { ["X-A"] = t.string, ["x-a"] = t.string } })
    equal("spec.lua:1: a list's items can't be optional or have a default",
      mistake { body = t.list(t.string:optional()) })
  end)
end)
