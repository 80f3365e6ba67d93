-- perigee.test.assertions: what assert takes, and what it says when that does not hold.

local assertions = require "perigee.test.assertions"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal
local check = assertions.assert

local function fails(part, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then
    error("expected a failure, there was none", 2)
  elseif getmetatable(err) ~= assertions.Failure then
    error("expected a failure, got the error " .. tostring(err), 2)
  elseif not err.message:find(part, 1, true) then
    error(("no %q in:\n%s"):format(part, err.message), 2)
  end
end

local t = {}
local HOLD = {
  { check.equal, 1, 1 }, { check.are.equal, t, t }, { check.is_not.equal, 1, 2 }, { check.are_not_equal, {}, {} },
  { check.same, { 1 }, { 1 } }, { check.are_not.same, { 1 }, { 2 } }, { check.near, 1, 1.05, 0.1 },
  { check.match, "^b", "bc" }, { check.does_not.match, "^b", "cb" }, { check.truthy, 0 }, { check.is_falsy, nil },
  { check.is_true, true }, { check.is_not_true, 1 }, { check.is_false, false }, { check.is_nil, nil },
  { check.is_not_nil, 1 }, { check.is_string, "" }, { check.is_number, 1 }, { check.is_table, t },
  { check.is_function, print }, { check.unique, { 1, 2 } }, { check.has_error, function() error("x") end },
  { check.has_error, function() error("x") end, "x" }, { check.has.errors, function() error({ 1 }) end, { 1 } },
  { check.has_no.errors, function() end }, { check.error_matches, function() error("abc") end, "b" },
  { check.does_not.match_error, function() error("abc") end, "x" },
}

describe("assert", function()
  it("passes what holds", function()
    for i, case in ipairs(HOLD) do
      local ok, err = pcall(unpack(case, 1, 4))
      if not ok then
        error(i .. ": " .. tostring(err))
      end
    end
    equal(5, (check(5)))
  end)

  it("fails what does not, and says why", function()
    fails("Expected values to be equal", check.equal, 1, 2)
    fails("hold the same but are two tables", check.equal, { 1 }, { 1 })
    fails("Expected values not to be the same", check.are_not.same, { 1 }, { 1 })
    fails("within 0.1 of 1", check.near, 1, 2, 0.1)
    fails('matches "x", got:\n  abc', check.match, "x", "abc")
    fails("Expected a true value", check.truthy, nil)
    fails("Expected an error, there was none", check.has_error, function() end)
    fails("Expected another error", check.has_error, function() error("a") end, "b")
    fails("Expected no error", check.has_no.error, function() error("a") end)
    fails("there twice", check.unique, { 1, { 2 }, { 2 } })
    fails("note\nExpected", check.equal, 1, 2, "note")
    fails("Expected a true value, got nil", check, nil)
    fails("the message", check, false, "the message")
  end)

  it("names the line that asserts", function()
    fails("assertions_spec.lua:", function() check.equal(1, 2) end)
  end)

  it("may be written with capitals, as Lua keeps true, nil and not for itself", function()
    check.True(true)
    check.is.False(false)
    check.Nil(nil)
    check.Not.equal(1, 2)
    spec.raises("Did not expect nil", function() check.Not.Nil(nil) end)
  end)

  it("knows what it is not", function()
    spec.raises("assert has no 'equall'", function() return check.equall end)
    spec.raises("assert.is.not is no whole assertion", function() check.is["not"]() end)
    spec.raises("bad argument #1 to assert.error", function() check.has_error(1) end)
  end)

  it("knows properties and numbers of values", function()
    check.has_property({ a = 1 }, "a")
    check.has_no.property({ a = 1 }, "b")
    check.returned_arguments(2, nil, nil)
    fails("Expected 3 values, got 1", check.returned_arguments, 3, 1)
    fails('to have the property "b"', check.has_property, {}, "b")
  end)

  it("knows lists with holes", function()
    equal(nil, (check.array({ 1, 2 }).has.no.holes()))
    equal(3, check.array({ 1, 2 }).has.holes(3))
    equal(2, check.array({ 1, nil, 3 }).has_holes())
    fails("Expected no holes, but at [2] there is one of:\n  {\n    [1] = 1\n    [3] = 3", function()
      check.array({ 1, nil, 3 }).has_no_holes()
    end)
    fails("Expected a hole, but there is none in:\n  {}", function() check.array({}).has.holes() end)
    spec.raises("assert.array takes a table, got a nil", check.array)
    spec.raises("assert.array has no 'hole'", function() return check.array({}).has.hole end)
  end)

  it("may say something first", function()
    fails("of the sum\nExpected", function() check.message("of the sum").equal(1, 2) end)
  end)

  it("takes matchers in what is expected", function()
    local match = require "perigee.test.match"
    check.same({ id = match.is_number() }, { id = 1 })
    fails("id = match.is_number()", check.same, { id = match.is_number() }, { id = "1" })
  end)

  it("takes more, as luassert does", function()
    local say = require "perigee.test.say"
    say:set("assertion.even.positive", "Expected an even number, got %s (100%%)")
    say:set("en", "assertion.even.negative", "Expected an odd number, got %s")
    check:register("assertion", "even", function(_, arguments) return arguments[1] % 2 == 0 end,
      "assertion.even.positive", "assertion.even.negative")
    check.is_even(2)
    check.is_not_even(3)
    fails("Expected an even number, got 3 (100%)", function() check.is_even(3) end)
    fails("Expected an odd number, got 4", function() check.is_not.even(4) end)
    check:register("matcher", "odd", function() return function(value) return value % 2 == 1 end end)
    check.same({ require("perigee.test.match").is_odd() }, { 1 })
    spec.raises("knows 'assertion' and 'matcher', not \"modifier\"", check.register, check, "modifier", "x")
  end)

  it("forgets what it was told to take", function()
    check:register("assertion", "odd_one", function(_, arguments) return arguments[1] % 2 == 1 end)
    check:register("matcher", "odd_one", function() return function(value) return value % 2 == 1 end end)
    check.odd_one(1)
    check:unregister("assertion", "odd_one")
    check:unregister("matcher", "odd_one")
    spec.raises("assert has no 'odd_one'", function() return check.odd_one end)
    spec.raises("match has no 'odd_one'", function() return require("perigee.test.match").odd_one end)
    spec.raises("assert:unregister knows 'assertion' and 'matcher'", check.unregister, check, "modifier", "x")
  end)

  it("says what its own assertions say besides, and shows no value that they have shown", function()
    local say = require "perigee.test.say"
    say:set("assertion.ready", "Expected %s, got %s")
    check:register("assertion", "ready", function(state, arguments)
      state.failure_message = "of the door"
      arguments[2], arguments.n, arguments.nofmt = "shut", 2, { [2] = true }
      return false
    end, "assertion.ready")
    fails('of the door\nExpected "open", got shut', function() check.is_ready("open") end)
    check:unregister("assertion", "ready")
    local list = check:format({ "a", nil, { 1 }, n = 3, nofmt = { [3] = true } })
    equal('"a" nil table', list[1] .. " " .. list[2] .. " " .. type(list[3]))
  end)

  it("shows values as the file wants them, until a snapshot is taken back", function()
    local function bytes(value)
      return type(value) == "string" and value:gsub(".", function(byte) return ("%02x "):format(byte:byte()) end) or nil
    end
    local snapshot = check:snapshot()
    check:add_formatter(bytes)
    check:set_parameter("TableFormatLevel", 1)
    equal(1, check:get_parameter("TableFormatLevel"))
    fails("Expected:\n  61 62 \nGot:\n  61 63 ", check.equal, "ab", "ac")
    fails("  -   a = 61 \n  +   a = 62 \n      b = { ... }\n", check.same, { a = "a", b = { 1 } },
      { a = "b", b = { 1 } })
    fails("  -       c = 1\n  +       c = 2\n", check.same, { a = { b = { c = 1 } } }, { a = { b = { c = 2 } } })
    check:remove_formatter(bytes)
    fails('Expected:\n  "ab"', check.equal, "ab", "ac")
    check:add_formatter(bytes)
    snapshot()
    fails('Expected:\n  "ab"', check.equal, "ab", "ac")
    equal(60, check:get_parameter("TableFormatLevel"))
    spec.raises("bad argument #1 to assert.add_formatter", check.add_formatter, check, "x")
  end)
end)
