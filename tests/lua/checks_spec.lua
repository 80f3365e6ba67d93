local checks = require "perigee.checks"
local core = require "perigee.core"
local facts = require "perigee.type_facts"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local t = perigee.types

-- What the code for a type makes of a value: the value, or nil and the errors.
local function checked(type, value, how, place)
  local writer = checks.writer()
  local record = facts.of(type)
  place = place or { where = "body", name = "", indexes = {} }
  writer:line("local x = %s", writer:constant(value))
  writer:line("local y")
  if how == "text" then
    writer:text(record, "x", "y", writer:site(place, record))
  else
    writer:json(record, "x", "y", place)
  end
  writer:line("req.value, req.errors = y, errors")
  local result = { {} }
  result[1] = spec.req[1]
  writer:compile("=checked", function() end)(result)
  return result.value, result.errors
end

local function refused(type, value, how)
  local _, errors = checked(type, value, how)
  return errors and errors[1].expected
end

describe("the code that checks values of JSON", function()
  it("takes each type at its bounds and refuses what is beyond", function()
    local cases = {
      { t.integer, { 0, -7, 2 ^ 53, -2 ^ 53 }, { 0.5, 2 ^ 53 + 2, -2 ^ 53 - 2, "1", true } },
      { t.integer:min(1):max(9), { 1, 9 }, { 0, 10 } },
      { t.number, { 0, -0.5, 1e300 }, { "1", false } },
      { t.number:min(0.5), { 0.5 }, { 0.49 } },
      { t.boolean, { true, false }, { 0, "true" } },
      { t.string, { "", "ä" }, { 7, true } },
      { t.string:length(2, 3), { "ab", "äöü" }, { "a", "abcd", "äöüä", "ä" } },
      { t.string:match("^%d+$"), { "12" }, { "", "a1" } },
      { t.date:min("2024-01-01"):max("2024-12-31"), { "2024-01-01", "2024-12-31" },
        { "2023-12-31", "2025-01-01", "x" } },
      { t.uuid, { "123e4567-e89b-12d3-a456-426614174000" }, { "123", 7 } },
      { t.keyword:length(1, 2), { "a", "a1" }, { "abc", "A" } },
      { t.slug, { "a-b" }, { "a--b" } },
      { t.enum { "a", 1, true }, { "a", 1, true }, { "b", 2, false, "1" } },
      { t.json, { 1, "a", false }, {} },
    }
    for _, case in ipairs(cases) do
      for _, value in ipairs(case[2]) do
        equal(value, (checked(case[1], value)))
        equal(nil, refused(case[1], value))
      end
      for _, value in ipairs(case[3]) do
        equal(facts.expected(facts.of(case[1])), refused(case[1], value))
      end
    end
  end)

  it("takes null where the type says so, and for absent else", function()
    equal(perigee.null, (checked(t.string:nullable(), perigee.null)))
    equal(nil, (checked(t.string:optional(), perigee.null)))
    equal("x", (checked(t.string:default("x"), perigee.null)))
    local _, errors = checked(t.string, perigee.null)
    equal(perigee.null, errors[1].got)
  end)

  it("goes through lists and objects, and drops what is not asked for", function()
    local type = t.object { a = t.list(t.object { b = t.integer }), c = t.string:default("d") }
    local items = perigee.array { { b = 1, x = 2 }, { b = 2 } }
    local value = checked(type, { a = items, other = true })
    equal(2, value.a[2].b)
    equal(nil, value.a[1].x)
    equal("d", value.c)
    equal(nil, value.other)
    equal(core.array_mark, getmetatable(value.a))
  end)

  it("names what it refuses by the way there", function()
    local type = t.object { ["a%d"] = t.list(t.list(t.object { b = t.integer })) }
    local lists = perigee.array { perigee.array(), perigee.array { { b = 1 }, { b = "x" } } }
    local _, errors = checked(type, { ["a%d"] = lists })
    equal(1, #errors)
    equal("a%d[1][1].b", errors[1].name)
    equal("x", errors[1].got)
  end)

  it("tells lists from objects", function()
    equal("a list", refused(t.list(t.json), {}))
    equal("an object", refused(t.object {}, perigee.array()))
    equal(nil, refused(t.list(t.json), perigee.array()))
    equal(nil, refused(t.object {}, {}))
  end)

  it("refuses or keeps other members where the type says so", function()
    local _, errors = checked(t.object { a = t.integer }:strict(), { a = 1, secret = "s" })
    equal("secret", errors[1].name)
    equal(nil, errors[1].got)
    local value = checked(t.object { a = t.integer:default(1) }:open(), { b = 2 })
    equal(1, value.a)
    equal(2, value.b)
  end)

  it("takes objects of more members than locals and upvalues have room for", function()
    local members, given = {}, {}
    for i = 1, 300 do
      members["m" .. i] = t.enum { i, i + 1000 }
      given["m" .. i] = i
    end
    local value = checked(t.object(members), given)
    equal(300, value.m300)
    given.m7 = 8
    local _, errors = checked(t.object(members), given)
    equal("m7", errors[1].name)
  end)

  it("never shows what is secret, nor what holds it", function()
    local type = t.object { login = t.object { password = t.string:length(8):secret() } }
    for _, login in ipairs { { password = "short" }, "pass", perigee.array { "pass" } } do
      local _, errors = checked(type, { login = login })
      equal(nil, errors[1].got)
    end
  end)

  it("lists a hundred errors at most", function()
    local list = perigee.array {}
    for i = 1, 500 do
      list[i] = "x"
    end
    local _, errors = checked(t.list(t.integer), list)
    equal(100, #errors)
  end)

  it("copies a default for each request", function()
    local first = checked(t.list(t.integer):default(perigee.array { 1 }), nil)
    first[1] = 7
    equal(1, checked(t.list(t.integer):default(perigee.array { 1 }), nil)[1])
  end)

  it("asks functions, which say themselves what they expect", function()
    local even = t(function(text)
      local number = tonumber(text)
      if not number then
        return nil, "a number"
      end
      return number % 2 == 0 and number or nil
    end, "an even number")
    equal(4, (checked(even, "4")))
    equal("an even number", refused(even, "3"))
    equal("a number", refused(even, "x"))
    equal("an even number", refused(even, 4))
  end)
end)

describe("the code that checks texts", function()
  it("gives values of their types", function()
    equal(7, (checked(t.integer, "7", "text")))
    equal(false, (checked(t.boolean, "false", "text")))
    equal(2, (checked(t.enum { 1, 2 }, "2", "text")))
    equal("b", (checked(t.json, '{"a":["b"]}', "text")).a[1])
    equal("an integer from 1 to 5", refused(t.integer:min(1):max(5), "6", "text"))
    equal("one of 1, 2", refused(t.enum { 1, 2 }, "3", "text"))
    equal("a JSON text", refused(t.json, "{", "text"))
    equal("a string", refused(t.string, "\255", "text"))
  end)
end)
