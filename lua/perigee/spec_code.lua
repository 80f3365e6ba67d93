-- What spec.lua has loaded for a route, compiled into two functions around the handler, one for the path's parameters
-- and one for the rest. The code itself is written by checks.lua.

local bodies = require "perigee.bodies"
local bytecode = require "perigee.bytecode"
local checks = require "perigee.checks"
local core = require "perigee.core"
local json_body = require "perigee.json_body"
local native = require "perigee.native"
local request = require "perigee.request"
local response = require "perigee.response"

local M = {}

-- Where values come from: the key of the spec, what errors call it, its number in typed_values.h, its slot in `req`.
local SOURCES = {
  { key = "query", where = "query", number = 0, slot = 4 },
  { key = "headers", where = "header", number = 1, slot = 6 },
  { key = "cookies", where = "cookie", number = 2, slot = 5 },
}
local FORM = 3

-- Header fields that no error shows.
local HIDDEN = { authorization = true, ["proxy-authorization"] = true, cookie = true }

local FORM_TYPES = { ["application/x-www-form-urlencoded"] = true, ["multipart/form-data"] = true }

local function problem_of(errors)
  return response.problem(400, "the request is not what this route takes", { errors = errors })
end

-- The answer to a request whose path was refused: that of the next route that takes the path, or 400.
local function again(refused)
  return function(req, errors)
    local task = req[1]
    local number = core.rematch(task)
    if number then
      return request.routes[number].enter(task)
    end
    return refused(req, errors)
  end
end

-- Where a value stands, as errors name it (a name is part of a format there).
local function place_of(where, name, hidden)
  return { where = where, name = name:gsub("%%", "%%%%"), indexes = {}, hidden = hidden }
end

--- The function that checks the path's parameters and calls `inner`; `inner` itself where there is nothing to check.
---@param inner fun(req: perigee.Request): ...
---@param refused fun(req: perigee.Request, errors: table[]): ... answers where no other route takes the path
function M.params(route, inner, refused)
  local list = route.plan.params
  if not list[1] then
    return inner
  end
  local writer = checks.writer()
  writer:line("local params = req[3]")
  for _, parameter in ipairs(list) do
    local name, v, y = writer:literal(parameter.name), writer:variable(), writer:variable()
    local place = place_of("path", parameter.name)
    local site = writer:site(place, parameter.type)
    writer:line("do local %s, %s = params[%s]", v, y, name)
    if parameter.typed then
      writer:take(parameter.type, v, y, site)
    elseif parameter.type.kind == "list" then
      writer:line("local texts = { %s }", v)
      writer:text_list(parameter.type, "texts", y, place, site)
    else
      writer:text(parameter.type, v, y, site)
    end
    writer:line("params[%s] = %s end", name, y)
  end
  writer:line("if errors then return other(req, errors) end")
  return writer:compile("=(params " .. route.place .. ")", inner, again(refused))
end

-- Writes what fills one slot of the request with the values of one source.
local function write_source(writer, source, fields, is_read)
  local members = {}
  local in_place = is_read and #fields > 40
  if in_place then
    writer:line("local %s = {}", source.key)
  end
  for i, field in ipairs(fields) do
    local y = writer:variable()
    local name = writer:literal(field.name)
    members[i] = ("[%s] = %s"):format(name, y)
    writer:line((in_place or not is_read) and "do local %s" or "local %s do", y)
    writer:find(field.type, source.number, field.name, y, place_of(source.where, field.name,
      source.key == "cookies" or source.key == "headers" and HIDDEN[field.name]))
    writer:line(in_place and ("%s[%s] = %s end"):format(source.key, name, y) or "end")
  end
  if not is_read then
    return -- a table would be made for nothing
  end
  writer:line("req[%d] = %s", source.slot, in_place and source.key or "{ " .. table.concat(members, ", ") .. " }")
end

local function unsupported(what, accept)
  return response.problem(415, what, nil, { accept = accept })
end

-- The fields of the form as text; or nil and the problem.
local function read_form(req, task)
  local type = core.media_type(task)
  if not FORM_TYPES[type or ""] and bodies.present(task) then
    return nil, unsupported("this route takes a form: application/x-www-form-urlencoded or multipart/form-data",
      "application/x-www-form-urlencoded, multipart/form-data")
  end
  return req.form
end

-- Every value of a form's field; nil where there is none.
local function form_list(task, name)
  if core.media_type(task) ~= "multipart/form-data" then
    return core.values(task, FORM, name)
  end
  local list = bodies.form_all(task, name)
  return list[1] ~= nil and list or nil
end

-- Writes what fills `req.form`.
local function write_form(writer, fields)
  writer:line("local raw, problem = other.read_form(req, task)")
  writer:line("if problem then return problem end")
  writer:line("local form = {}")
  for _, field in ipairs(fields) do
    local x, y = writer:variable(), writer:variable()
    local name = writer:literal(field.name)
    local place = place_of("form", field.name)
    local site = writer:site(place, field.type)
    local list = field.type.kind == "list"
    writer:line("do local %s, %s = %s", x, y,
      list and ("other.form_list(task, %s)"):format(name) or ("raw[%s]"):format(name))
    writer:line("if %s == nil then", x)
    writer:absent(field.type, y, site)
    writer:line("else")
    if list then
      writer:text_list(field.type, x, y, place, site)
    else
      writer:text(field.type, x, y, site)
    end
    writer:line("end form[%s] = %s end", name, y)
  end
  writer:line("other.keep(req, 'form', form)")
end

-- Types whose body is the text as it came; all others are JSON.
local TEXT = { string = true, ["function"] = true }

local function not_json()
  return unsupported("this route takes JSON: send it as application/json", "application/json")
end

-- Writes what fills `req.body`.
local function write_body(writer, record, read)
  local place = place_of("body", "")
  writer:line("local body")
  if TEXT[record.kind] then
    local site = writer:site(place, record)
    writer:line("local text = other.whole(task)")
    if record.optional or record.default ~= nil then
      writer:line("if text == '' then")
      writer:absent(record, "body", site)
      writer:line("else")
      writer:text(record, "text", "body", site)
      writer:line("end")
    else
      writer:text(record, "text", "body", site)
    end
  else
    local site = writer:site(place_of("body", "", true), record)
    writer:line("other.await(task)")
    local quick = json_body.suits(record)
    if quick then
      json_body.write(writer, record, read)
      writer:line("if not quick then")
    end
    writer:line("local value, why = other.json_body(task, %d)", #(record.fields or {}))
    writer:line("if why == nil then")
    writer:json(record, "value", "body", place)
    writer:line('elseif why == "absent" then')
    writer:absent(record, "body", site)
    writer:line('elseif why == "type" then return other.not_json()')
    writer:line("else errors = fail(errors, %d, 'JSON; ' .. why, false) end", site.number)
    writer:line(quick and "end" or "")
  end
  writer:line("if body then req[7] = body else other.keep(req, 'body', body) end")
end

-- Methods of `req` that neither keep it nor read its typed fields.
local METHODS = { header = true, query_all = true, raw = true, json = true, set_cookie = true, delete_cookie = true }

--- The function that checks all but the path and calls `handler`; `handler` itself where there is nothing to check.
---@param handler fun(req: perigee.Request): ...
---@param alone boolean whether nobody but the handler sees the request
function M.wrap(route, handler, alone)
  local plan = route.plan
  local uses = alone and bytecode.uses_of_first(handler, METHODS)
  local writer = checks.writer()
  for _, source in ipairs(SOURCES) do
    if plan[source.key] then
      write_source(writer, source, plan[source.key], not uses or uses[source.key] ~= nil)
    end
  end
  if plan.form then
    write_form(writer, plan.form)
  elseif plan.body then
    local consumed = uses and (uses.body == nil or uses.body == "consumed")
    write_body(writer, plan.body, consumed and bytecode.names_consumed(handler, "body") or nil)
  end
  if not writer.lines[1] then
    return handler
  end
  writer:line("if errors then return other.problem_of(errors) end")
  return writer:compile("=(spec " .. route.place .. ")", handler, { problem_of = problem_of, read_form = read_form,
    form_list = form_list,
    keep = request.keep, json_body = core.json_body, not_json = not_json, json_object = native.C.perigee_json_object,
    whole = bodies.whole, await = bodies.await })
end

return M
