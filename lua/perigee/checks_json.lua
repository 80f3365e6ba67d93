-- Teaches a writer to check what was decoded from JSON.

local facts = require "perigee.type_facts"
local Writer = require "perigee.checks_writer"

local MOST_LOCALS = 40 -- members of one object that wait in locals; Lua allows 200 in all

local JSON_IS = {
  string = 'type(%s) == "string"',
  number = 'type(%s) == "number"',
  integer = 'type(%s) == "number" and %s == floor(%s) and %s >= -9007199254740992 and %s <= 9007199254740992',
  boolean = 'type(%s) == "boolean"',
}

function Writer:json_list(record, v, target, place, site)
  local i, x, y = self:variable(), self:variable(), self:variable()
  self:line("if #%s >= %d and #%s <= %.17g then", v, record.least or 0, v, record.most or 2 ^ 53)
  self:line("for %s = 1, #%s do local %s, %s = %s[%s]", i, v, x, y, v, i)
  local indexes = { unpack(place.indexes) }
  indexes[#indexes + 1] = i .. " - 1"
  self:json(record.item, x, y, { where = place.where, name = place.name .. "[%d]", indexes = indexes,
    hidden = place.hidden or record.secret })
  self:line("%s[%s] = %s end", v, i, y)
  self:line("%s = %s", target, v)
  self:line("else")
  self:fail(site, v)
  self:line("end")
end

local function member(place, record, name)
  local escaped = name:gsub("%%", "%%%%")
  return { where = place.where, name = place.name == "" and escaped or place.name .. "." .. escaped,
    indexes = place.indexes, hidden = place.hidden or record.secret }
end

function Writer:json_object(record, v, target, place)
  local fields, variables = record.fields, {}
  local in_place = record.unknown == "keep" or #fields > MOST_LOCALS or self.depth >= 3
  local result = v
  if in_place and record.unknown ~= "keep" then
    result = self:variable()
    self:line("local %s = {}", result)
  end
  self.depth = self.depth + 1
  for i, field in ipairs(fields) do
    local x, y = self:variable(), self:variable()
    variables[i] = ("[%s] = %s"):format(self:literal(field.name), y)
    if not in_place then
      self:line("local %s", y)
    end
    self:line("do local %s = %s[%s]", x, v, (self:literal(field.name)))
    if in_place then
      self:line("local %s", y)
    end
    self:json(field.type, x, y, member(place, record, field.name))
    if in_place then
      self:line("%s[%s] = %s", result, (self:literal(field.name)), y)
    end
    self:line("end")
  end
  self.depth = self.depth - 1
  if record.unknown == "refuse" then
    local known, extra = {}, self:variable()
    for _, field in ipairs(fields) do
      known[field.name] = true
    end
    local indexes = { unpack(place.indexes) }
    indexes[#indexes + 1] = extra
    local site = self:site({ where = place.where, name = place.name == "" and "%s" or place.name .. ".%s",
      indexes = indexes, hidden = true }, { expected = "no member of this name" })
    self:line("local %s = unknown_member(%s, %s)", extra, v, self:constant(known))
    self:line("if %s ~= nil then", extra)
    self:fail(site, "false")
    self:line("end")
  end
  self:line("%s = %s", target, in_place and result or "{ " .. table.concat(variables, ", ") .. " }")
end

-- The head of an `if` that holds where `v` is of the type's kind, and what it sets `target` to then.
function Writer:json_taken(record, v, target, place, site)
  local kind = record.kind
  if kind == "object" then
    self:line('if type(%s) == "table" and getmetatable(%s) ~= array_mark then', v, v)
    self:json_object(record, v, target, place)
  elseif kind == "list" then
    self:line('if type(%s) == "table" and getmetatable(%s) == array_mark then', v, v)
    self:json_list(record, v, target, place, site)
  elseif kind == "enum" then
    local set = {}
    for _, value in ipairs(record.values) do
      set[value] = true
    end
    self:line("if %s ~= nil and %s[%s] then %s = %s", v, self:constant(set), v, target, v)
  elseif kind == "json" then
    self:line("if %s ~= nil and %s ~= null then %s = %s", v, v, target, v)
  elseif kind == "function" then
    self:line('if type(%s) == "string" then', v)
    self:call(record, v, target, site)
  else
    local is = JSON_IS[kind] and JSON_IS[kind]:gsub("%%s", v)
      or ('type(%s) == "string" and parse(%d, %s, #%s, number) ~= 0'):format(v, facts.path[kind][1], v, v)
    local condition = self:condition(record, v)
    self:line("if %s%s then %s = %s", is, condition and " and " .. condition or "", target, v)
  end
end

--- Sets `target` to the value in the variable `v`, which was decoded from JSON.
function Writer:json(record, v, target, place)
  local site = self:site(place, record)
  self:json_taken(record, v, target, place, site)
  if record.nullable then
    self:line("elseif %s == null then %s = null", v, target)
  end
  self:line("elseif %s == nil or %s == null then", v, v)
  self:absent(record, target, site)
  self:line("else")
  self:fail(site, v)
  self:line("end")
end

return Writer
