-- Values as a developer reads them: cut at a bound, without running any code of theirs, and never a secret.

local core = require "perigee.core"
local request = require "perigee.request"

local M = {}

local CUT = 160 -- bytes of a string
local CUT_WHOLE = 500 -- bytes of all
local ITEMS = 6 -- of a table
local LOOKED_AT = 100 -- keys of a table, to have the first of them in order
local DEPTH = 2

M.HIDDEN = "(hidden)"

local SECRETS = { "passw", "passphrase", "token", "secret", "authorization", "cookie", "credential", "api_?%-?key",
  "private_?%-?key", "session" }

local hidden = {} -- names, in lower case

--- Hides what has that name from here on.
---@param name string
function M.hide(name)
  hidden[name:lower()] = true
end

--- Whether what has that name is not to be shown.
---@param name any
function M.is_secret(name)
  if type(name) ~= "string" then
    return false
  end
  local lower = name:lower()
  if hidden[lower] then
    return true
  end
  for _, pattern in ipairs(SECRETS) do
    if lower:find(pattern) then
      return true
    end
  end
  return false
end

--- The text, as UTF-8 whatever it was.
---@param text string
---@return string
function M.utf8(text)
  if pcall(core.encode, text) then
    return text
  end
  return (text:gsub("[\128-\255]", "?"))
end

local function show_string(text)
  local cut = text
  if #text > CUT then
    cut = text:sub(1, CUT):gsub("[\192-\255][\128-\191]*$", "")
  end
  local quoted = ("%q"):format(cut):gsub("\\\n", "\\n")
  return M.utf8(quoted) .. (#text > CUT and (" ... (%d bytes)"):format(#text) or "")
end

local function name_of(value)
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and name or nil
end

local function by_name(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
    return a < b
  end
  return type(a) < type(b)
end

local show -- below, as tables hold values

local function show_key(key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then
    return key
  end
  return "[" .. show(key, DEPTH) .. "]"
end

local function show_table(value, depth)
  local keys, more = {}, false
  for key in next, value do
    if #keys == LOOKED_AT then
      more = true
      break
    end
    keys[#keys + 1] = key
  end
  if #keys == 0 then
    return "{}"
  elseif depth >= DEPTH then
    return "{...}"
  end
  table.sort(keys, by_name)
  local parts = {}
  for i = 1, math.min(#keys, ITEMS) do
    local key = keys[i]
    local shown = M.is_secret(key) and M.HIDDEN or show(rawget(value, key), depth + 1)
    parts[i] = key == i and shown or show_key(key) .. " = " .. shown
  end
  if more or #keys > ITEMS then
    parts[#parts + 1] = "..."
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function show_function(value)
  local info = debug.getinfo(value, "S")
  return info.what == "C" and "function" or ("function %s:%d"):format(info.source:gsub("^[@=]", ""), info.linedefined)
end

function show(value, depth)
  local kind = type(value)
  if kind == "string" then
    return show_string(value)
  elseif kind == "table" and debug.getmetatable(value) == request.Request then
    return "the request"
  elseif kind == "table" then
    return name_of(value) or show_table(value, depth)
  elseif kind == "function" then
    return show_function(value)
  elseif value == core.null then
    return "perigee.null"
  elseif kind == "number" or kind == "boolean" or kind == "nil" then
    return tostring(value)
  end
  return name_of(value) or kind
end

--- One line that shows a value.
---@param name any what it is called, for secrets
---@param value any
---@return string
function M.show(name, value)
  if M.is_secret(name) then
    return M.HIDDEN
  end
  local text = show(value, 0)
  if #text > CUT_WHOLE then
    text = text:sub(1, CUT_WHOLE):gsub("[\192-\255][\128-\191]*$", "") .. " ..."
  end
  return text
end

return M
