-- match as luassert has it: match._, match.is_string(), match.is_not.near(1, 0.1), match.any_of(...).

local difference = require "perigee.test.difference"
local matcher = require "perigee.test.matcher"
local place = require "perigee.test.place"
local show = require "perigee.test.show"
local words = require "perigee.test.words"

local same = difference.same

local MATCHERS = {} -- name -> function(name, ...) -> function(value, itself) -> whether it is such a one

local function define(names, make)
  for name in names:gmatch("%S+") do
    MATCHERS[name] = make
  end
end

local function check(holds, name, what)
  if not holds then
    place.raise("match.%s takes %s", name, what)
  end
end

for _, kind in ipairs { "nil", "boolean", "number", "string", "table", "function", "thread", "userdata" } do
  define(kind, function()
    return function(value) return type(value) == kind end
  end)
end

define("truthy", function()
  return function(value) return value and true or false end
end)
define("falsy", function()
  return function(value) return not value end
end)
define("true", function()
  return function(value) return value == true end
end)
define("false", function()
  return function(value) return value == false end
end)

define("equal equals", function(name, ...)
  check(select("#", ...) > 0, name, "a value")
  local expected = ...
  return function(value) return value == expected end
end)

define("same", function(name, ...)
  check(select("#", ...) > 0, name, "a value")
  local expected = ...
  return function(value) return same(expected, value) end
end)

-- The very table, whatever it holds by now.
define("ref", function(name, expected)
  check(type(expected) == "table" or type(expected) == "function" or type(expected) == "userdata", name, "a table")
  return function(_, itself) return rawequal(itself, expected) end
end)

define("near", function(name, expected, tolerance)
  expected, tolerance = tonumber(expected), tonumber(tolerance)
  check(expected and tolerance, name, "a number and how far from it another may be")
  return function(value)
    local number = tonumber(value)
    return number ~= nil and number >= expected - tolerance and number <= expected + tolerance
  end
end)

define("match matches", function(name, pattern, from, plain)
  check(type(pattern) == "string" and (from == nil or tonumber(from)), name, "a Lua pattern")
  return function(value)
    local meta = getmetatable(value)
    local is_text = type(value) == "string" or type(value) == "number"
      or type(value) == "table" and type(meta) == "table" and meta.__tostring ~= nil
    return is_text and tostring(value):find(pattern, from, plain) ~= nil
  end
end)

define("unique", function()
  return function(list) return type(list) == "table" and not difference.twice(list) end
end)

-- How many of the matchers a value fits decides.
local function define_composite(names, decide)
  define(names, function(name, ...)
    local list = { ... }
    check(#list > 0, name, "matchers")
    for i = 1, select("#", ...) do
      check(matcher.is(list[i]), name, "matchers")
    end
    return function(value, itself)
      local fitting = 0
      for _, one in ipairs(list) do
        fitting = fitting + (one(value, itself) and 1 or 0)
      end
      return decide(fitting, #list)
    end
  end)
end

define_composite("any_of", function(fitting) return fitting > 0 end)
define_composite("all_of", function(fitting, all) return fitting == all end)
define_composite("none_of", function(fitting) return fitting == 0 end)

local PLAIN = { match = true, matches = true, any_of = true, all_of = true, none_of = true } -- written without "is"

local function written(name, negated, ...)
  local list = {}
  for i = 1, select("#", ...) do
    list[i] = show.value((select(i, ...)))
  end
  return ("match.%s%s%s(%s)"):format(PLAIN[name] and "" or "is_", negated and "not_" or "", name,
    table.concat(list, ", "))
end

local M = words.sentence {
  name = "match",
  kind = "matcher",
  known = MATCHERS,
  call = function(name, negated, ...)
    local holds = MATCHERS[name](name, ...)
    return matcher.new(written(name, negated, ...), function(value, itself)
      return (holds(value, itself) and true or false) ~= negated
    end)
  end,
}

rawset(M, "_", matcher.new("match._", function() return true end))
rawset(M, "is_matcher", matcher.is)

--- Adds a matcher, as luassert takes them: fn(state, arguments) -> function(value) -> whether it is such a one.
rawset(M, "register", function(name, fn)
  define(name:lower(), function(_, ...)
    return fn({}, { n = select("#", ...), ... })
  end)
end)

rawset(M, "unregister", function(name)
  MATCHERS[name:lower()] = nil
end)

return M
