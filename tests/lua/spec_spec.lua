local perigee = require "perigee"
local route_of = require "route_of"
local spec = require "spec"
local specs = require "perigee.spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local t = perigee.types

local function mistake(given, pattern, own)
  local ok, err = pcall(route_of, given, pattern, own)
  equal(false, ok)
  return err[1]
end

describe("a spec", function()
  it("is summed up in short", function()
    equal("params{name:slug} query{a:[integer] b:string?} body{c:number=}", specs.summary(route_of {
      params = { name = t.slug }, query = { a = t.list("integer"), b = t.string:optional() },
      body = t.object { c = t.number:default(1) } }))
  end)
end)

describe("the parameters of a path", function()
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
