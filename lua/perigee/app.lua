-- The app object: collects routes, middleware and hooks while app.lua runs.

local facts = require "perigee.type_facts"
local scope = require "perigee.scope"
local urls = require "perigee.urls"

local M = {}

---@class perigee.App: perigee.Scope
local App = setmetatable({}, { __index = scope.Scope })
App.__index = App
M.App = App

--- Names a type of the app's own, for patterns (`{name:type}`) and specs.
---@param name string letters, digits and _
---@param fn fun(text: string): any, string? the value that a text stands for; nil refuses it
---@param expected? string what it wants, in words for a client
function App:type(name, fn, expected)
  if type(name) ~= "string" or not name:match("^[%a_][%w_]*$") then
    error("a type's name is made of letters, digits and _", 2)
  elseif facts.path[name] or self.types[name] then
    error(("there is a type '%s' already"):format(name), 2)
  elseif type(fn) ~= "function" then
    error("a type is a function from a text to a value, got a " .. type(fn), 2)
  elseif expected ~= nil and type(expected) ~= "string" then
    error("what a type expects is said by a string", 2)
  end
  self.types[name] = { fn = fn, expected = expected }
  self.type_names[#self.type_names + 1] = name
  return self
end

local function hook(name, many)
  return function(app, fn)
    scope.check_function(fn, "a handler", 2)
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
App.on_session = hook("on_session", true)

--- The URL of the route whose spec has that name.
---@param name string
---@param params? table<string, any> one value for each parameter of its pattern
---@param query? table<string, any> a list is repeated
---@return string
function App:url(name, params, query) -- luacheck: ignore 212
  local url = urls.url(name, params, query)
  return url
end

--- A new app.
---@return perigee.App
function M.new()
  local app = { routes = {}, hooks = {}, uses = {}, mounts = {}, types = {}, type_names = {}, prefix = "" }
  setmetatable(app, App)
  app.app = app
  return app
end

return M
