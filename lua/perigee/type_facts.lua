-- What types are made of: the plain records behind the values of perigee.types, and what holds of them. Read by
-- types.lua, the checks and openapi.lua.
--
-- A record has `kind` (a path type's name, list, enum, object, function or named) and, as far as they were given: name,
-- fn, expected, item, fields, values, unknown, min, max, least, most, pattern, optional, default, nullable, secret, and
-- the `place` in the program that made it.

local core = require "perigee.core"
local native = require "perigee.native"

local C = native.C

local M = {
  methods = {},               -- of every type
  base = {},                  -- the types that paths know, by name
  path = core.path_types(),   -- name -> { number, what it expects }
}

local records = setmetatable({}, { __mode = "k" }) -- type -> record
local mark = { __name = "perigee.Type", __index = M.methods }

function mark.__newindex()
  error("a type can't be changed: its methods return a new one", 2)
end

function mark.__tostring(type)
  return "perigee.Type: " .. M.name(records[type])
end

-- Where the program's own code called us, as "types.lua:12".
local function place()
  for level = 3, 12 do
    local info = debug.getinfo(level, "Sl")
    if not info then
      return nil
    elseif info.currentline > 0 and not info.source:find("@lua/perigee/", 1, true) then
      return (info.source:gsub("^@", "")) .. ":" .. info.currentline
    end
  end
end

--- A type of that record.
function M.new(record)
  record.place = place()
  local type = setmetatable({}, mark)
  records[type] = record
  return type
end

for name in pairs(M.path) do
  M.base[name] = M.new { kind = name }
  records[M.base[name]].place = nil
end

--- The record of a type; nil when `value` is none.
function M.of(value)
  return records[value]
end

--- What a type is called in messages and listings.
function M.name(record)
  if record.kind == "list" then
    return "list of " .. M.name(record.item)
  end
  return record.name or record.kind
end

-- Raises at the line of the `level`-th caller; 0 names no line.
local function refuse(level, text, ...)
  error(text:format(...), level > 0 and level + 2 or 0)
end

--- The record of a type as a program may write it: a type, the name of one, or a function.
function M.read(value, level)
  if value ~= nil and records[value] then
    return records[value]
  elseif type(value) == "string" and value ~= "" then
    return M.base[value] and records[M.base[value]] or { kind = "named", name = value, place = place() }
  elseif type(value) == "function" then
    return { kind = "function", fn = value, place = place() }
  end
  refuse(level, "a type is expected, like perigee.types.string, got a %s", type(value))
end

--- The records of a table of types: a list of { name, type }, sorted by name.
function M.fields_of(types, level)
  local fields = {}
  for name, value in pairs(types) do
    if type(name) ~= "string" then
      refuse(level, "names are strings, got the %s %s", type(name), tostring(name))
    end
    local ok, record = pcall(M.read, value, 0)
    if not ok then
      refuse(level, "'%s': %s", name, record)
    end
    fields[#fields + 1] = { name = name, type = record }
  end
  table.sort(fields, function(a, b) return a.name < b.name end)
  return fields
end

--- Whether a text is of a type that paths know.
function M.parses(kind, text)
  return C.perigee_parse(M.path[kind][1], text, #text, native.number) ~= 0
end

local function is_number(value)
  return type(value) == "number" and value == value and math.abs(value) < math.huge
end

local IS = {
  string = function(value) return type(value) == "string" and M.parses("string", value) end,
  integer = function(value) return is_number(value) and value % 1 == 0 and math.abs(value) <= 2 ^ 53 end,
  number = is_number,
  boolean = function(value) return type(value) == "boolean" end,
  json = function() return true end,
}

local function within(record, count)
  return count >= (record.least or 0) and count <= (record.most or math.huge)
end

local function is_list(record, value)
  if type(value) ~= "table" or not within(record, #value) then
    return false
  end
  for _, item in ipairs(value) do
    if not M.accepts(record.item, item) then
      return false
    end
  end
  return true
end

local function is_one_of(values, wanted)
  for _, value in ipairs(values) do
    if value == wanted then
      return true
    end
  end
  return false
end

local function is_scalar(record, value)
  local is = IS[record.kind]
  if is and not is(value) or not is and (type(value) ~= "string" or not M.parses(record.kind, value)) then
    return false
  elseif record.min and value < record.min or record.max and value > record.max then
    return false
  elseif (record.least or record.most) and not within(record, C.perigee_characters(value, #value)) then
    return false
  end
  return not record.pattern or value:find(record.pattern) ~= nil
end

--- Whether a value is of the type, as far as can be told while the app is loaded: an object's members and what the
--- program's own types take are not looked at.
function M.accepts(record, value)
  local kind = record.kind
  if record.nullable and value == core.null then
    return true
  elseif kind == "enum" then
    return is_one_of(record.values, value)
  elseif kind == "list" then
    return is_list(record, value)
  elseif kind == "object" then
    return type(value) == "table"
  end
  return not M.path[kind] or is_scalar(record, value)
end

local function range(least, most, unit)
  if least and most then
    return (least == most and " of %s" or unit == "" and " from %s to %s" or " of %s to %s"):format(least, most) .. unit
  elseif least then
    return (" of at least %s"):format(least) .. unit
  end
  return most and (" of at most %s"):format(most) .. unit or ""
end

local function plain(value)
  return type(value) == "number" and ("%.14g"):format(value) or value
end

local function counted(record, unit)
  local least = record.least ~= 0 and record.least or nil
  return range(least, record.most, (least or record.most) == 1 and (record.most or 1) == 1 and unit or unit .. "s")
end

--- What a type wants, in words for a client.
---@return string
function M.expected(record)
  local kind = record.kind
  if record.expected then
    return record.expected
  elseif kind == "enum" then
    local words = {}
    for i, value in ipairs(record.values) do
      words[i] = tostring(value)
    end
    return #words == 1 and words[1] or "one of " .. table.concat(words, ", ")
  elseif kind == "list" then
    return "a list" .. counted(record, " item")
  elseif kind == "object" then
    return "an object"
  elseif not M.path[kind] then
    return "a value that this route takes"
  end
  local words = kind == "string" and "a string" or M.path[kind][2]
  if record.min or record.max then
    words = words:gsub(" within 2^53", "", 1) .. range(plain(record.min), plain(record.max), "")
  end
  return words .. counted(record, " character") .. (record.pattern and " that matches " .. record.pattern or "")
end

--- Whether a value of the type may hold something secret.
function M.is_secret(record)
  if record.secret then
    return true
  elseif record.kind == "list" then
    return M.is_secret(record.item)
  end
  for _, field in ipairs(record.fields or {}) do
    if M.is_secret(field.type) then
      return true
    end
  end
  return false
end

--- The record with the program's own types, which were named, put in their places. Raises on a name that there is none
--- of, at no place of its own.
---@param own table<string, {fn: function, expected: string?}>
function M.resolve(record, own)
  local copy = {}
  for key, value in pairs(record) do
    copy[key] = value
  end
  if record.kind == "named" then
    local found = own[record.name]
    if not found then
      error({ M.unknown(record.name, own) .. (record.place and " at " .. record.place or "") })
    end
    copy.named, copy.kind, copy.fn, copy.expected = record.name, "function", found.fn,
      record.expected or found.expected
  elseif record.kind == "list" then
    copy.item = M.resolve(record.item, own)
  elseif record.kind == "object" then
    copy.fields = M.resolve_fields(record.fields, own)
  end
  return copy
end

function M.resolve_fields(fields, own)
  local resolved = {}
  for i, field in ipairs(fields) do
    resolved[i] = { name = field.name, type = M.resolve(field.type, own) }
  end
  return resolved
end

--- What is said of a type's name that there is none of.
function M.unknown(name, own)
  local names = {}
  for known in pairs(M.path) do
    names[#names + 1] = known
  end
  for known in pairs(own) do
    names[#names + 1] = known
  end
  table.sort(names)
  return ("unknown type '%s'; the types are %s"):format(name, table.concat(names, ", "))
end

return M
