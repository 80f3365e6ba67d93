local facts = require "perigee.type_facts"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local t = perigee.types

describe("perigee.types", function()
  it("makes values that can't be changed", function()
    local bounded = t.integer:min(1)
    equal(nil, facts.of(t.integer).min)
    equal(1, facts.of(bounded).min)
    raises("a type can't be changed", function() bounded.min = 7 end)
    equal("perigee.Type: integer", tostring(bounded))
    equal("perigee.Type: list of slug", tostring(t.list(t.slug)))
  end)

  it("remembers where a type was made", function()
    equal(nil, facts.of(t.integer).place)
    equal("types_spec.lua", facts.of(t.integer:min(1)).place:match("([%w_]+%.lua):%d+$"))
  end)

  it("refuses modifiers that make no sense", function()
    raises("':min' makes no sense on the type uuid", function() t.uuid:min(1) end)
    raises("':max' makes no sense on the type string: use ':length'", function() t.string:max(1) end)
    raises("':match' makes no sense on the type integer", function() t.integer:match("x") end)
    raises("':length' makes no sense on the type number", function() t.number:length(1) end)
    raises("':strict' makes no sense on the type string", function() t.string:strict() end)
    raises("called with a colon", function() t.string.optional() end)
  end)

  it("says whose line a mistake is", function()
    for _, mistake in ipairs {
      function() local _ = t.uuid:min(1) end,
      function() local _ = t.integer:min("x") end,
      function() local _ = t.date:max("x") end,
      function() local _ = t.integer:min(5):max(4) end,
      function() local _ = t.integer:default("x") end,
      function() local _ = t.string:length(-1) end,
      function() local _ = t.string:match("[") end,
      function() local _ = t.string.optional() end,
      function() local _ = t.strin end,
    } do
      raises(("types_spec.lua:%d: "):format(debug.getinfo(mistake, "S").linedefined), mistake)
    end
  end)

  it("refuses bounds that are none", function()
    raises("':min' of an integer takes an integer", function() t.integer:min(1.5) end)
    raises("':min' of a number takes a number", function() t.number:min("1") end)
    raises("':max' of a date takes a date", function() t.date:max("2024-02-30") end)
    raises("no integer is at least 5 and at most 4", function() t.integer:min(5):max(4) end)
    raises("':length' takes two counts", function() t.string:length(5, 4) end)
    raises("':length' takes two counts", function() t.string:length(-1) end)
    raises("':match' takes a Lua pattern", function() t.string:match("[") end)
    raises("':match' takes a Lua pattern", function() t.match("%") end)
    raises("':match' takes a Lua pattern: malformed pattern (missing ']')", function() t.string:match("^a[") end)
    raises("':match' takes a Lua pattern: this is a number", function() t.match(1) end)
  end)

  it("refuses a default that is not of its own type, whatever comes first", function()
    raises("the default x is not of its own type, an integer", function() t.integer:default("x") end)
    raises("the default 0 is not of its own type", function() t.integer:min(1):default(0) end)
    raises("the default 0 is not of its own type", function() t.integer:default(0):min(1) end)
    raises("is not of its own type", function() t.enum { "a" }:default("b") end)
    raises("is not of its own type", function() t.date:default("2024-02-30") end)
    raises("is not of its own type", function() t.list(t.integer):default({ "a" }) end)
    raises("is not of its own type", function() t.string:length(2):default("a") end)
    raises("':default' takes a value", function() t.string:default(nil) end)
    equal(3, facts.of(t.integer:default(3)).default)
    equal(false, facts.of(t.boolean:default(false)).default)
    equal(perigee.null, facts.of(t.string:nullable():default(perigee.null)).default)
  end)

  it("takes types by name, and functions, where types are taken", function()
    equal("integer", facts.of(t.list("integer")).item.kind)
    equal("named", facts.of(t.list("game")).item.kind)
    equal("function", facts.of(t.list(function() end)).item.kind)
    equal("a known game", facts.expected(facts.of(t(function() end, "a known game"):optional())))
    equal(true, facts.of(t("game"):optional()).optional)
    raises("a type is expected", function() t.list(7) end)
    raises("'a': a type is expected, like perigee.types.string, got a boolean", function() t.object { a = true } end)
    raises("names are strings", function() t.object { t.string } end)
  end)

  it("names what it has not", function()
    raises("perigee.types has no 'text';", function() return t.text end)
    raises("perigee.types has no 'intger', did you mean 'integer'?", function() return t.intger end)
    raises("takes a list of values", function() t.enum {} end)
    raises("takes a table of types", function() t.object(t.string) end)
  end)
end)

describe("what a type expects", function()
  it("is said in words", function()
    for type, words in pairs {
      [t.string] = "a string",
      [t.string:length(1, 80)] = "a string of 1 to 80 characters",
      [t.string:length(1)] = "a string of at least 1 character",
      [t.string:length(nil, 5):match("^a")] = "a string of at most 5 characters that matches ^a",
      [t.integer] = "an integer within 2^53",
      [t.integer:min(1)] = "an integer of at least 1",
      [t.integer:min(1):max(5)] = "an integer from 1 to 5",
      [t.number:max(0.5)] = "a decimal number of at most 0.5",
      [t.list(t.integer):length(2, 2)] = "a list of 2 items",
      [t.enum { "a", 1, true }] = "one of a, 1, true",
      [t.object {}] = "an object",
      [t(function() end)] = "a value that this route takes",
    } do
      equal(words, facts.expected(facts.of(type)))
    end
  end)
end)
