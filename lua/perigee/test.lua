-- require "perigee.test": apps under test, in files that `perigee test` and `perigee bench` run.

local core = require "perigee.core"

local desk = core.test_desk()
if not desk then
  error("perigee.test works in files that `perigee test` or `perigee bench` runs", 3)
end

local client = require "perigee.test.client"
local place = require "perigee.test.place"
local upstream = require "perigee.test.upstream"

local M = { clock = {} }

local function toml(value)
  if type(value) == "table" then
    local items = {}
    for i, item in ipairs(value) do
      items[i] = toml(item)
    end
    return "[" .. table.concat(items, ", ") .. "]"
  elseif type(value) == "string" then
    return core.encode(value)
  end
  return tostring(value)
end

-- { ["limits.time"] = 2 } as `--set` takes it, in an order that does not change.
local function settings_of(set)
  local list = {}
  for name, value in pairs(set or {}) do
    list[#list + 1] = name .. "=" .. toml(value)
  end
  table.sort(list)
  return list
end

local function check(path, options, name)
  if type(path) ~= "string" then
    error(("bad argument #1 to '%s' (the app's file expected, got %s)"):format(name, type(path)), 3)
  elseif options ~= nil and type(options) ~= "table" then
    error(("bad argument #2 to '%s' (table expected, got %s)"):format(name, type(options)), 3)
  end
  for key in pairs(options or {}) do
    if key ~= "set" and not (key == "port" and name == "test.server") then
      error(("%s has no option '%s'"):format(name, tostring(key)), 3)
    end
  end
  local set, port = options and options.set, options and options.port
  if set ~= nil and type(set) ~= "table" then
    error(("bad option 'set' of %s (table expected, got %s)"):format(name, type(set)), 3)
  elseif port ~= nil and not (type(port) == "number" and port >= 0 and port <= 65535 and port % 1 == 0) then
    error(("bad option 'port' of %s (an integer from 0 to 65535 expected, got %s)"):format(name, tostring(port)), 3)
  end
end

--- Loads an app in this process, with fresh state, and runs its start hooks.
---@param path string its file
---@param options? { set: table<string, any> } options of the configuration: { ["limits.time"] = 2 }
---@return perigee.test.Client
function M.app(path, options)
  check(path, options, "test.app")
  local app, err = desk.open_app(path, false, settings_of(options and options.set))
  if not app then
    place.raise("the app does not load:\n%s", err)
  end
  return client.new(app, "localhost")
end

--- Serves an app on a port of the loopback, by a thread of its own.
---@param path string its file
---@param options? { port: integer, set: table<string, any> } the port: any that is free by default
---@return perigee.test.Client
function M.server(path, options)
  check(path, options, "test.server")
  local set = settings_of(options and options.set)
  set[#set + 1] = ('server.listen=["127.0.0.1:%d"]'):format(options and options.port or 0)
  local app, err = desk.open_app(path, true, set)
  if not app then
    place.raise("the app is not served:\n%s", err)
  end
  local address = desk.address(app)
  local made = client.new(app, address)
  made.address, made.url = address, "http://" .. address
  return made
end

--- Answers a host's requests in its stead: what apps under test ask of it by perigee.http comes to the handler.
---@param host string "api.example.com", or with a port
---@param handler fun(req: perigee.test.UpstreamRequest): any returns what a handler of an app may
---@return perigee.test.Upstream
function M.upstream(host, handler)
  return upstream.open(host, handler)
end

--- Moves the clock of every app of test.app on: what is due on the way is done, nobody waits.
---@param seconds number
function M.clock:advance(seconds) -- luacheck: ignore 212
  if type(seconds) ~= "number" or not (seconds >= 0) then
    error("bad argument #1 to 'advance' (a number of seconds, 0 or more, expected)", 2)
  end
  if not desk.advance(seconds) then
    place.raise("the clock can't be moved by %g s in the time a test may take (--timeout): too much is due", seconds)
  end
end

return M
