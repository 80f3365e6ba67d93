-- Values as people read them, and how two of them differ.

local M = {}

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }
local LARGEST = 400 -- lines that are compared one by one

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(byte)
    return ESCAPES[byte] or ("\\%03d"):format(byte:byte())
  end) .. '"'
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
  if type(value) ~= "table" or open[value] or next(value) == nil then
    local text = type(value) ~= "table" and scalar(value) or open[value] and "(itself, from above)" or "{}"
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

--- A value as text, tables over several lines with their keys in order.
---@return string
function M.show(value)
  return table.concat(lines_of(value), "\n")
end

local function same(a, b, seen)
  if rawequal(a, b) then
    return true
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

--- Whether two values are the same, tables by what they hold.
function M.same(a, b)
  return same(a, b, {})
end

local function split(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
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

-- The lines of both, those of `a` alone with a minus, those of `b` alone with a plus.
local function line_difference(a, b)
  local lengths, out, i, j = common(a, b), {}, 1, 1
  while i <= #a or j <= #b do
    if i <= #a and j <= #b and a[i] == b[j] then
      out[#out + 1] = "    " .. a[i]
      i, j = i + 1, j + 1
    elseif j > #b or i <= #a and lengths[i + 1][j] >= lengths[i][j + 1] then
      out[#out + 1] = "  - " .. a[i]
      i = i + 1
    else
      out[#out + 1] = "  + " .. b[j]
      j = j + 1
    end
  end
  return table.concat(out, "\n")
end

local function indented(text)
  return "  " .. text:gsub("\n", "\n  ")
end

local function both(expected, got)
  return ("Expected:\n%s\nGot:\n%s"):format(indented(M.show(expected)), indented(M.show(got)))
end

-- Two strings of a line each, with a mark below the first byte that differs.
local function string_difference(expected, got)
  local at = 1
  while at <= #expected and expected:byte(at) == got:byte(at) do
    at = at + 1
  end
  local column = #quoted(expected:sub(1, at - 1))
  return both(expected, got) .. ("\n%s^ differs from byte %d on"):format((" "):rep(column + 1), at)
end

--- How two values differ, for a person.
---@return string
function M.difference(expected, got)
  if type(expected) == "string" and type(got) == "string" then
    if not expected:find("\n", 1, true) and not got:find("\n", 1, true) then
      return string_difference(expected, got)
    end
    local a, b = split(expected), split(got)
    if #a <= LARGEST and #b <= LARGEST then
      return "Difference (- expected, + got):\n" .. line_difference(a, b)
    end
  elseif type(expected) == "table" and type(got) == "table" then
    local a, b = lines_of(expected), lines_of(got)
    if #a <= LARGEST and #b <= LARGEST and (#a > 1 or #b > 1) then
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
