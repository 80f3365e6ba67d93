-- What a route's spec says of its requests: read and checked while the app is loaded, and listed. spec_code.lua makes
-- functions of it.

local facts = require "perigee.type_facts"

local M = {}

M.KEYS = { "params", "query", "headers", "cookies", "form", "body" }

-- Reading -------------------------------------------------------------------------------------------------------------

--- Reads the types that a spec has under one of KEYS into `read`. Raises at the caller, `level` above.
function M.read(read, key, given, level)
  local ok, result
  if key == "body" then
    ok, result = pcall(facts.read, given, 0)
  elseif type(given) ~= "table" or facts.of(given) then
    error(("'%s' in a route's spec is a table of types by name"):format(key), level + 1)
  else
    ok, result = pcall(facts.fields_of, given, 0)
  end
  if not ok then
    error(("in '%s': %s"):format(key, result), level + 1)
  end
  read[key] = result
  if read.body and read.form then
    error("a route's spec has either 'form' or 'body'", level + 1)
  end
end

-- Mistakes that are found once the whole app is known: raised as tables of one string.
local function wrong(route, text, ...)
  error({ route.place .. ": " .. text:format(...) })
end

local function resolved(route, own, key, fields)
  local ok, result = pcall(key == "body" and facts.resolve or facts.resolve_fields, fields, own)
  if ok then
    return result
  end
  wrong(route, "in '%s': %s", key, type(result) == "table" and result[1] or result)
end

-- A text can stand for anything but an object; a list's items are told apart by commas.
local function check_text(route, key, field)
  local record = field.type
  local item = record.kind == "list" and record.item or record
  if item.kind == "object" or item.kind == "list" or record.kind == "list" and item.kind == "json" then
    wrong(route, "'%s' in '%s' can't be of the type %s: it comes as text; perigee.types.json reads a JSON text",
      field.name, key, facts.name(record))
  end
end

local function check_items(route, record)
  if record.kind == "list" then
    if record.item.optional or record.item.default ~= nil then
      wrong(route, "a list's items can't be optional or have a default")
    end
    check_items(route, record.item)
  end
  for _, field in ipairs(record.fields or {}) do
    check_items(route, field.type)
  end
end

local function check_fields(route, key, fields)
  local seen = {}
  for _, field in ipairs(fields) do
    if key == "headers" then
      field.name = field.name:lower()
      if seen[field.name] then
        wrong(route, "'headers' names '%s' twice", field.name)
      end
      seen[field.name] = true
    end
    check_text(route, key, field)
    check_items(route, field.type)
  end
  table.sort(fields, function(a, b) return a.name < b.name end)
end

-- Parameters ----------------------------------------------------------------------------------------------------------

-- The path's parameters in order, as { name, kind }, as http::Pattern reads them.
local function parameters(pattern)
  local list = {}
  for inside in pattern:gmatch("{([^}]*)}") do
    local name, kind, rest = inside:match("^([%w_]+):?([%w_]*)(%*?)$")
    if name then
      list[#list + 1] = { name = name, kind = kind ~= "" and kind or "string", rest = rest ~= "" }
    end
  end
  return list
end

local function conflict(route, parameter, record)
  wrong(route, "the parameter '%s' is of the type %s in the pattern '%s' at %s and of the type %s in 'params'%s",
    parameter.name, parameter.kind, route.pattern, route.place, facts.name(record),
    " at " .. (record.place or route.place))
end

-- What is to be checked of a path beyond what the router checked: a list of { name, type, typed }, where `typed` says
-- that the value is there in its type already.
local function refinements(route, own, fields)
  local wanted, list = {}, {}
  for _, field in ipairs(fields or {}) do
    wanted[field.name] = field.type
  end
  for _, parameter in ipairs(parameters(route.pattern)) do
    local record = wanted[parameter.name]
    wanted[parameter.name] = nil
    if record then
      local kind = record.named or record.kind
      if record.optional or record.default ~= nil then
        wrong(route, "the path's parameter '%s' is always there: it is neither optional nor has a default",
          parameter.name)
      elseif parameter.kind ~= "string" and kind ~= parameter.kind then
        conflict(route, parameter, record)
      end
    elseif own[parameter.kind] or parameter.kind == "json" then
      record = facts.resolve({ kind = own[parameter.kind] and "named" or "json", name = parameter.kind }, own)
    end
    if record then
      list[#list + 1] = { name = parameter.name, type = record,
        typed = parameter.kind ~= "string" and facts.path[parameter.kind] ~= nil and parameter.kind ~= "json" }
    end
  end
  for name in pairs(wanted) do
    wrong(route, "'params' names '%s', which the pattern '%s' does not", name, route.pattern)
  end
  return list
end

-- Loading -------------------------------------------------------------------------------------------------------------

--- Reads what a route says of its requests into `route.plan`: the resolved records by the spec's keys, `params` as a
--- list of what the path's parameters have to be checked for. Raises a table of one string.
---@param own table<string, table> the app's own types
function M.load(route, own)
  local read = route.read or {}
  local plan = { path = parameters(route.pattern) }
  for _, key in ipairs(M.KEYS) do
    if read[key] then
      plan[key] = resolved(route, own, key, read[key])
      if key == "body" then
        check_items(route, plan.body)
      else
        check_fields(route, key, plan[key])
      end
    end
  end
  plan.params = refinements(route, own, plan.params)
  route.plan = plan
end

-- Listing -------------------------------------------------------------------------------------------------------------

--- A type in short: "integer", "string?" where it may be absent, "[slug]=" with a default.
function M.in_short(record)
  local in_short = M.in_short
  local name = facts.name(record)
  if record.kind == "object" then
    local members = {}
    for i, field in ipairs(record.fields) do
      members[i] = field.name .. ":" .. in_short(field.type)
    end
    name = "{" .. table.concat(members, " ") .. "}"
  elseif record.kind == "list" then
    name = "[" .. in_short(record.item) .. "]"
  end
  return name .. (record.default ~= nil and "=" or record.optional and "?" or "")
end

--- A route's types in short, as `perigee routes` prints them: "query{page:integer=} body{name:string}".
---@return string
function M.summary(route)
  local parts = {}
  for _, key in ipairs(M.KEYS) do
    local given = route.plan[key]
    if key == "body" and given then
      parts[#parts + 1] = "body" .. (given.kind == "object" and "" or ":") .. M.in_short(given)
    elseif given and given[1] then
      parts[#parts + 1] = key .. M.in_short({ kind = "object", fields = given })
    end
  end
  return table.concat(parts, " ")
end

return M
