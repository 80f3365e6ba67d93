-- Writes a function that checks values: straight Lua with constant names and bounds, which the JIT compiles into the
-- trace of its route. What fails goes to `fail`, off the hot path.

local core = require "perigee.core"
local facts = require "perigee.type_facts"
local native = require "perigee.native"
local runtime = require "perigee.checks_runtime"

---@class perigee.checks.Writer
local Writer = {}
Writer.__index = Writer

local MOST_UPVALUES = 38 -- constants that are upvalues; LuaJIT allows 60 in all

--- A writer of one function.
function Writer.new()
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
    fstr = native.string, fail = runtime.failer(self.sites), null = core.null, array_mark = core.array_mark,
    number = native.number, values = core.values, split = runtime.split, copy = runtime.copy,
    unknown_member = runtime.unknown_member, decode = core.decode, handler = handler, other = other,
  }
  for at = MOST_UPVALUES + 1, #self.constants do
    more[at] = self.constants[at]
  end
  local source = SOURCE:format(table.concat(names, ", "), table.concat(self.lines, "\n"))
  return assert(loadstring(source, chunk_name))(more, unpack(self.constants, 1, #names))
end

-- Conditions ----------------------------------------------------------------------------------------------------------

--- What has to hold of a value of the right kind, as an expression; nil when nothing more has.
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

--- Sets `target` to `v` where it is all that its type wants.
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

--- Sets `target` where there is no value.
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

return Writer
