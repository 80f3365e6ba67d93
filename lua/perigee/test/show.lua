-- Values as people read them.

local matcher = require "perigee.test.matcher"

local M = {}

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }
local MOST_LINES = 100 -- of what is shown for a value alone, or of what one has and the other has not
local MOST_BYTES = 1000 -- of a line
local DEEPEST = 60 -- tables inside one another

--- A string as Lua has it written.
---@return string
function M.quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(byte)
    return ESCAPES[byte] or ("\\%03d"):format(byte:byte())
  end) .. '"'
end

--- A line that is not too long to read.
---@return string
function M.line(text)
  if #text <= MOST_BYTES then
    return text
  end
  return ("%s... (%d bytes in all)"):format(text:sub(1, MOST_BYTES), #text)
end

local function scalar(value)
  if type(value) == "string" then
    return M.quoted(value)
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

--- The lines of a value as text.
---@return string[]
function M.lines(value)
  local lines = {}
  append(lines, value, "", "", {})
  return lines
end

--- Adds the lines from `first` to `last` with something in front of each; of many only so many.
---@param out string[]
---@param lines string[]
---@param first integer
---@param last integer
---@param front string
function M.some_lines(out, lines, first, last, front)
  local stop = math.min(last, first + MOST_LINES - 1)
  for i = first, stop do
    out[#out + 1] = front .. M.line(lines[i])
  end
  if stop < last then
    out[#out + 1] = ("%s... (%d more lines)"):format(front, last - stop)
  end
end

--- The lines of a text.
---@return string[]
function M.split(text)
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
  local out, lines = {}, M.split(text)
  M.some_lines(out, lines, 1, #lines, "")
  return table.concat(out, "\n")
end

--- A value as text, tables over several lines with their keys in order.
---@return string
function M.value(value)
  local out, lines = {}, M.lines(value)
  M.some_lines(out, lines, 1, #lines, "")
  return table.concat(out, "\n")
end

return M
