-- Whether two values are the same, and for people how they differ.

local matcher = require "perigee.test.matcher"
local show = require "perigee.test.show"

local M = {}

local LARGEST = 400 -- lines that are compared one by one
local CONTEXT = 3 -- lines that are shown around a difference in more than that
local LONG = 1000 -- bytes of two strings together of which only a part is shown
local AROUND = 100 -- bytes before and behind the first that differs of long strings

local function same(a, b, seen)
  if rawequal(a, b) then
    return true
  elseif matcher.is(a) then
    return a(b)
  elseif type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  elseif seen[a] == b then
    return true
  end
  seen[a] = b
  for key, value in pairs(a) do
    if not same(value, rawget(b, key), seen) then
      return false
    end
  end
  for key in pairs(b) do
    if rawget(a, key) == nil then
      return false
    end
  end
  return true
end

--- Whether two values are the same, tables by what they hold. In `expected`, matchers stand for what they ask for.
function M.same(expected, got)
  return same(expected, got, {})
end

--- Whether some value is in a list twice, by what it holds, and that value.
---@param list table
---@return boolean twice, any value
function M.twice(list)
  local seen, tables = {}, {}
  for _, value in pairs(list) do
    if seen[value] then
      return true, value
    elseif type(value) == "table" then
      for _, other in ipairs(tables) do
        if M.same(value, other) then
          return true, value
        end
      end
      tables[#tables + 1] = value
    end
    if value == value then
      seen[value] = true
    end
  end
  return false
end

-- Lengths of the longest common subsequences of the rests of two lists, from (i, j) on.
local function common(a, b)
  local lengths = {}
  for i = #a + 1, 1, -1 do
    lengths[i] = {}
    for j = #b + 1, 1, -1 do
      if i > #a or j > #b then
        lengths[i][j] = 0
      elseif a[i] == b[j] then
        lengths[i][j] = lengths[i + 1][j + 1] + 1
      else
        lengths[i][j] = math.max(lengths[i + 1][j], lengths[i][j + 1])
      end
    end
  end
  return lengths
end

-- Adds the lines of both, those of `a` alone with a minus, those of `b` alone with a plus.
local function add_difference(out, a, b)
  local lengths, i, j = common(a, b), 1, 1
  while i <= #a or j <= #b do
    if i <= #a and j <= #b and a[i] == b[j] then
      out[#out + 1] = "    " .. show.line(a[i])
      i, j = i + 1, j + 1
    elseif j > #b or i <= #a and lengths[i + 1][j] >= lengths[i][j + 1] then
      out[#out + 1] = "  - " .. show.line(a[i])
      i = i + 1
    else
      out[#out + 1] = "  + " .. show.line(b[j])
      j = j + 1
    end
  end
end

local function part(lines, first, last)
  local out = {}
  for i = first, last do
    out[#out + 1] = lines[i]
  end
  return out
end

-- How many lines are the same at the beginning of both, and at the end.
local function ends_in_common(a, b)
  local least, first, last = math.min(#a, #b), 0, 0
  while first < least and a[first + 1] == b[first + 1] do
    first = first + 1
  end
  while last < least - first and a[#a - last] == b[#b - last] do
    last = last + 1
  end
  return first, last
end

local function same_lines(out, lines, first, last)
  for i = first, last do
    out[#out + 1] = "    " .. show.line(lines[i])
  end
end

local function skipped(out, count)
  if count > 0 then
    out[#out + 1] = ("    ... (%d lines that are the same)"):format(count)
  end
end

-- Of many lines: where they differ, with a few around.
local function cut_difference(a, b)
  local first, last = ends_in_common(a, b)
  local above, below, out = math.min(first, CONTEXT), math.min(last, CONTEXT), {}
  skipped(out, first - above)
  same_lines(out, a, first - above + 1, first)
  local mine, yours = part(a, first + 1, #a - last), part(b, first + 1, #b - last)
  if #mine <= LARGEST and #yours <= LARGEST then
    add_difference(out, mine, yours)
  else
    show.some_lines(out, mine, 1, #mine, "  - ")
    show.some_lines(out, yours, 1, #yours, "  + ")
  end
  same_lines(out, a, #a - last + 1, #a - last + below)
  skipped(out, last - below)
  return table.concat(out, "\n")
end

local function line_difference(a, b)
  if #a > LARGEST or #b > LARGEST then
    return cut_difference(a, b)
  end
  local out = {}
  add_difference(out, a, b)
  return table.concat(out, "\n")
end

local function indented(text)
  return "  " .. text:gsub("\n", "\n  ")
end

local function both(expected, got)
  return ("Expected:\n%s\nGot:\n%s"):format(indented(show.value(expected)), indented(show.value(got)))
end

-- A string's bytes from `from` on, as many as are read, and whether that is all there is.
local function window(text, from)
  local last = from + 2 * AROUND
  local quotes = show.quoted(text:sub(from, last))
  return (from > 1 and "..." or "") .. quotes .. (last < #text and ("... (%d bytes in all)"):format(#text) or "")
end

-- Where the character begins that byte `at` belongs to, in UTF-8.
local function whole(text, at)
  local first = text:sub(1, at):find("[\194-\244][\128-\191]*$")
  return first and text:find("^[\128-\191]", at) and first or at
end

-- How wide a text is shown: a byte that belongs to no character as "\xff".
local function columns(text)
  local wide = text:gsub("[\194-\244][\128-\191]+", "x")
  return #wide + 3 * select(2, wide:gsub("[\128-\255]", ""))
end

-- Two strings of a line each, with a mark below the first byte that differs; of long ones what is around it.
local function string_difference(expected, got)
  local at = 1
  while at <= #expected and expected:byte(at) == got:byte(at) do
    at = at + 1
  end
  local from = #expected + #got > LONG and math.max(at - AROUND, 1) or 1
  local column = columns(show.quoted(expected:sub(from, whole(expected, at) - 1))) + (from > 1 and 3 or 0)
  local shown_expected, shown_got = show.value(expected), show.value(got)
  if #expected + #got > LONG then
    shown_expected, shown_got = window(expected, from), window(got, from)
  end
  return ("Expected:\n  %s\nGot:\n  %s\n%s^ differs from byte %d on"):format(shown_expected, shown_got,
    (" "):rep(column + 1), at)
end

-- The lines of both values; where they are the same, those of all levels of their tables.
local function lines_of_both(expected, got)
  local a, b = show.lines(expected), show.lines(got)
  if table.concat(a, "\n") == table.concat(b, "\n") then
    return show.lines(expected, true), show.lines(got, true)
  end
  return a, b
end

--- How two values differ, for a person.
---@return string
function M.difference(expected, got)
  local own = show.formatted(expected) or show.formatted(got)
  if not own and type(expected) == "string" and type(got) == "string" then
    if not expected:find("\n", 1, true) and not got:find("\n", 1, true) then
      return string_difference(expected, got)
    end
    return "Difference (- expected, + got):\n" .. line_difference(show.split(expected), show.split(got))
  elseif own or type(expected) == "table" and type(got) == "table" then
    local a, b = lines_of_both(expected, got)
    if #a > 1 or #b > 1 then
      return "Difference (- expected, + got):\n" .. line_difference(a, b)
    end
  end
  local text = both(expected, got)
  if type(expected) ~= type(got) then
    text = text .. ("\n  a %s was expected, not a %s"):format(type(expected), type(got))
  end
  return text
end

return M
