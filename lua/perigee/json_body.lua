-- The quick way into a JSON body that is an object of plain members, as most are: the engine leaves its members side by
-- side (engine/script/json_object.cc), and the typed object is made out of them in the route's own trace. On anything
-- unusual, also on everything that is wrong, the body is decoded and checked as any other.

local ffi = require "ffi"
local facts = require "perigee.type_facts"
require "perigee.native"

local M = {}

assert(ffi.sizeof("perigee_json_field") == 24 and ffi.sizeof("perigee_json_value") == 32,
  "lua/perigee/native.lua and engine/script/json_object.h disagree")

local MOST_MEMBERS = 40

-- JsonKind in engine/script/json_object.h.
local NULL, FALSE, TRUE, NUMBER, TEXT = 1, 2, 3, 4, 5

local PLAIN = { string = true, integer = true, number = true, boolean = true, uuid = true, date = true, keyword = true,
  slug = true, enum = true }

local kept = {} -- the names that the engine is pointed at

--- Whether bodies of a type can be read in the quick way.
function M.suits(record)
  if record.kind ~= "object" or record.unknown ~= "drop" or #record.fields == 0 or #record.fields > MOST_MEMBERS then
    return false
  end
  for _, field in ipairs(record.fields) do
    if not PLAIN[field.type.kind] then
      return false
    end
  end
  return true
end

local function layout(fields)
  local list = ffi.new("perigee_json_field[?]", #fields + 1) -- the last says which came first the last time
  for i, field in ipairs(fields) do
    kept[#kept + 1] = field.name
    list[i - 1].name.data, list[i - 1].name.size = ffi.cast("const char*", field.name), #field.name
    list[i - 1].type = facts.path[field.type.kind] and facts.path[field.type.kind][1] or 0
  end
  return list
end

-- The head of an `if` that takes the member `v` of its kind, with the value's expression.
local function taken(record, v)
  local kind = record.kind
  if kind == "integer" or kind == "number" then
    local head = ("%s.kind == %d"):format(v, NUMBER)
    if kind == "integer" then
      local whole = " and v == floor(v) and v >= -9007199254740992 and v <= 9007199254740992"
      head = head .. whole:gsub("v", v .. ".number")
    end
    return head, v .. ".number"
  elseif kind == "boolean" then
    return ("(%s.kind == %d or %s.kind == %d)"):format(v, TRUE, v, FALSE), ("%s.kind == %d"):format(v, TRUE)
  end
  return ("%s.kind == %d"):format(v, TEXT), ("fstr(%s.text.data, %s.text.size)"):format(v, v)
end

local TEXTS = { string = true, uuid = true, keyword = true, slug = true }

-- Checks a text that nobody reads where it lies: no string is made of it.
local function write_unread(writer, record, v)
  local head = taken(record, v)
  local condition = writer:condition(record, "S")
  if condition then
    condition = condition:gsub("characters%(S, #S%)", ("characters(%s.text.data, %s.text.size)"):format(v, v))
      :gsub("#S", v .. ".text.size")
  end
  local absent = (record.optional or record.default ~= nil) and (" and %s.kind > %d"):format(v, NULL)
    or record.nullable and (" and %s.kind ~= %d"):format(v, NULL) or ""
  writer:line("if not (%s%s)%s then goto unusual end", head, condition and " and " .. condition or "", absent)
end

local function write_member(writer, record, v, target)
  local head, expression = taken(record, v)
  local value = writer:variable()
  writer:line("if %s then", head)
  writer:line("local %s = %s", value, expression)
  local condition = writer:condition(record, value)
  if record.kind == "enum" then
    local set = {}
    for _, item in ipairs(record.values) do
      set[item] = type(item) == "string" or nil
    end
    condition = ("%s[%s]"):format(writer:constant(set), value)
  end
  if condition then
    writer:line("if %s then %s = %s else goto unusual end", condition, target, value)
  else
    writer:line("%s = %s", target, value)
  end
  if record.nullable then
    writer:line("elseif %s.kind == %d then %s = null", v, NULL, target)
  end
  if record.optional or record.default ~= nil then
    writer:line("elseif %s.kind <= %d then", v, NULL)
    writer:absent(record, target)
  end
  writer:line("else goto unusual end")
end

--- Writes what sets `body` to the object and `quick` to true, where it is one of the usual.
---@param read? table<string, true> the members that somebody reads; nil: all
function M.write(writer, record, read)
  local fields = record.fields
  local values = ffi.new("perigee_json_value[?]", #fields)
  local members = {}
  local list = writer:constant(values)
  writer:line("local quick = false")
  writer:line("do") -- a `repeat` to break out of would count as a loop of its own, which no trace goes through
  writer:line("if other.json_object(task, %s, %d, %s) == 0 then goto unusual end", writer:constant(layout(fields)),
    #fields, list)
  for i, field in ipairs(fields) do
    local v, y = writer:variable(), writer:variable()
    if read and not read[field.name] and TEXTS[field.type.kind] and not field.type.pattern then
      writer:line("do local %s = %s[%d]", v, list, i - 1)
      write_unread(writer, field.type, v)
    else
      members[#members + 1] = ("[%s] = %s"):format(writer:literal(field.name), y)
      writer:line("local %s do local %s = %s[%d]", y, v, list, i - 1)
      write_member(writer, field.type, v, y)
    end
    writer:line("end")
  end
  writer:line("body = { %s }", table.concat(members, ", "))
  writer:line("quick = true")
  writer:line("end ::unusual::")
end

return M
