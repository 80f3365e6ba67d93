-- Values as people read them.

local formats = require "perigee.test.formats"
local matcher = require "perigee.test.matcher"

local M = {}

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }
local MOST_LINES = 100 -- of what is shown for a value alone, or of what one has and the other has not
local MOST_BYTES = 1000 -- of a line
local MOST_READ = 10000 -- lines: of what comes behind, tables are shown as { ... }

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
  local ok, text = pcall(tostring, value)
  return ok and type(text) == "string" and text or "a " .. type(value) .. " that can't be shown"
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

--- The lines of a text.
---@return string[]
function M.split(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

--- What a formatter of the file's makes of a value; nil where none takes it. Matchers are shown as they are written.
---@return string?
function M.formatted(value)
  return not matcher.is(value) and formats.of(value) or nil
end

-- What is shown of a value on one line; nil for a table of which more is shown.
local function brief(value, deep, open)
  if type(value) ~= "table" or matcher.is(value) then
    return scalar(value)
  end
  return open[value] and "(itself, from above)" or next(value) == nil and "{}" or deep and "{ ... }" or nil
end

-- `open`: the tables that the value is in, and as `levels` how many there may be.
local function append(lines, value, indent, prefix, open)
  local own = M.formatted(value)
  local text = not own and brief(value, #indent >= 2 * open.levels or #lines > MOST_READ, open)
  if own or text then
    for i, line in ipairs(own and M.split(own) or { text }) do
      lines[#lines + 1] = indent .. (i == 1 and prefix or "") .. line
    end
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
---@param all? boolean all levels of its tables, whatever the file asks for
---@return string[]
function M.lines(value, all)
  local lines = {}
  append(lines, value, "", "", { levels = formats.levels(all) })
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
