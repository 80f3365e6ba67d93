-- Puts an app together once its file has run: the routes of its groups and of the apps mounted in it as one list, each
-- with the middleware around it and the hooks that answer for it.

local chain = require "perigee.chain"
local paths = require "perigee.paths"

local M = {}

---@class perigee.Context what holds for the routes of one app, and for the paths below it that no route takes
---@field prefix string
---@field app perigee.App
---@field uses perigee.Use[] around all of it, from the outermost
---@field error? function the nearest app's
---@field not_found? function the nearest app's
---@field after function[] every app's, from the outermost
---@field on_session function[] likewise

local function joined(...)
  local all = {}
  for i = 1, select("#", ...) do
    for _, item in ipairs((select(i, ...))) do
      all[#all + 1] = item
    end
  end
  return all
end

-- What was used in an app that is mounted at `prefix`.
local function placed(uses, prefix)
  local all = {}
  for i, use in ipairs(uses) do
    all[i] = { fn = use.fn, prefix = prefix .. use.prefix }
  end
  return all
end

-- What the groups around a scope use, from the outermost.
local function uses_of_groups(scope, prefix)
  if scope == scope.app then
    return {}
  end
  return joined(uses_of_groups(scope.parent, prefix), placed(scope.uses, prefix))
end

local function context_of(app, prefix, outer_uses, parent)
  return {
    app = app, prefix = prefix, parent = parent, covers = paths.matcher(prefix),
    uses = joined(outer_uses, placed(app.uses, prefix)),
    error = app.hooks.error or parent and parent.error,
    not_found = app.hooks.not_found or parent and parent.not_found,
    after = joined(parent and parent.after or {}, app.hooks.after or {}),
    on_session = joined(parent and parent.on_session or {}, app.hooks.on_session or {}),
  }
end

-- Those of `uses` whose prefix a pattern lies below; where only a request's path tells, they ask it.
local function relevant(uses, pattern)
  local all = {}
  for _, use in ipairs(uses) do
    local covers = paths.covers(use.prefix or "", pattern)
    if covers ~= "never" then
      all[#all + 1] = { fn = use.fn, covers = covers == "perhaps" and paths.matcher(use.prefix) or nil }
    end
  end
  return all
end

local function of_functions(list)
  local uses = {}
  for i, fn in ipairs(list or {}) do
    uses[i] = { fn = fn }
  end
  return uses
end

local function add_route(assembled, route, context)
  local made = {}
  for key, value in pairs(route) do
    made[key] = value
  end
  made.pattern = paths.join(context.prefix, route.pattern)
  made.context = context
  made.uses = relevant(joined(context.uses, uses_of_groups(route.scope, context.prefix), of_functions(route.use)),
    made.pattern)
  assembled.routes[#assembled.routes + 1] = made
end

local function check_mount(app, parent)
  while parent do
    if parent.app == app then
      error { "an app is mounted in itself" }
    end
    parent = parent.parent
  end
end

local function add_app(assembled, app, prefix, outer_uses, parent)
  check_mount(app, parent)
  local context = context_of(app, prefix, outer_uses, parent)
  assembled.contexts[#assembled.contexts + 1] = context
  for _, route in ipairs(app.routes) do
    add_route(assembled, route, context)
  end
  for _, mount in ipairs(app.mounts) do
    add_app(assembled, mount.app, prefix .. mount.prefix,
      joined(context.uses, uses_of_groups(mount.scope, prefix)), context)
  end
end

-- The index of a served folder steps aside for a route of the app's own.
local function without_yielding(routes)
  local taken, all = {}, {}
  for _, route in ipairs(routes) do
    if not route.yields and (route.method == "GET" or route.method == "*") then
      taken[route.pattern] = true
    end
  end
  for _, route in ipairs(routes) do
    if not (route.yields and taken[route.pattern]) then
      all[#all + 1] = route
    end
  end
  return all
end

local function check_names(routes)
  local names = {}
  for _, route in ipairs(routes) do
    local other = route.name and names[route.name]
    if other then
      error { ("%s: a route is called '%s' like the one at %s"):format(route.place, route.name, other.place) }
    elseif route.name then
      names[route.name] = route
    end
  end
  return names
end

-- The start or stop hooks of an app and of those mounted in it, each once.
local function hooks_of(contexts, name)
  local all, seen = {}, {}
  for _, context in ipairs(contexts) do
    if not seen[context.app] then
      seen[context.app] = true
      all = joined(all, context.app.hooks[name] or {})
    end
  end
  return all
end

---@class perigee.Assembled
---@field routes table[] every route with its whole pattern, its `context` and its `uses`
---@field names table<string, table> routes by their names
---@field contexts perigee.Context[] the app's own first
---@field start function[]
---@field stop function[]

--- Everything that an app is made of.
---@param app perigee.App
---@return perigee.Assembled
function M.of(app)
  local assembled = { routes = {}, contexts = {} }
  add_app(assembled, app, "", {}, nil)
  assembled.routes = without_yielding(assembled.routes)
  assembled.names = check_names(assembled.routes)
  assembled.start = hooks_of(assembled.contexts, "start")
  assembled.stop = hooks_of(assembled.contexts, "stop")
  return assembled
end

--- Puts a route's middleware around its handler. What is to run inside of it must be there already.
function M.compose(route)
  if route.uses[1] then
    route.handler, route.begin = chain.compose(route.uses, route.handler, "the handler at " .. route.place,
      route.context)
  end
end

--- Puts a context's middleware around what answers where no route does.
---@param answer fun(req): any, any, any
function M.compose_refusal(context, answer)
  local uses = {}
  for i, use in ipairs(context.uses) do
    local always = paths.covers(use.prefix, context.prefix) == "always"
    uses[i] = { fn = use.fn, covers = not always and paths.matcher(use.prefix) or nil }
  end
  if uses[1] then
    context.refuse, context.begin = chain.compose(uses, answer, "the server", context, true)
  end
end

--- The context that a path lies in: the one with the longest prefix.
---@param contexts perigee.Context[]
---@param path string
function M.context_at(contexts, path)
  local best = contexts[1]
  for _, context in ipairs(contexts) do
    if #context.prefix > #best.prefix and context.covers(path) then
      best = context
    end
  end
  return best
end

return M
