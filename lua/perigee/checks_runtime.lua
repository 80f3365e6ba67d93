-- What the code calls that checks_writer.lua writes, where it leaves the straight path.

local core = require "perigee.core"

local M = {}

local MOST_ERRORS = 100 -- that one answer lists

local function shown(value)
  if value == nil or value == core.null then
    return core.null
  elseif type(value) == "table" then
    return getmetatable(value) == core.array_mark and "a list" or "an object"
  elseif type(value) == "number" then
    return ("%.14g"):format(value)
  end
  return core.excerpt(tostring(value))
end

--- What generated code calls where a value is not of its type: adds an error to the list, which it makes if need be.
function M.failer(sites)
  return function(errors, number, expected, got, ...)
    errors = errors or {}
    if #errors >= MOST_ERRORS then
      return errors
    end
    local site = sites[number]
    local problem = {
      ["in"] = site.where,
      name = core.excerpt(site.name:format(...)),
      expected = type(expected) == "string" and expected or site.expected,
    }
    if not site.hidden or got == nil then
      problem.got = shown(got)
    end
    errors[#errors + 1] = problem
    return errors
  end
end

--- A table of its own for each request, metatables kept.
function M.copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, item in pairs(value) do
    made[key] = M.copy(item)
  end
  return setmetatable(made, getmetatable(value))
end

local SPACE, TAB = (" \t"):byte(1, 2)

local function is_blank(byte)
  return byte == SPACE or byte == TAB
end

-- A piece of a text without white space around it. A pattern would go over a long run of spaces once for each of them.
local function trimmed(text, first, last)
  while first <= last and is_blank(text:byte(first)) do
    first = first + 1
  end
  while last >= first and is_blank(text:byte(last)) do
    last = last - 1
  end
  return text:sub(first, last)
end

--- The parts of a list that came as text: each value split at its commas, white space around them dropped.
function M.split(texts)
  local parts = {}
  for _, text in ipairs(texts) do
    local first = text ~= "" and 1
    while first do
      local comma = text:find(",", first, true)
      parts[#parts + 1] = trimmed(text, first, (comma or #text + 1) - 1)
      first = comma and comma + 1
    end
  end
  return parts
end

--- What an object that takes no other members has besides.
function M.unknown_member(value, known)
  for name in pairs(value) do
    if not known[name] then
      return name
    end
  end
end

return M
