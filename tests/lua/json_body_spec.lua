local facts = require "perigee.type_facts"
local json_body = require "perigee.json_body"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local t = perigee.types

describe("the quick way into a JSON body", function()
  it("suits objects of plain members", function()
    local function suits(type) return json_body.suits(facts.of(type)) end
    equal(true, suits(t.object { a = t.string, b = t.integer:optional(), c = t.enum { "x" }:nullable() }))
    equal(false, suits(t.object {}))
    equal(false, suits(t.object { a = t.string }:strict()))
    equal(false, suits(t.object { a = t.string }:open()))
    equal(false, suits(t.object { a = t.list(t.string) }))
    equal(false, suits(t.object { a = t.object { b = t.string } }))
    equal(false, suits(t.object { a = function() end }))
    equal(false, suits(t.object { a = t.json }))
    equal(false, suits(t.list(t.string)))
  end)
end)
