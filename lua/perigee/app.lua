-- The app object: collects routes and hooks while app.lua runs.

local M = {}

---@class perigee.App
local App = {}
App.__index = App
M.App = App

local SPEC_KEYS = { limits = "table" }
local LIMIT_KEYS = { body = true, time = true }
local UNITS = { B = 1, kB = 1e3, KB = 1e3, MB = 1e6, GB = 1e9, KiB = 2 ^ 10, MiB = 2 ^ 20, GiB = 2 ^ 30 }

-- Where the caller `level` above us stands, as "lua/app.lua:12".
local function place_of(level)
  local info = debug.getinfo(level, "Sl")
  return (info.source:gsub("^@", "")) .. ":" .. info.currentline
end

local function check_handler(handler, level)
  if type(handler) ~= "function" then
    error("a handler is a function, got " .. type(handler), level + 1)
  end
end

local function bytes_of(value)
  if type(value) == "number" and value >= 0 and value % 1 == 0 then
    return value
  end
  local number, unit = tostring(value):match("^(%d+)%s*(%a+)$")
  return number and UNITS[unit] and tonumber(number) * UNITS[unit]
end

local function check_limits(limits, level)
  for key in pairs(limits) do
    if not LIMIT_KEYS[key] then
      error(("unknown limit '%s': there are body and time"):format(tostring(key)), level + 1)
    end
  end
  local body = limits.body ~= nil and bytes_of(limits.body) or nil
  if limits.body ~= nil and not body then
    error("limits.body is a number of bytes or a size like \"50MB\"", level + 1)
  end
  if limits.time ~= nil and not (type(limits.time) == "number" and limits.time > 0) then
    error("limits.time is a number of seconds above 0", level + 1)
  end
  return body, limits.time
end

local function check_spec(spec, level)
  for key, value in pairs(spec) do
    local wanted = SPEC_KEYS[key]
    if not wanted then
      error(("unknown key '%s' in a route's spec"):format(tostring(key)), level + 1)
    elseif type(value) ~= wanted then
      error(("'%s' in a route's spec is a %s, got a %s"):format(key, wanted, type(value)), level + 1)
    end
  end
end

-- The verbs call this last, so that their caller stands right above it: `level` is 2.
local function add(app, level, method, pattern, spec, handler)
  if handler == nil then
    spec, handler = nil, spec
  end
  if type(pattern) ~= "string" then
    error("a pattern is a string, got " .. type(pattern), level)
  end
  check_handler(handler, level)
  local route = { method = method, pattern = pattern, handler = handler, place = place_of(level + 1) }
  if spec ~= nil then
    if type(spec) ~= "table" then
      error("a route's spec is a table, got " .. type(spec), level)
    end
    check_spec(spec, level)
    route.body_limit, route.time_limit = check_limits(spec.limits or {}, level)
  end
  app.routes[#app.routes + 1] = route
  return app
end

for _, method in ipairs { "get", "post", "put", "patch", "delete", "options", "head" } do
  local upper = method:upper()
  App[method] = function(app, pattern, spec, handler)
    return add(app, 2, upper, pattern, spec, handler)
  end
end

--- Routes every method.
function App:any(pattern, spec, handler)
  return add(self, 2, "*", pattern, spec, handler)
end

--- Routes a method by its name, also ones without a function of their own ("PROPFIND").
---@param method string in any case; "*" for any
function App:route(method, pattern, spec, handler)
  if type(method) ~= "string" or not method:match("^[%w!#$%%&'*+.^_`|~-]+$") then
    error("a method is a token like \"GET\"", 2)
  end
  return add(self, 2, method:upper(), pattern, spec, handler)
end

local function hook(name, many)
  return function(app, fn)
    check_handler(fn, 2)
    if many then
      local list = app.hooks[name] or {}
      app.hooks[name] = list
      list[#list + 1] = fn
    elseif app.hooks[name] then
      error("app:" .. name .. " was given a function already", 2)
    else
      app.hooks[name] = fn
    end
    return app
  end
end

App.error = hook("error")
App.not_found = hook("not_found")
App.after = hook("after", true)
App.start = hook("start", true)
App.stop = hook("stop", true)

--- A new app.
---@return perigee.App
function M.new()
  return setmetatable({ routes = {}, hooks = {} }, App)
end

return M
