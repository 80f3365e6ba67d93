-- Writes the code that checks values against types: straight Lua with constant names and bounds, which the JIT compiles
-- into the trace of its route. What fails goes to `fail`, off the hot path. spec.lua puts the pieces together.

local core = require "perigee.core"
local facts = require "perigee.type_facts"
local native = require "perigee.native"

local M = {}

---@class perigee.checks.Writer
local Writer = {}
Writer.__index = Writer

local MOST_UPVALUES = 38 -- constants that are upvalues; LuaJIT allows 60 in all
local MOST_LOCALS = 40   -- members of one object that wait in locals; Lua allows 200 in all
local MOST_ERRORS = 100  -- that one answer lists
local CONVERTED = { integer = true, number = true, boolean = true } -- whose value is no text

--- A writer of one function. `where` is filled by `site`.
function M.writer()
  return setmetatable({ lines = {}, constants = {}, sites = {}, count = 0, depth = 0 }, Writer)
end

function Writer:line(text, ...)
  self.lines[#self.lines + 1] = select("#", ...) > 0 and text:format(...) or text
end

--- A name for a local variable that no other has.
function Writer:variable()
  self.count = self.count + 1
  return "v" .. self.count
end

--- An expression for a value that can't be written down as a literal.
function Writer:constant(value)
  local at = #self.constants + 1
  self.constants[at] = value
  return at <= MOST_UPVALUES and "k" .. at or ("more[%d]"):format(at)
end

function Writer:literal(value)
  if type(value) == "string" then
    return (("%q"):format(value):gsub("\n", "n"):gsub("\r", "\\r"):gsub("%z", "\\0"))
  elseif type(value) == "number" then
    return ("%.17g"):format(value)
  elseif type(value) == "boolean" then
    return tostring(value)
  end
  return self:constant(value)
end

--- A place that an error can be reported of: where it is, its name with a %d for each index, and its type.
---@param place { where: string, name: string, indexes: string[], hidden: boolean? }
function Writer:site(place, record)
  local at = #self.sites + 1
  self.sites[at] = {
    where = place.where,
    name = place.name,
    expected = facts.expected(record),
    hidden = place.hidden or facts.is_secret(record),
  }
  return { number = at, indexes = #place.indexes > 0 and ", " .. table.concat(place.indexes, ", ") or "" }
end

function Writer:fail(site, got)
  self:line("errors = fail(errors, %d, nil, %s%s)", site.number, got, site.indexes)
end

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
local function failer(sites)
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

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, item in pairs(value) do
    made[key] = copy(item)
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

-- The parts of a list that came as text: each value split at its commas, white space around them dropped.
local function split(texts)
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

-- What an object that takes no other members has besides.
local function unknown_member(value, known)
  for name in pairs(value) do
    if not known[name] then
      return name
    end
  end
end

local SOURCE = [[
local more, %s = ...
local find, parse, characters, fstr, fail, null, array_mark, number, values, split, copy, unknown_member, decode,
  handler, other = more.find, more.parse, more.characters, more.fstr, more.fail, more.null, more.array_mark,
  more.number, more.values, more.split, more.copy, more.unknown_member, more.decode, more.handler, more.other
local type, getmetatable, setmetatable, floor, sfind = type, getmetatable, setmetatable, math.floor, string.find
return function(req)
  local task = req[1]
  local request = task.request
  local errors
%s
  return handler(req)
end]]

--- Compiles what was written. `handler` is called with the request at the end; the code may call `other`.
function Writer:compile(chunk_name, handler, other)
  local names = {}
  for at = 1, math.max(1, math.min(#self.constants, MOST_UPVALUES)) do
    names[at] = "k" .. at
  end
  local more = {
    find = native.C.perigee_find, parse = native.C.perigee_parse, characters = native.C.perigee_characters,
    fstr = native.string, fail = failer(self.sites), null = core.null, array_mark = core.array_mark,
    number = native.number, values = core.values, split = split, copy = copy, unknown_member = unknown_member,
    decode = core.decode, handler = handler, other = other,
  }
  for at = MOST_UPVALUES + 1, #self.constants do
    more[at] = self.constants[at]
  end
  local source = SOURCE:format(table.concat(names, ", "), table.concat(self.lines, "\n"))
  return assert(loadstring(source, chunk_name))(more, unpack(self.constants, 1, #names))
end

-- Conditions ----------------------------------------------------------------------------------------------------------

-- What has to hold of a value of the right kind, as an expression; nil when nothing more has.
function Writer:condition(record, v)
  local all = {}
  local function add(text, ...)
    all[#all + 1] = text:format(...)
  end
  if record.min then
    add("%s >= %s", v, self:literal(record.min))
  end
  if record.max then
    add("%s <= %s", v, self:literal(record.max))
  end
  -- A character is 1 to 4 bytes: most texts need no counting.
  if record.least == 1 then
    add("#%s >= 1", v)
  elseif record.least and record.least > 1 then
    add("(#%s >= %d or characters(%s, #%s) >= %d)", v, record.least * 4, v, v, record.least)
  end
  if record.most then
    add("(#%s <= %d or characters(%s, #%s) <= %d)", v, record.most, v, v, record.most)
  end
  if record.pattern then
    add("sfind(%s, %s)", v, (self:literal(record.pattern)))
  end
  return all[1] and table.concat(all, " and ")
end

-- Sets `target` to `v` where it is all that its type wants.
function Writer:take(record, v, target, site, got)
  local condition = self:condition(record, v)
  if condition then
    self:line("if %s then %s = %s else", condition, target, v)
    self:fail(site, got or v)
    self:line("end")
  else
    self:line("%s = %s", target, v)
  end
end

function Writer:absent(record, target, site)
  if record.default ~= nil then
    local default = record.default
    if type(default) == "table" then
      self:line("%s = copy(%s)", target, self:constant(default))
    else
      self:line("%s = %s", target, (self:literal(default)))
    end
  elseif not record.optional then
    self:fail(site, "nil")
  end
end

-- Texts ---------------------------------------------------------------------------------------------------------------

-- The value that each text of an enum stands for.
local function by_text(values)
  local map = {}
  for _, value in ipairs(values) do
    map[type(value) == "number" and ("%.14g"):format(value) or tostring(value)] = value
  end
  return map
end

function Writer:call(record, v, target, site)
  local value, expected = self:variable(), self:variable()
  self:line("local %s, %s = %s(%s)", value, expected, self:constant(record.fn), v)
  self:line("if %s ~= nil then %s = %s else errors = fail(errors, %d, %s, %s%s) end", value, target, value, site.number,
    expected, v, site.indexes)
end

--- Sets `target` to what the text in the variable `v` stands for.
function Writer:text(record, v, target, site)
  local kind = record.kind
  if kind == "function" then
    self:call(record, v, target, site)
  elseif kind == "enum" then
    local value = self:variable()
    self:line("local %s = %s[%s]", value, self:constant(by_text(record.values)), v)
    self:line("if %s ~= nil then %s = %s else", value, target, value)
    self:fail(site, v)
    self:line("end")
  elseif kind == "json" then
    local value, err = self:variable(), self:variable()
    self:line("local %s, %s = decode(%s)", value, err, v)
    self:line("if %s == nil then %s = %s else", err, target, value)
    self:fail(site, v)
    self:line("end")
  else
    self:line("if parse(%d, %s, #%s, number) ~= 0 then", facts.path[kind][1], v, v)
    if CONVERTED[kind] then
      local value = self:variable()
      self:line("local %s = number[0]%s", value, kind == "boolean" and " ~= 0" or "")
      self:take(record, value, target, site, v)
    else
      self:take(record, v, target, site)
    end
    self:line("else")
    self:fail(site, v)
    self:line("end")
  end
end

-- Sets `target` to the list of what the texts in the variable `texts` stand for.
function Writer:text_list(record, texts, target, place, site)
  local parts, list, i, x, y = self:variable(), self:variable(), self:variable(), self:variable(), self:variable()
  self:line("local %s, %s = split(%s), {}", parts, list, texts)
  self:line("if #%s >= %d and #%s <= %.17g then", parts, record.least or 0, parts, record.most or 2 ^ 53)
  self:line("for %s = 1, #%s do local %s, %s = %s[%s]", i, parts, x, y, parts, i)
  local item = self:site({ where = place.where, name = place.name .. "[%d]", indexes = { i .. " - 1" },
    hidden = place.hidden or facts.is_secret(record) }, record.item)
  self:text(record.item, x, y, item)
  self:line("%s[%s] = %s end", list, i, y)
  self:line("%s = setmetatable(%s, array_mark)", target, list)
  self:line("else")
  self:fail(site, ("%s[1]"):format(texts))
  self:line("end")
end

--- Sets `target` to the value called `name` of a query, the headers or the cookies (`source`: see typed_values.h).
function Writer:find(record, source, name, target, place)
  local site = self:site(place, record)
  local kind = record.kind
  if kind == "list" then
    local texts = self:variable()
    self:line("local %s = values(task, %d, %s)", texts, source, (self:literal(name)))
    self:line("if %s == nil then", texts)
    self:absent(record, target, site)
    self:line("else")
    self:text_list(record, texts, target, place, site)
    self:line("end")
    return
  end
  local plain = facts.path[kind] and kind ~= "json"
  local verdict, v = self:variable(), self:variable()
  self:line("local %s = find(task, %d, %s, %d, %d)", verdict, source, (self:literal(name)), #name,
    plain and facts.path[kind][1] or 0)
  self:line("if %s == 1 then", verdict)
  if CONVERTED[kind] then
    self:line("local %s = request.number%s", v, kind == "boolean" and " ~= 0" or "")
    self:take(record, v, target, site, "fstr(request.found.data, request.found.size)")
  else
    self:line("local %s = fstr(request.found.data, request.found.size)", v)
    if plain then
      self:take(record, v, target, site)
    else
      self:text(record, v, target, site)
    end
  end
  self:line("elseif %s == 0 then", verdict)
  self:absent(record, target, site)
  self:line("else")
  self:fail(site, "fstr(request.found.data, request.found.size)")
  self:line("end")
end

-- JSON ----------------------------------------------------------------------------------------------------------------

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

return M
