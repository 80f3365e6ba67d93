-- Loads an app into this VM and describes it to the engine (Vm::load_app reads the table that load() returns).

local app_module = require "perigee.app"
local assembly = require "perigee.assembly"
local core = require "perigee.core"
local hooks = require "perigee.hooks"
local perigee = require "perigee"
local request = require "perigee.request"
local routes = require "perigee.routes"
local tasks = require "perigee.tasks"
local template = require "perigee.template"
local urls = require "perigee.urls"

local M = {}

--- Takes the [app] table of the configuration, as JSON.
function M.configure(json)
  perigee.config = assert(core.decode(json))
end

local function search_beside(path)
  local folder = path:match("^(.*)/[^/]*$") or "."
  package.path = ("%s/?.lua;%s/?/init.lua;%s"):format(folder, folder, package.path)
  package.cpath = ("%s/?.so;%s"):format(folder, package.cpath)
  template.folder = folder == "." and "templates" or folder .. "/templates"
end

-- The value of the app's file; "embedded:NAME" is a module that the binary carries. Mistakes that need no traceback are
-- raised as tables of one string.
local function run(path)
  local embedded = path:match("^embedded:(.*)$")
  if embedded then
    return require(embedded)
  end
  search_beside(path)
  local chunk, err = loadfile(path)
  if not chunk then
    error({ err })
  end
  return chunk()
end

--- Runs the app's file and returns what the engine needs of it.
---@param path string
function M.load(path)
  local app = run(path)
  if getmetatable(app) ~= app_module.App then
    error { path .. ": the file must end with `return app`, where app is what perigee.app() made" }
  end
  local assembled = assembly.of(app)
  hooks.take(assembled)
  request.routes, urls.names = assembled.routes, assembled.names
  for _, route in ipairs(assembled.routes) do
    local context = route.context
    assembly.compose(route)
    route.enter = routes.enter(route, context.error ~= nil or context.after[1] ~= nil)
  end
  local has = hooks.has()
  core.keep("standard_problem", perigee.problem)
  core.keep("keep_result", hooks.keep_result)
  return {
    routes = assembled.routes,
    has_after = has.after,
    has_error = has.error,
    has_refusal = has.refusal,
    has_start = assembled.start[1] ~= nil,
    has_stop = assembled.stop[1] ~= nil,
    entries = {
      answer = core.answer,
      failed = hooks.failed,
      render = hooks.render,
      refuse = hooks.refuse,
      after = hooks.after,
      hook = hooks.run,
      stream = tasks.stream,
      run_deferred = tasks.run_deferred,
      stray_yield = "attempt to yield outside a coroutine of the program's own",
    },
  }
end

return M
