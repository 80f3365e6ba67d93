-- The app object: collects routes, middleware and hooks while app.lua runs.

local scope = require "perigee.scope"
local urls = require "perigee.urls"

local M = {}

---@class perigee.App: perigee.Scope
local App = setmetatable({}, { __index = scope.Scope })
App.__index = App
M.App = App

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
  local app = setmetatable({ routes = {}, hooks = {}, uses = {}, mounts = {}, prefix = "" }, App)
  app.app = app
  return app
end

return M
