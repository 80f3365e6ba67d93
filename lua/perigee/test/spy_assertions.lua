-- assert.spy: what is expected of the calls of a spy, and what it says when that does not hold.

local show = require "perigee.test.show"
local spy = require "perigee.test.spy"
local words = require "perigee.test.words"

local M = {}

local function shown(list)
  local values = {}
  for i = 1, list.count do
    values[i] = show.value(list[i])
  end
  return "(" .. table.concat(values, ", ") .. ")"
end

local MOST = 30 -- of the calls are shown

local function listed(lists, what, none)
  local lines = {}
  for i = 1, math.min(#lists, MOST) do
    lines[i] = "  " .. shown(lists[i]):gsub("\n", "\n  ")
  end
  if #lists > MOST then
    lines[#lines + 1] = ("  ... (%d more)"):format(#lists - MOST)
  end
  return #lines > 0 and what .. ":\n" .. table.concat(lines, "\n") or none
end

local function calls_of(object)
  return listed(object.calls, "It was called with", "It was not called at all.")
end

local function times(n)
  return n == 1 and "once" or n .. " times"
end

-- Each: function(spy, ...) -> whether it holds, and what the spy is expected to be; `was` says what it was.
local CHECKS = {}

local function define_count(name, words_of_it, holds)
  CHECKS[name] = { was = calls_of, fn = function(object, n)
    return holds(#object.calls, n), ("to be called%s%s"):format(words_of_it, n and " " .. times(n) or "")
  end }
end

define_count("called", "", function(count, n)
  if n then
    return count == n
  end
  return count > 0
end)
define_count("called_at_least", " at least", function(count, n) return count >= n end)
define_count("called_at_most", " at most", function(count, n) return count <= n end)
define_count("called_more_than", " more than", function(count, n) return count > n end)
define_count("called_less_than", " less than", function(count, n) return count < n end)

CHECKS.called_with = { was = calls_of, fn = function(object, ...)
  local wanted = { count = select("#", ...), ... }
  return spy.found(wanted, object.calls), "a call with " .. shown(wanted):sub(2, -2)
end }

CHECKS.returned_with = {
  was = function(object)
    return listed(object.returned, "It returned", "It returned nothing, as it was not called or raised errors.")
  end,
  fn = function(object, ...)
    local wanted = { count = select("#", ...), ... }
    return spy.found(wanted, object.returned), "a call that returns " .. shown(wanted):sub(2, -2)
  end,
}

--- assert.spy(object): was_called(times), was_called_with(...), was_not_called(), with dots or underscores.
---@param fail fun(message: string) raises a failure
function M.asserted(object, fail)
  if not spy.spy.is_spy(object) then
    error("assert.spy takes a spy or a stub, got a " .. type(object), 3)
  end
  return words.sentence {
    name = "assert.spy",
    kind = "assertion",
    known = CHECKS,
    call = function(name, negated, ...)
      local check = CHECKS[name]
      local holds, what = check.fn(object, ...)
      if holds == negated then
        local is_call = what:find("^a call") ~= nil
        local front = is_call and (negated and "Did not expect " or "Expected ")
          or negated and "Expected it not " or "Expected it "
        fail(("%s%s.%s%s"):format(front, what, is_call and "\n" or " ", check.was(object)))
      end
    end,
  }
end

return M
