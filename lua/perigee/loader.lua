-- Loads an app into this VM and describes it to the engine (Vm::load_app reads the table that load() returns).

local app_module = require "perigee.app"
local assembly = require "perigee.assembly"
local core = require "perigee.core"
local error_text = require "perigee.error_text"
local files = require "perigee.files"
local hooks = require "perigee.hooks"
local openapi = require "perigee.openapi"
local perigee = require "perigee"
local pattern_hints = require "perigee.pattern_hints"
local request = require "perigee.request"
local flushes = require "perigee.jit_flushes"
local routes = require "perigee.routes"
local session = require "perigee.session"
local spawned = require "perigee.spawned"
local spec_code = require "perigee.spec_code"
local specs = require "perigee.spec"
local stream = require "perigee.stream"
local template = require "perigee.template"
local urls = require "perigee.urls"

local dev = core.development() and require "perigee.dev" or nil
local M = {}

--- Takes the [app] table of the configuration, as JSON.
function M.configure(json)
  perigee.config = assert(core.decode(json))
end

local function search_beside(path)
  local folder = path:match("^(.*)/[^/]*$") or "."
  package.path = ("%s/?.lua;%s/?/init.lua;%s"):format(folder, folder, package.path)
  package.cpath = ("%s/?.so;%s"):format(folder, package.cpath)
  files.base = folder ~= "." and folder or nil
  template.folder = folder == "." and "templates" or folder .. "/templates"
end

-- The frames of the program's own, of a traceback that begins at `level`: ours, and what is below the app's file, tell
-- its writer nothing.
local function frames_of_program(level)
  local frames = {}
  for frame in debug.traceback("", level + 1):gmatch("\n\t([^\n]*)") do
    local ours = frame:match("^lua/(.-)%.lua:")
    if ours == "perigee/loader" then
      break
    elseif not (ours and package.preload[ours:gsub("/", ".")]) and frame ~= "[C]: in function 'error'" then
      frames[#frames + 1] = frame
    end
  end
  frames[#frames] = nil -- the xpcall below
  return frames
end

-- A mistake in the app's file as it is told: with its traceback, where that says more than the message does.
local function told(err)
  if type(err) == "table" and type(err[1]) == "string" then
    return err
  end
  local text, frames = error_text.describe(err), frames_of_program(2)
  local place = frames[1] and frames[1]:match("^(.-:%d+):")
  if #frames == 0 or #frames == 1 and place and text:sub(1, #place + 1) == place .. ":" then
    return { text }
  end
  return { text .. "\nstack traceback:\n\t" .. table.concat(frames, "\n\t") }
end

-- The value of the app's file; "embedded:NAME" is a module that the binary carries, "background:PATH" what
-- runs jobs for the app at PATH. Mistakes that need no traceback are
-- raised as tables of one string.
local function run(path)
  local embedded, beside = path:match("^embedded:(.*)$"), path:match("^background:(.*)$")
  if embedded then
    return require(embedded)
  elseif beside then
    search_beside(beside)
    return require("perigee.background").app
  end
  search_beside(path)
  local chunk, err = loadfile(path)
  if not chunk then
    local missing = err:find("^cannot open") and ": --app or server.app names the app's file" or ""
    error({ err .. missing })
  end
  local ok, value = xpcall(chunk, told)
  if not ok then
    error(value, 0)
  end
  return value
end

-- The types that may be named in an app: its own, then those of the apps it is mounted in.
local function types_of(context)
  local types = context.parent and types_of(context.parent) or {}
  for name, type in pairs(context.app.types) do
    types[name] = type
  end
  return types
end

-- Path and its types, then the middleware, then the other specs, then the handler.
local function compose(route)
  local context = route.context
  local keeps = context.error ~= nil or context.after[1] ~= nil -- hooks will ask for the request
  specs.load(route, types_of(context))
  route.types = specs.summary(route)
  if dev then
    dev.hide_secrets(route.plan)
  end
  route.handler = spec_code.wrap(route, route.handler, not keeps and not route.uses[1])
  assembly.compose(route)
  route.handler = spec_code.params(route, route.handler, hooks.refuse_path)
  route.handler = dev and dev.guard(route.handler) or route.handler
  route.enter = routes.enter(route, keeps)
end

-- Composes every route; the mistakes in their specs are returned, each as a line.
local function compose_all(list)
  local mistakes = {}
  for _, route in ipairs(list) do
    local ok, err = pcall(compose, route)
    if not ok and type(err) ~= "table" then
      error(err, 0)
    elseif not ok then
      mistakes[#mistakes + 1] = err[1]
    end
  end
  return mistakes
end

-- The names of all types of an app and of those mounted in it.
local function type_names(contexts)
  local names, seen = {}, {}
  for _, context in ipairs(contexts) do
    for _, name in ipairs(context.app.type_names) do
      names[#names + 1] = not seen[name] and name or nil
      seen[name] = true
    end
  end
  return names
end

-- Says, once for all workers, what in the patterns may be meant otherwise.
local function hint(list)
  if select(1, core.worker()) ~= 1 then
    return
  end
  for _, line in ipairs(pattern_hints.of(list)) do
    core.log("warn", line)
  end
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
  local mistakes = compose_all(assembled.routes)
  hint(assembled.routes)
  if dev then
    dev.watch_globals()
  end
  local has, background = hooks.has(), package.loaded["perigee.background"]
  core.keep("standard_problem", perigee.problem)
  core.keep("keep_result", hooks.keep_result)
  return {
    routes = assembled.routes,
    custom_types = type_names(assembled.contexts),
    mistakes = mistakes,
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
      job = background and background.job,
      hook = hooks.run,
      stream = stream.run,
      save = session.save,
      run_deferred = spawned.run_deferred,
      stray_yield = "attempt to yield outside a coroutine of the program's own",
    },
  }
end

--- The loaded app's routes as JSON.
function M.routes_json()
  return openapi.listing(request.routes)
end

--- What the JIT compiler has made of the loaded app, as JSON.
function M.jit_json()
  local report = require("perigee.jit_health").report(request.routes)
  report.flushes = flushes.count()
  return core.encode(report)
end

--- Whether LuaJIT threw away all that it had compiled since this was asked before.
function M.flushed()
  return flushes.look()
end

--- Begins to count calls in this VM: the compiler is off until end_counting().
function M.begin_counting()
  core.begin_counting()
  return ""
end

--- Ends it: a line for each function that was called, as core.end_counting() writes it.
function M.end_counting()
  return core.end_counting()
end

--- The functions of the loaded app, a line each.
function M.functions_text()
  return table.concat(require("perigee.jit_health").functions(request.routes), "\n")
end

--- The OpenAPI document of the loaded app.
function M.openapi_json()
  return openapi.document(request.routes, perigee.config)
end

return M
