-- A function of its own for every route, so that the JIT compiles each route as a trace of its own: it makes `req` with
-- the path's parameters in it and calls the handler.

local bytecode = require "perigee.bytecode"
local ffi = require "ffi"
local fleeting = require "perigee.fleeting"
local native = require "perigee.native"
local request = require "perigee.request"

local M = {}

local READ = {
  string = "fstr(p[%d].text.data, p[%d].text.size)",
  integer = "p[%d].number",
  number = "p[%d].number",
  boolean = "p[%d].number ~= 0",
}

-- Methods of `req` that do not keep it.
local METHODS = { header = true, query_all = true, raw = true, json = true, read = true, set_cookie = true,
  delete_cookie = true }

local function reader(index, kind)
  return (READ[kind] or READ.string):format(index, index)
end

-- The path's parameters in order, as { name, kind }; nil for what is no pattern at all: the router says so.
local function parameters(pattern)
  local list = {}
  for inside in pattern:gmatch("{([^}]*)}") do
    local name, kind = inside:match("^([%w_]+):?([%w_]*)%*?$")
    if not name then
      return nil
    end
    list[#list + 1] = { name = name, kind = kind }
  end
  return list[1] and list
end

-- The constructor of `params`.
local function fields_of(list)
  local fields = {}
  for i, parameter in ipairs(list) do
    fields[i] = ("[%q] = %s"):format(parameter.name, reader(i - 1, parameter.kind))
  end
  return "{ " .. table.concat(fields, ", ") .. " }"
end

-- A function that reads one parameter by its name.
local function read_one(list, chunk_name)
  local lines = { "local fstr, vm = ...", "return function(_, name)", "  local p = vm.current.request.parameters" }
  for i, parameter in ipairs(list) do
    lines[#lines + 1] = ("  if name == %q then local value = %s return value end"):format(parameter.name,
      reader(i - 1, parameter.kind))
  end
  lines[#lines + 1] = "end"
  return assert(loadstring(table.concat(lines, "\n"), chunk_name))(native.string, native.vm)
end

-- The request is made by a function of its own: it is compiled also where the handler can't be.
local SOURCE = [[
local handler, setmetatable, Request, fstr, live, early_query, early_cookies, answer_fields, type, names, values = ...
local uses = { query = false, cookies = false }
local function begin(task)
  local query = uses.query and early_query(task)
  local cookies = uses.cookies and early_cookies(task)
  %s
  local req = setmetatable({ task, task.serial, %s%s }, Request)
  %s
  return req
end
return function(task)
  local req = begin(task)
  %s
end]]

-- Takes returned headers apart by the names that they can have, so that the table itself never has to be made. Whatever
-- is no plain text is left to the engine.
local FINISH = [[
  local status, body, headers = handler(req)
  if headers == nil then
    if body == nil then
      return status
    end
    return status, body
  end
  if type(body) ~= "string" then
    return status, body, headers
  end
  %s
  if answer_fields(task, names, values, %d) ~= 0 then
    return status, body, headers
  end
  return status, body]]

local FIELD = [[
  do
    local value, out = headers[%q], values[%d]
    if type(value) == "string" then
      out.data, out.size = value, #value
    elseif value == nil then
      out.data = nil
    else
      return status, body, headers
    end
  end]]

local MOST_NAMES = 8
local kept = {} -- what the engine and the routes point at
local values = ffi.new("perigee_slice[?]", MOST_NAMES)

-- Names as perigee_answer_fields() takes them; nil where one may not be sent.
local function slices_of(names)
  local slices = ffi.new("perigee_slice[?]", #names)
  for i, name in ipairs(names) do
    local use = native.C.perigee_answer_name(name, #name)
    if use < 0 then
      return nil
    end
    slices[i - 1].data, slices[i - 1].size = ffi.cast("const char*", name), use == 0 and #name or 0
  end
  kept[#kept + 1] = { names, slices }
  return ffi.cast("perigee_slice*", slices)
end

-- What calls the handler and returns what it returned, with the names for it.
local function finish(handler, keeps)
  local names = not keeps and bytecode.names_of_third(handler)
  local slices = names and #names <= MOST_NAMES and slices_of(names)
  if not slices then
    return "return handler(req)"
  end
  local fields = {}
  for i, name in ipairs(names) do
    fields[i] = FIELD:format(name, i - 1)
  end
  -- All of it on one line: a safepoint is passed at each.
  return FINISH:format(table.concat(fields), #names):gsub("\n *", " "), slices
end

-- The metatable of the route's requests, and whether the path's parameters have to be read before the handler runs.
local function request_type(route, list, keeps, chunk_name)
  local uses = not keeps and bytecode.uses_of_first(route.handler, METHODS)
  if not uses then
    return request.Request, list ~= nil
  end
  local read = list and uses.params == "consumed" and read_one(list, chunk_name)
  return fleeting.request(read and fleeting.params(read), uses.query == "consumed" and fleeting.query,
    uses.cookies == "consumed" and fleeting.cookies,
    uses.session == "consumed" and fleeting.session), list ~= nil and not read
end

-- A file of a served folder that simply is there is answered without a request being made of it.
local function direct(enter, folder)
  local C = native.C
  return function(task)
    if C.perigee_static(task, folder) == 0 then
      return true
    end
    return enter(task)
  end
end

--- What the engine calls with the task's view.
---@param keeps boolean whether hooks will ask for the request later
function M.enter(route, keeps)
  local chunk_name = "=(route " .. route.place .. ")"
  local list = parameters(route.pattern)
  local made, early = request_type(route, list, keeps, chunk_name)
  local call, names = finish(route.handler, keeps)
  local source = SOURCE:format(
    early and "local p = task.request.parameters" or "",
    request.slots:format(early and fields_of(list) or "false"),
    route.begin and (", %d, false"):format(route.begin) or "", -- what lua/perigee/chain.lua counts in
    keeps and "live[task.serial] = req" or "", call)
  local make = assert(loadstring(source, chunk_name))
  local enter = make(route.handler, setmetatable, made, native.string, request.live,
    request.early_query, request.early_cookies, native.C.perigee_answer_fields, type, names,
    ffi.cast("perigee_slice*", values))
  if route.folder and not keeps and not route.uses[1] then
    return direct(enter, route.folder)
  end
  return enter
end

return M
