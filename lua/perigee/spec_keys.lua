-- The spec of a route: which keys there are, and how each is checked when the route is written.

local built_in = require "perigee.middleware"
local nearest = require "perigee.nearest"
local specs = require "perigee.spec"

local M = {}

local LIMIT_KEYS = { body = true, time = true, cpu = true, memory = true }
local UNITS = { B = 1, kB = 1e3, KB = 1e3, MB = 1e6, GB = 1e9, KiB = 2 ^ 10, MiB = 2 ^ 20, GiB = 2 ^ 30 }

local function bytes_of(value)
  if type(value) == "number" and value >= 0 and value % 1 == 0 then
    return value
  end
  local number, unit = tostring(value):match("^(%d+)%s*(%a+)$")
  return number and UNITS[unit] and tonumber(number) * UNITS[unit]
end

local function check_kind(key, value, wanted, level)
  if type(value) ~= wanted then
    error(("'%s' in a route's spec is a %s, got a %s"):format(key, wanted, type(value)), level + 1)
  end
end

-- How each key is read into a route: `KEYS[key](route, value, level)`. An error is the caller's, `level` above.
local KEYS = {}
M.KEYS = KEYS

function KEYS.limits(route, limits, level)
  check_kind("limits", limits, "table", level + 1)
  for key in pairs(limits) do
    if not LIMIT_KEYS[key] then
      error(("unknown limit '%s': there are body, time, cpu and memory"):format(tostring(key)), level + 1)
    end
  end
  route.body_limit, route.time_limit = limits.body ~= nil and bytes_of(limits.body) or nil, limits.time
  route.cpu_limit = limits.cpu
  route.memory_limit = limits.memory ~= nil and bytes_of(limits.memory) or nil
  if limits.memory ~= nil and not route.memory_limit then
    error("limits.memory is a number of bytes or a size like \"50MB\", 0 for no limit", level + 1)
  end
  if limits.body ~= nil and not route.body_limit then
    error("limits.body is a number of bytes or a size like \"50MB\"", level + 1)
  end
  if limits.time ~= nil and not (type(limits.time) == "number" and limits.time > 0) then
    error("limits.time is a number of seconds above 0", level + 1)
  end
  if limits.cpu ~= nil and not (type(limits.cpu) == "number" and (limits.cpu == 0 or limits.cpu >= 0.05)) then
    error("limits.cpu is a number of seconds of at least 0.05, or 0 for no limit", level + 1)
  end
end

function KEYS.name(route, name, level)
  check_kind("name", name, "string", level + 1)
  if name == "" then
    error("a route's name is not empty", level + 1)
  end
  route.name = name
end

function KEYS.use(route, use, level)
  route.use = M.middleware(use, level + 1)
end

for _, key in ipairs(specs.KEYS) do
  KEYS[key] = function(route, value, level)
    route.read = route.read or {}
    specs.read(route.read, key, value, level + 1)
  end
end

--- Reads a spec into its route.
---@param level integer whose mistake an error is: 1 is the caller
function M.read(route, spec, level)
  for key, value in pairs(spec) do
    local read = KEYS[key]
    if not read then
      error(("unknown key '%s' in a route's spec%s"):format(tostring(key), nearest.hint(key, KEYS)), level + 1)
    end
    read(route, value, level + 1)
  end
end

-- Raises where a built-in was given itself in place of what it makes.
local function check_made(fn, level)
  for name, maker in pairs(built_in) do
    if fn == maker then
      error(("perigee.middleware.%s makes a middleware: call it, perigee.middleware.%s { ... }"):format(name, name),
        level + 1)
    end
  end
end

--- A list of middleware out of a function or a list of them.
---@param level integer whose mistake an error is
---@return function[]
function M.middleware(value, level)
  if type(value) == "function" then
    check_made(value, level + 1)
    return { value }
  elseif type(value) ~= "table" then
    error("a middleware is a function, got " .. type(value), level + 1)
  end
  for key, fn in pairs(value) do
    if type(key) ~= "number" or type(fn) ~= "function" then
      error(("a list of middleware holds functions, got a %s under %s"):format(type(fn), tostring(key)), level + 1)
    end
    check_made(fn, level + 1)
  end
  return value
end

return M
