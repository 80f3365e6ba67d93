-- assert as luassert has it: assert(value), assert.equal(expected, got), assert.is_not.same(...), assert.has_error(fn).

local difference = require "perigee.test.difference"
local formats = require "perigee.test.formats"
local match = require "perigee.test.match"
local place = require "perigee.test.place"
local say = require "perigee.test.say"
local show = require "perigee.test.show"
local spy = require "perigee.test.spy"
local spy_assertions = require "perigee.test.spy_assertions"
local words = require "perigee.test.words"

local M = {}

--- What a failed assertion raises.
local Failure = {}
Failure.__index = Failure
function Failure:__tostring()
  return self.message
end
M.Failure = Failure

local function fail(message, note)
  local noted = note ~= nil and tostring(note) .. "\n" or ""
  error(setmetatable({ message = place.here() .. noted .. message }, Failure), 0)
end

local same = difference.same

local function indented(text)
  return "  " .. show.shortened(text):gsub("\n", "\n  ")
end

-- Each: function(...) -> whether it holds, what to say when it does not, what to say when it does and must not; then
-- the number of its arguments, the next one being a note of the test's; none is where there may be any number.
local ASSERTIONS = {}

local function define(names, arguments, fn)
  for name in names:gmatch("%S+") do
    ASSERTIONS[name] = { fn = fn, arguments = arguments }
  end
end

-- An argument of an assertion that is no value under test: of the kind, or a mistake in the test.
local function check(kind, value, number, name)
  if type(value) ~= kind then
    place.raise("bad argument #%d to assert.%s (%s expected, got %s)", number, name, kind, type(value))
  end
end

define("equal equals", 2, function(expected, got)
  return expected == got, function()
    local hint = same(expected, got) and type(got) == "table"
      and "\nThey hold the same but are two tables: assert.same compares what they hold." or ""
    return "Expected values to be equal.\n" .. difference.difference(expected, got) .. hint
  end, function()
    return "Expected values to differ, but both are:\n" .. indented(show.value(got))
  end
end)

define("same", 2, function(expected, got)
  return same(expected, got), function()
    return "Expected values to be the same.\n" .. difference.difference(expected, got)
  end, function()
    return "Expected values not to be the same, but both are:\n" .. indented(show.value(got))
  end
end)

define("near", 3, function(expected, got, tolerance)
  check("number", expected, 1, "near")
  check("number", tolerance, 3, "near")
  local fits = type(got) == "number" and got >= expected - tolerance and got <= expected + tolerance
  local text = ("%s to be within %s of %s"):format(show.value(got), show.value(tolerance), show.value(expected))
  return fits, "Expected " .. text, "Did not expect " .. text
end)

define("match matches", 2, function(pattern, text)
  check("string", pattern, 1, "matches")
  if type(text) ~= "string" then
    return false, function()
      return ("Expected a string that matches %s, got:\n%s"):format(show.value(pattern), indented(show.value(text)))
    end
  end
  return text:find(pattern) ~= nil, function()
    return ("Expected a string that matches %s, got:\n%s"):format(show.value(pattern), indented(text))
  end, function()
    return ("Expected no string that matches %s, got:\n%s"):format(show.value(pattern), indented(text))
  end
end)

local function of_one(names, holds, what)
  define(names, 1, function(value)
    return holds(value), function()
      return ("Expected %s, got:\n%s"):format(what, indented(show.value(value)))
    end, function()
      return ("Did not expect %s, got:\n%s"):format(what, indented(show.value(value)))
    end
  end)
end

of_one("truthy", function(value) return value end, "a true value")
of_one("falsy", function(value) return not value end, "false or nil")
of_one("true", function(value) return value == true end, "true")
of_one("false", function(value) return value == false end, "false")
for _, kind in ipairs { "nil", "boolean", "number", "string", "table", "function", "thread", "userdata" } do
  of_one(kind, function(value) return type(value) == kind end, kind == "nil" and "nil" or "a " .. kind)
end

define("unique", 1, function(list)
  local twice, value = difference.twice(list)
  return not twice, function()
    return "Expected values that are all different, but this one is there twice:\n" .. indented(show.value(value))
  end, "Expected some value to be there twice"
end)

local function without_place(err)
  return type(err) == "string" and err:gsub("^[^\n]-:%d+: ", "") or err
end

local function check_function(fn, name)
  if type(fn) ~= "function" and not (type(fn) == "table" and (getmetatable(fn) or {}).__call) then
    place.raise("bad argument #1 to assert.%s (function expected, got %s)", name, type(fn))
  end
end

define("error errors", 2, function(fn, expected)
  check_function(fn, "error")
  local ok, err = pcall(fn)
  if ok then
    return false, "Expected an error, there was none."
      .. (expected ~= nil and "\nExpected:\n" .. indented(show.value(expected)) or "")
  end
  local fits = expected == nil or same(expected, err) or same(expected, without_place(err))
  return fits, function()
    return "Expected another error.\n" .. difference.difference(expected, without_place(err))
  end, function()
    return "Expected no error, got:\n" .. indented(show.value(err))
  end
end)

define("error_matches error_match matches_error match_error", 2, function(fn, pattern)
  check_function(fn, "error_matches")
  check("string", pattern, 2, "error_matches")
  local ok, err = pcall(fn)
  if ok then
    return false, "Expected an error that matches " .. show.value(pattern) .. ", there was none."
  end
  return tostring(err):find(pattern) ~= nil, function()
    return ("Expected an error that matches %s, got:\n%s"):format(show.value(pattern), indented(tostring(err)))
  end, function()
    return ("Expected no error that matches %s, got:\n%s"):format(show.value(pattern), indented(tostring(err)))
  end
end)

define("property", 2, function(object, key)
  check("table", object, 1, "property")
  local text = ("%s to have the property %s"):format(show.value(object), show.value(key))
  return object[key] ~= nil, "Expected " .. text, "Did not expect " .. text
end)

define("arguments", nil, function(count, ...)
  check("number", count, 1, "arguments")
  local text = ("%s values, got %d"):format(show.value(count), select("#", ...))
  return select("#", ...) == count, "Expected " .. text, "Did not expect " .. text
end)

local function said(text)
  return type(text) == "function" and text() or text or "Assertion failed."
end

local function call(name, negated, note, ...)
  local assertion = ASSERTIONS[name]
  if assertion.arguments and note == nil then
    note = select(assertion.arguments + 1, ...)
  end
  local holds, why_not, why = assertion.fn(...)
  if negated and holds then
    fail(said(why), note)
  elseif not negated and not holds then
    fail(said(why_not), note)
  end
  return ...
end

local function assert_value(value, message, ...)
  if not value then
    if message == nil then
      fail("Expected a true value, got " .. show.value(value))
    end
    error(type(message) == "string" and setmetatable({ message = place.here() .. message }, Failure) or message, 0)
  end
  return value, message, ...
end

-- Sentences whose failures say `note` first.
local function sentences(note)
  return words.sentence {
    name = "assert",
    kind = "assertion",
    known = ASSERTIONS,
    call = function(name, negated, ...) return call(name, negated, note, ...) end,
    call_empty = assert_value,
  }
end

-- Puts texts in the place of values in luassert's list of arguments, but for those that its `nofmt` names by index.
local function format(_, arguments)
  for i = 1, arguments.n or #arguments do
    if not (arguments.nofmt and arguments.nofmt[i]) then
      arguments[i] = show.value(arguments[i])
    end
  end
  return arguments
end

-- An assertion as luassert takes it: fn(state, arguments) -> whether it holds; the messages are said by `say`.
local function register(name, fn, why_not, why)
  define(name:lower(), nil, function(...)
    local state, arguments = {}, { n = select("#", ...), ... }
    local holds = fn(state, arguments)
    local function told(key)
      return function()
        local text = say(key, format(nil, arguments))
        if state.failure_message ~= nil then
          return tostring(state.failure_message) .. (text and "\n" .. text or "")
        end
        return text or "Assertion " .. name .. " failed."
      end
    end
    return holds, told(why_not), told(why)
  end)
end

local function check_kind(kind, method)
  if kind ~= "assertion" and kind ~= "matcher" then
    place.raise("assert:%s knows 'assertion' and 'matcher', not %s", method, show.value(kind))
  end
end

-- What is put in place of something, or set, from here on goes by revert(), or by calling it.
local function snapshot()
  local spies, formatted = spy.snapshot(), formats.snapshot()
  local function revert()
    spies.revert()
    formatted()
  end
  return setmetatable({ revert = revert }, { __call = revert })
end

-- The first index up to `length`, or up to the last that is there, at which a list has nothing.
local function hole_in(list, length)
  for i = 1, length or table.maxn(list) do
    if list[i] == nil then
      return i
    end
  end
  return nil
end

-- assert.array(list).has.no.holes(length): returns the first hole, where there is one.
local function array(list)
  if type(list) ~= "table" then
    place.raise("assert.array takes a table, got a %s", type(list))
  end
  return words.sentence {
    name = "assert.array",
    kind = "assertion",
    known = { holes = true },
    call = function(_, negated, length)
      local hole = hole_in(list, length)
      if hole and negated then
        fail(("Expected no holes, but at [%d] there is one of:\n%s"):format(hole, indented(show.value(list))))
      elseif not hole and not negated then
        fail("Expected a hole, but there is none in:\n" .. indented(show.value(list)))
      end
      return hole
    end,
  }
end

--- What `assert` is in a file of tests.
M.assert = sentences(nil)
rawset(M.assert, "spy", function(object) return spy_assertions.asserted(object, fail) end)
rawset(M.assert, "stub", rawget(M.assert, "spy"))
rawset(M.assert, "array", array)
rawset(M.assert, "message", sentences)

-- What is called with a colon, assert:register(...), as luassert has it.
local METHODS = { snapshot = snapshot, format = format }

function METHODS.register(_, kind, name, ...)
  check_kind(kind, "register")
  local add = kind == "assertion" and register or match.register
  add(name, ...)
end

function METHODS.unregister(_, kind, name)
  check_kind(kind, "unregister")
  if kind == "assertion" then
    ASSERTIONS[name:lower()] = nil
  else
    match.unregister(name)
  end
end

function METHODS.add_formatter(_, fn)
  check_function(fn, "add_formatter")
  formats.add(fn)
end

function METHODS.remove_formatter(_, fn)
  formats.remove(fn)
end

function METHODS.set_parameter(_, name, value)
  formats.set(name, value)
end

function METHODS.get_parameter(_, name)
  return formats.get(name)
end

for name, method in pairs(METHODS) do
  rawset(M.assert, name, method)
end

return M
