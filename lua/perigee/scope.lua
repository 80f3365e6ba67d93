-- Where routes are written: an app, or a group of routes in one. What both can do.

local chain = require "perigee.chain"
local channels = require "perigee.channels"
local files = require "perigee.files"
local paths = require "perigee.paths"
local spec_keys = require "perigee.spec_keys"

local M = {}

---@class perigee.Scope
local Scope = {}
M.Scope = Scope

-- Where the caller `level` above us stands, as "lua/app.lua:12".
local function place_of(level)
  local info = debug.getinfo(level, "Sl")
  return (info.source:gsub("^@", "")) .. ":" .. info.currentline
end

--- Raises at the caller, `level` above, unless `fn` is a function.
function M.check_function(fn, what, level)
  if type(fn) ~= "function" then
    error(("%s is a function, got %s"):format(what, type(fn)), level + 1)
  end
end

-- The verbs call this last, so that their caller stands right above it: `level` is 2.
local function add(scope, level, method, pattern, spec, handler)
  if handler == nil then
    spec, handler = nil, spec
  end
  if type(scope) ~= "table" or not scope.app then
    error(("a route is written with a colon: app:%s(...)"):format(method == "*" and "any" or method:lower()), level)
  elseif type(pattern) ~= "string" then
    error("a pattern is a string, got " .. type(pattern), level)
  elseif scope.prefix ~= "" and pattern ~= "" and pattern:sub(1, 1) ~= "/" then
    error(("pattern '%s': it does not begin with a slash"):format(pattern), level)
  end
  M.check_function(handler, "a handler", level)
  if spec ~= nil and type(spec) ~= "table" then
    error("a route's spec is a table, got " .. type(spec), level)
  end
  local route = { method = method, pattern = paths.join(scope.prefix, pattern), handler = handler, scope = scope,
    place = place_of(level + 1) }
  if spec ~= nil then
    spec_keys.read(route, spec, level)
  end
  local routes = scope.app.routes
  routes[#routes + 1] = route
  return scope
end

for _, method in ipairs { "get", "post", "put", "patch", "delete", "options", "head" } do
  local upper = method:upper()
  Scope[method] = function(scope, pattern, spec, handler)
    return add(scope, 2, upper, pattern, spec, handler)
  end
end

--- Routes every method.
function Scope:any(pattern, spec, handler)
  return add(self, 2, "*", pattern, spec, handler)
end

--- Routes a method by its name, also ones without a function of their own ("PROPFIND").
---@param method string in any case; "*" for any
function Scope:route(method, pattern, spec, handler)
  if type(method) ~= "string" or not method:match("^[%w!#$%%&'*+.^_`|~-]+$") then
    error("a method is a token like \"GET\"", 2)
  end
  return add(self, 2, method:upper(), pattern, spec, handler)
end

--- Routes clients that listen: what `fn` returns are the topics that they are sent the messages of.
---@param fn fun(req: perigee.Request): string|string[]|nil, perigee.ChannelOptions?
function Scope:channel(pattern, spec, fn)
  if fn == nil then
    spec, fn = nil, spec
  end
  M.check_function(fn, "what says a channel's topic", 2)
  return add(self, 2, "GET", pattern, spec, channels.handler(fn))
end

-- A route of the library's own, at the caller `level` above us.
local function add_own(scope, level, route)
  route.method, route.scope, route.place = "GET", scope, place_of(level + 2)
  route.pattern = paths.join(scope.prefix, route.pattern)
  scope.app.routes[#scope.app.routes + 1] = route
end

local function check_prefix(text, level)
  local prefix, err = paths.prefix(text)
  if not prefix then
    error(err, level + 1)
  end
  return prefix
end

--- Puts middleware around every route of this app or group, wherever it is written; with a prefix around those whose
--- path lies below it.
---@param prefix? string whole segments
---@param fn perigee.Middleware|perigee.Middleware[]
function Scope:use(prefix, fn)
  if fn == nil and type(prefix) ~= "string" then
    prefix, fn = "", prefix
  end
  prefix = self.prefix .. check_prefix(prefix, 2)
  for _, middleware in ipairs(spec_keys.middleware(fn, 2)) do
    self.uses[#self.uses + 1] = { fn = middleware, prefix = prefix, place = chain.place_of(middleware) }
  end
  return self
end

--- Serves the files of a folder.
---@param prefix string
---@param folder string beside app.lua, or absolute
---@param options? perigee.StaticOptions
function Scope:static(prefix, folder, options)
  prefix = check_prefix(prefix, 2)
  local served = files.folder(folder, options, 2)
  add_own(self, 2, { pattern = prefix .. "/{path*}", handler = served.handler, folder = served.number })
  add_own(self, 2, { pattern = prefix .. "/", handler = served.root, yields = true })
  return self
end

local Group = setmetatable({}, { __index = Scope })
Group.__index = Group

--- Routes that share a prefix and middleware: `fn(group)` writes them.
---@param prefix string
---@param middleware? perigee.Middleware|perigee.Middleware[]
---@param fn fun(group: perigee.Group)
function Scope:group(prefix, middleware, fn)
  if fn == nil then
    middleware, fn = nil, middleware
  end
  M.check_function(fn, "what writes a group's routes", 2)
  local group = setmetatable({ app = self.app, parent = self, prefix = self.prefix .. check_prefix(prefix, 2),
    uses = {} }, Group)
  if middleware ~= nil then
    group:use(spec_keys.middleware(middleware, 2))
  end
  fn(group)
  return self
end

--- Serves another app below a prefix: its routes with its middleware, and its hooks for what is below it.
---@param prefix string
---@param other perigee.App
function Scope:mount(prefix, other)
  if type(other) ~= "table" or getmetatable(other) ~= getmetatable(self.app) then
    error("what is mounted is what perigee.app() made, got " .. type(other), 2)
  end
  local mounts = self.app.mounts
  mounts[#mounts + 1] = { app = other, scope = self, prefix = self.prefix .. check_prefix(prefix, 2) }
  return self
end

return M
