-- perigee.types: what values of a request must be. A type is an immutable value; a modifier returns another one.

local core = require "perigee.core"
local facts = require "perigee.type_facts"
local nearest = require "perigee.nearest"

local M = {}

---@class perigee.Type
local Type = facts.methods

-- Which modifiers a kind of type takes beside those that all take.
local TAKES = {
  string = { length = true, match = true },
  keyword = { length = true, match = true },
  slug = { length = true, match = true },
  integer = { min = true, max = true },
  number = { min = true, max = true },
  date = { min = true, max = true },
  list = { length = true },
  object = { strict = true, open = true },
}

local INSTEAD = {
  string = { min = "length", max = "length" },
  list = { min = "length", max = "length" },
}

-- A copy of the type with `changes`, which raises at the program's line where they make no sense. The modifiers call
-- this last, so that their caller stands right above it: `level` is 2.
local function derived(self, modifier, changes, level)
  local made = facts.of(self)
  if not made then
    error(("':%s' is called with a colon on a type"):format(modifier), level)
  end
  local copy = {}
  for key, value in pairs(made) do
    copy[key] = value
  end
  for key, value in pairs(changes) do
    copy[key] = value
  end
  if copy.min and copy.max and copy.min > copy.max then
    error(("no %s is at least %s and at most %s"):format(facts.name(copy), copy.min, copy.max), level)
  end
  if copy.default ~= nil and not facts.accepts(copy, copy.default) then
    error(("the default %s is not of its own type, %s"):format(tostring(copy.default), facts.expected(copy)), level)
  end
  return facts.new(copy)
end

local function check_takes(self, modifier)
  local made = facts.of(self)
  if made and not (TAKES[made.kind] and TAKES[made.kind][modifier]) then
    local instead = INSTEAD[made.kind] and INSTEAD[made.kind][modifier]
    error(("':%s' makes no sense on the type %s%s"):format(modifier, facts.name(made),
      instead and (": use ':%s'"):format(instead) or ""), 3)
  end
end

local function bound(self, modifier, value)
  check_takes(self, modifier)
  local kind = facts.of(self) and facts.of(self).kind
  if kind == "date" then
    if type(value) ~= "string" or not facts.parses("date", value) then
      error(("':%s' of a date takes a date as YYYY-MM-DD"):format(modifier), 2)
    end
  elseif type(value) ~= "number" or value ~= value or kind == "integer" and value % 1 ~= 0 then
    error(("':%s' of %s %s takes %s"):format(modifier, kind == "integer" and "an" or "a", tostring(kind),
      kind == "integer" and "an integer" or "a number"), 2)
  end
  return derived(self, modifier, { [modifier] = value }, 2)
end

--- May be absent: then the field is nil.
---@return perigee.Type
function Type:optional()
  return derived(self, "optional", { optional = true }, 2)
end

--- What an absent value is taken for. Tables are copied for each request.
---@return perigee.Type
function Type:default(value)
  if value == nil then
    error("':default' takes a value; for none there is ':optional'", 2)
  end
  return derived(self, "default", { default = value }, 2)
end

--- The least number, or the earliest date.
---@return perigee.Type
function Type:min(value)
  return bound(self, "min", value)
end

--- The greatest number, or the latest date.
---@return perigee.Type
function Type:max(value)
  return bound(self, "max", value)
end

local function is_count(value)
  return type(value) == "number" and value >= 0 and value % 1 == 0
end

--- How many characters a text has, or items a list.
---@param least? integer default 0
---@param most? integer default: as many as may come
---@return perigee.Type
function Type:length(least, most)
  check_takes(self, "length")
  if not is_count(least or 0) or not is_count(most or 0) or (least or 0) > (most or 2 ^ 53) then
    error("':length' takes two counts, the least and the most; either may be nil", 2)
  end
  return derived(self, "length", { least = least or 0, most = most }, 2)
end

--- What a Lua pattern finds something in; anchor it with ^ and $ to have it match the whole text.
---@param pattern string
---@return perigee.Type
function Type:match(pattern)
  check_takes(self, "match")
  local mistake = type(pattern) ~= "string" and "this is a " .. type(pattern) or core.pattern_mistake(pattern)
  if mistake then
    error("':match' takes a Lua pattern: " .. mistake, 2)
  end
  return derived(self, "match", { pattern = pattern }, 2)
end

--- In a body: JSON's null is taken, as perigee.null. Without it null counts as absent.
---@return perigee.Type
function Type:nullable()
  return derived(self, "nullable", { nullable = true }, 2)
end

--- Errors never show the value that was sent.
---@return perigee.Type
function Type:secret()
  return derived(self, "secret", { secret = true }, 2)
end

--- An object: what it does not name is refused.
---@return perigee.Type
function Type:strict()
  check_takes(self, "strict")
  return derived(self, "strict", { unknown = "refuse" }, 2)
end

--- An object: what it does not name is kept as it came.
---@return perigee.Type
function Type:open()
  check_takes(self, "open")
  return derived(self, "open", { unknown = "keep" }, 2)
end

for name, type in pairs(facts.base) do
  M[name] = type
end

--- Values of one type in a row: a JSON array; in a query the name repeated, or values joined by commas.
---@param item perigee.Type|string|fun(text: string): any, string?
---@return perigee.Type
function M.list(item)
  return facts.new { kind = "list", item = facts.read(item, 2) }
end

--- One of the given strings, numbers or booleans.
---@param values (string|number|boolean)[]
---@return perigee.Type
function M.enum(values)
  if type(values) ~= "table" or values[1] == nil then
    error("perigee.types.enum takes a list of values", 2)
  end
  local list = {}
  for i, value in ipairs(values) do
    if type(value) ~= "string" and type(value) ~= "number" and type(value) ~= "boolean" then
      error("a value of perigee.types.enum is a string, a number or a boolean, got a " .. type(value), 2)
    end
    list[i] = value
  end
  return facts.new { kind = "enum", values = list }
end

--- A JSON object with these members; others are dropped, unless `:strict()` or `:open()`.
---@param members table<string, perigee.Type|string|function>
---@return perigee.Type
function M.object(members)
  if type(members) ~= "table" or facts.of(members) then
    error("perigee.types.object takes a table of types by name", 2)
  end
  return facts.new { kind = "object", fields = facts.fields_of(members, 2), unknown = "drop" }
end

--- A text in which the Lua pattern finds something: `perigee.types.string:match(pattern)`.
---@param pattern string
---@return perigee.Type
function M.match(pattern)
  local ok, type = pcall(Type.match, M.string, pattern)
  if not ok then
    error((type:gsub("^[^ ]*: ", "")), 2)
  end
  return type
end

-- `perigee.types(what, expected)`: the type that a program calls by that name, or a function as a type, so that both
-- can take modifiers.
local function call(_, what, expected)
  local made = facts.read(what, 2)
  if expected ~= nil and (made.kind ~= "function" or type(expected) ~= "string") then
    error("what a function expects is said by a string", 2)
  end
  local copy = {}
  for key, value in pairs(made) do
    copy[key] = value
  end
  copy.expected = expected or copy.expected
  return facts.new(copy)
end

local function unknown(_, name)
  error(("perigee.types has no '%s'%s; the app's own types are named by strings"):format(tostring(name),
    nearest.hint(name, M)), 2)
end

return setmetatable(M, { __call = call, __index = unknown })
