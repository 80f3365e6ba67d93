-- perigee.test.match: what an argument may be.

local difference = require "perigee.test.difference"
local match = require "perigee.test.match"
local show = require "perigee.test.show"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local t = {}
local FITS = {
  { match._, nil }, { match._, 1 }, { match.is_string(), "" }, { match.is_number(), 1 }, { match.is_table(), t },
  { match.is_nil(), nil }, { match.is_boolean(), false }, { match.is_function(), print }, { match.truthy(), 0 },
  { match.is_falsy(), nil }, { match.is_true(), true }, { match.is.False(), false }, { match.is_equal(t), t },
  { match.is_not_nil(), 1 }, { match.is.Not.string(), 1 }, { match.same({ 1 }), { 1 } }, { match.is_ref(t), t },
  { match.near(1, 0.1), 1.05 }, { match.matches("^a"), "ab" }, { match.has_match("%d+", nil, true), "%d+" },
  { match.unique(), { 1, 2 } }, { match.any_of(match.is_nil(), match.is_number()), 5 },
  { match.all_of(match.is_number(), match.near(1, 1)), 2 }, { match.none_of(match.is_nil()), 5 },
}
local FAILS = {
  { match.is_string(), 1 }, { match.is_not_string(), "" }, { match.is_equal({}), t }, { match.same({ 1 }), { 2 } },
  { match.is_ref({}), t }, { match.near(1, 0.1), 1.2 }, { match.near(1, 0.1), {} }, { match.matches("^a"), "b" },
  { match.matches("^a"), {} }, { match.unique(), { { 1 }, { 1 } } }, { match.any_of(match.is_nil()), 5 },
  { match.all_of(match.is_number(), match.is_nil()), 2 }, { match.none_of(match.is_number()), 5 },
}

describe("match", function()
  it("tells which values fit", function()
    for i, case in ipairs(FITS) do
      equal(i .. " true", i .. " " .. tostring(case[1](case[2])))
    end
    for i, case in ipairs(FAILS) do
      equal(i .. " false", i .. " " .. tostring(case[1](case[2])))
    end
  end)

  it("is turned around however that is written", function()
    for i, negated in ipairs {
      match.is_not_string(), match.is_not.string(), match.is.Not.string(), match.Not.string(), match.not_string(),
      match.no.string(), match.is_no_string(), match.is_not_a_string(), match.is_not.equal("a"),
      match.is_not_same("a"), match.does_not.match("a"), match.has_no_match("a"), match.not_matches("a"),
      match.is_not.any_of(match.is_string()), match.not_all_of(match.is_string(), match.truthy()),
      match.is_not_truthy(),
    } do
      equal(i .. ": false true", ("%d: %s %s"):format(i, tostring(negated("a")), tostring(negated(false))))
    end
    equal(true, match.is_not_not_string()("a"))
    equal("false true", tostring(match.is_not.near(1, 2)(3)) .. " " .. tostring(match.is_not.near(1, 2)(4)))
    equal(true, match.is_not.same({ 1, match.is_not_nil() })({ 1 }))
    equal(false, match.is_not_ref(t)(t))
  end)

  it("stands for values wherever tables are compared", function()
    equal(true, difference.same({ id = match.is_number(), name = "a" }, { id = 7, name = "a" }))
    equal(true, difference.same({ gone = match.is_nil() }, {}))
    equal(false, difference.same({ id = match.is_number() }, { id = "7" }))
  end)

  it("is shown as it is written", function()
    equal("match.is_not_near(1, 0.5)", show.value(match.is_not.near(1, 0.5)))
    equal("{\n  id = match._\n}", show.value { id = match._ })
  end)

  it("says what it does not know, or lacks", function()
    spec.raises("match has no 'strin'", function() return match.is_strin end)
    spec.raises("match.near takes a number", match.near, 1)
    spec.raises("match.any_of takes matchers", match.any_of, 1)
    spec.raises("match.is is no whole matcher", function() match.is() end)
  end)

  it("takes more", function()
    match.register("even", function(_, arguments)
      return function(value) return value % (arguments[1] or 2) == 0 end
    end)
    equal(true, match.is_even()(4))
    equal(true, match.is_not_even(3)(4))
  end)
end)
