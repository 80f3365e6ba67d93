-- Teaches a writer to check what came as text: parameters of the path, query, headers, cookies, forms.

local facts = require "perigee.type_facts"
local Writer = require "perigee.checks_writer"

local CONVERTED = { integer = true, number = true, boolean = true } -- whose value is no text

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

return Writer
