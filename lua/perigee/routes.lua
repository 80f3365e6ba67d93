-- A function of its own for every route, so that the JIT compiles each route as a trace of its own: it makes `req` with
-- the path's parameters in it and calls the handler.

local core = require "perigee.core"
local native = require "perigee.native"
local request = require "perigee.request"
local response = require "perigee.response"

local M = {}

local READ = {
  string = "fstr(p[%d].text.data, p[%d].text.size)",
  integer = "p[%d].number",
  number = "p[%d].number",
  boolean = "p[%d].number ~= 0",
  json = "json(%q, fstr(p[%d].text.data, p[%d].text.size))",
}

-- `perigee.decode`, or the 400 that says which parameter is no JSON.
local function json(name, text)
  local value, err = core.decode(text)
  if err then
    error(response.problem(400, "a path parameter is not of its type",
      { errors = { { ["in"] = "path", name = name, expected = "JSON", got = text:sub(1, 64) } } }))
  end
  return value
end

local function reader(index, name, kind)
  if kind == "json" then
    return READ.json:format(name, index, index)
  end
  return (READ[kind] or READ.string):format(index, index)
end

-- The constructor of `params`: names and types as http::Pattern reads them.
local function parameters(pattern)
  local fields = {}
  for inside in pattern:gmatch("{([^}]*)}") do
    local name, kind = inside:match("^([%w_]+):?([%w_]*)%*?$")
    if not name then
      return "" -- no pattern at all: the router says so
    end
    fields[#fields + 1] = ("[%q] = %s"):format(name, reader(#fields, name, kind))
  end
  return table.concat(fields, ", ")
end

local SOURCE = [[
local handler, setmetatable, Request, fstr, json, live, early_query, early_cookies = ...
local uses = { query = false, cookies = false }
return function(task)
  local query = uses.query and early_query(task)
  local cookies = uses.cookies and early_cookies(task)
  %s
  local req = setmetatable({ task, task.serial, %s }, Request)
  %s
  return handler(req)
end]]

--- What the engine calls with the task's view.
---@param keeps boolean whether hooks will ask for the request later
function M.enter(route, keeps)
  local fields = parameters(route.pattern)
  local source = SOURCE:format(
    fields ~= "" and "local p = task.request.parameters" or "",
    request.slots:format(fields ~= "" and "{ " .. fields .. " }" or "false"),
    keeps and "live[task.serial] = req" or "")
  local make = assert(loadstring(source, "=(route " .. route.place .. ")"))
  return make(route.handler, setmetatable, request.Request, native.string, json, request.live,
    request.early_query, request.early_cookies)
end

return M
