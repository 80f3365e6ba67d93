local facts = require "perigee.type_facts"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local t = perigee.types

describe("a type's record", function()
  it("accepts values at its bounds and none beyond", function()
    local function accepts(type, value) return facts.accepts(facts.of(type), value) end
    local bounds = t.integer:min(-1):max(2)
    for value, taken in pairs { [-1] = true, [2] = true, [-2] = false, [3] = false, [0.5] = false } do
      equal(taken, accepts(bounds, value))
    end
    equal(true, accepts(t.integer, 2 ^ 53))
    equal(false, accepts(t.integer, 2 ^ 53 + 2))
    equal(false, accepts(t.number, 0 / 0))
    equal(true, accepts(t.string:length(2, 3), "äöü"))
    equal(false, accepts(t.string:length(2, 3), "äöüa"))
    equal(false, accepts(t.string, "\255"))
    equal(true, accepts(t.date:min("2024-01-01"), "2024-01-01"))
    equal(false, accepts(t.date:min("2024-01-01"), "2023-12-31"))
    equal(true, accepts(t.list(t.slug):length(1), { "a-b" }))
    equal(false, accepts(t.list(t.slug):length(1), {}))
    equal(true, accepts(t.string:nullable(), perigee.null))
    equal(false, accepts(t.string, perigee.null))
  end)

  it("knows whether something in it is secret", function()
    equal(false, facts.is_secret(facts.of(t.object { a = t.string })))
    equal(true, facts.is_secret(facts.of(t.object { a = t.list(t.object { b = t.string:secret() }) })))
  end)

  it("has the program's own types put in their places, at any depth", function()
    local own = { game = { fn = function() end, expected = "a game" } }
    local record = facts.resolve(facts.of(t.object { a = t.list("game") }), own)
    equal(own.game.fn, record.fields[1].type.item.fn)
    equal("game", facts.name(record.fields[1].type.item))
    local ok, err = pcall(facts.resolve, facts.of(t.list("gam")), own)
    equal(false, ok)
    equal("unknown type 'gam'; the types are boolean, date, game, integer, json, keyword, number, slug, string, uuid",
      err[1]:match("^(.*) at .*type_facts_spec.lua:%d+$"))
  end)
end)
