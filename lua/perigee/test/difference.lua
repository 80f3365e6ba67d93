-- Values as people read them, and how two of them differ.

local matcher = require "perigee.test.matcher"

local M = {}

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }
local LARGEST = 400 -- lines that are compared one by one
local CONTEXT = 3 -- lines that are shown around a difference in more than that
local MOST_LINES = 100 -- of what is shown for a value alone, or of what one has and the other has not
local MOST_BYTES = 1000 -- of a line
local AROUND = 100 -- bytes before and behind the first that differs of long strings
local DEEPEST = 60 -- tables inside one another

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(byte)
    return ESCAPES[byte] or ("\\%03d"):format(byte:byte())
  end) .. '"'
end

-- A line that is not too long to read.
local function line_of(text)
  if #text <= MOST_BYTES then
    return text
  end
  return ("%s... (%d bytes in all)"):format(text:sub(1, MOST_BYTES), #text)
end

local function scalar(value)
  if type(value) == "string" then
    return quoted(value)
  elseif type(value) == "number" and value % 1 == 0 and math.abs(value) < 2 ^ 53 then
    return ("%d"):format(value)
  elseif type(value) == "number" then
    local short = ("%.14g"):format(value)
    return tonumber(short) == value and short or ("%.17g"):format(value)
  end
  return tostring(value)
end

local RANK = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local kind, other = RANK[type(a)] or 4, RANK[type(b)] or 4
  if kind ~= other then
    return kind < other
  elseif kind <= 2 then
    return a < b
  end
  return tostring(a) < tostring(b)
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys, before)
  return keys
end

local function append(lines, value, indent, prefix, open)
  local deep = #indent >= 2 * DEEPEST
  if type(value) ~= "table" or matcher.is(value) or open[value] or next(value) == nil or deep then
    local text = (type(value) ~= "table" or matcher.is(value)) and scalar(value)
      or open[value] and "(itself, from above)" or next(value) == nil and "{}" or "{ ... }"
    lines[#lines + 1] = indent .. prefix .. text
    return
  end
  open[value] = true
  lines[#lines + 1] = indent .. prefix .. "{"
  for _, key in ipairs(sorted_keys(value)) do
    local name = type(key) == "string" and key:match("^[%a_][%w_]*$") or "[" .. scalar(key) .. "]"
    append(lines, value[key], indent .. "  ", name .. " = ", open)
  end
  lines[#lines + 1] = indent .. "}"
  open[value] = nil
end

local function lines_of(value)
  local lines = {}
  append(lines, value, "", "", {})
  return lines
end

-- The lines from `first` to `last` with something in front of each; of many only so many.
local function some_lines(out, lines, first, last, front)
  local stop = math.min(last, first + MOST_LINES - 1)
  for i = first, stop do
    out[#out + 1] = front .. line_of(lines[i])
  end
  if stop < last then
    out[#out + 1] = ("%s... (%d more lines)"):format(front, last - stop)
  end
end

local function split(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

--- A text of many lines, or of long ones, cut to what a person reads.
---@return string
function M.shortened(text)
  if #text <= MOST_BYTES then
    return text
  end
  local out, lines = {}, split(text)
  some_lines(out, lines, 1, #lines, "")
  return table.concat(out, "\n")
end

--- A value as text, tables over several lines with their keys in order.
---@return string
function M.show(value)
  local out, lines = {}, lines_of(value)
  some_lines(out, lines, 1, #lines, "")
  return table.concat(out, "\n")
end

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
  local seen = {}
  for _, value in pairs(list) do
    for _, other in ipairs(seen) do
      if M.same(value, other) then
        return true, value
      end
    end
    seen[#seen + 1] = value
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
      out[#out + 1] = "    " .. line_of(a[i])
      i, j = i + 1, j + 1
    elseif j > #b or i <= #a and lengths[i + 1][j] >= lengths[i][j + 1] then
      out[#out + 1] = "  - " .. line_of(a[i])
      i = i + 1
    else
      out[#out + 1] = "  + " .. line_of(b[j])
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
    out[#out + 1] = "    " .. line_of(lines[i])
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
    some_lines(out, mine, 1, #mine, "  - ")
    some_lines(out, yours, 1, #yours, "  + ")
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
  return ("Expected:\n%s\nGot:\n%s"):format(indented(M.show(expected)), indented(M.show(got)))
end

-- A string's bytes from `from` on, as many as are read, and whether that is all there is.
local function window(text, from)
  local last = from + 2 * AROUND
  local quotes = quoted(text:sub(from, last))
  return (from > 1 and "..." or "") .. quotes .. (last < #text and ("... (%d bytes in all)"):format(#text) or "")
end

-- Two strings of a line each, with a mark below the first byte that differs; of long ones what is around it.
local function string_difference(expected, got)
  local at = 1
  while at <= #expected and expected:byte(at) == got:byte(at) do
    at = at + 1
  end
  local from = #expected + #got > MOST_BYTES and math.max(at - AROUND, 1) or 1
  local column = #quoted(expected:sub(from, at - 1)) + (from > 1 and 3 or 0)
  local shown_expected, shown_got = M.show(expected), M.show(got)
  if #expected + #got > MOST_BYTES then
    shown_expected, shown_got = window(expected, from), window(got, from)
  end
  return ("Expected:\n  %s\nGot:\n  %s\n%s^ differs from byte %d on"):format(shown_expected, shown_got,
    (" "):rep(column + 1), at)
end

--- How two values differ, for a person.
---@return string
function M.difference(expected, got)
  if type(expected) == "string" and type(got) == "string" then
    if not expected:find("\n", 1, true) and not got:find("\n", 1, true) then
      return string_difference(expected, got)
    end
    local a, b = split(expected), split(got)
    return "Difference (- expected, + got):\n" .. line_difference(a, b)
  elseif type(expected) == "table" and type(got) == "table" then
    local a, b = lines_of(expected), lines_of(got)
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
