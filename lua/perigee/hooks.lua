-- What happens around handlers: failures, refusals, and the app's own hooks. The engine calls these by Vm::Entries.

local assembly = require "perigee.assembly"
local core = require "perigee.core"
local error_text = require "perigee.error_text"
local failures = require "perigee.failures"
local request = require "perigee.request"
local response = require "perigee.response"
local session = require "perigee.session"

local M = {}

local assembled -- what the app is made of (lua/perigee/assembly.lua)
local results = {} -- serial -> what was answered, for after hooks

-- The request of a task: the one its handler was given, where it is still known.
local function request_of(task)
  local serial = task.serial
  local req = request.live[serial]
  if not req then
    req = request.new(task)
    request.live[serial] = req
  end
  return req
end

-- Whose hooks answer for a request.
local function context_of(task)
  local route = request.routes[task.request.route + 1]
  if route then
    return route.context
  end
  return assembly.context_at(assembled.contexts, request_of(task).path)
end

-- The error with the traceback of what is left of its coroutine; without one (`return nil, err`) with the handler's
-- place.
local function with_traceback(thread, err, task)
  local text = error_text.describe(err)
  local frames = debug.traceback(thread, "") -- which would end the text at a NUL
  if not frames:find("\n\t[^\n]*: in ") then
    frames = ""
  end
  local route = request.routes[task.request.route + 1]
  return route and failures.with_place(text, frames, "the handler at " .. route.place) or text .. frames
end

--- A handler raised: logs it with its traceback and answers 500.
---@param err any
---@param thread thread what is left of the handler's coroutine
function M.failed(err, thread, task)
  return failures.problem(task, err, function() return with_traceback(thread, err, task) end)
end

-- What a request is answered that no handler takes: `req[13]` says why.
local function answer_refusal(req)
  local why = req[13]
  if why.status == 204 then
    return 204, nil, { allow = why.allow }
  elseif why.status == 404 and why.context.not_found then
    return why.context.not_found(req)
  end
  local errors = why.errors or why.parameter
    and { { ["in"] = "path", name = why.parameter, expected = why.expected, got = core.excerpt(why.got) } }
  return response.problem(why.status, why.detail, { errors = errors }, { allow = why.allow })
end

-- What is answered goes through the middleware that is around the whole app.
local function refuse(req, context, why)
  why.context = context
  rawset(req, 13, why)
  if context.refuse then
    rawset(req, 11, context.begin)
    rawset(req, 12, false)
    return context.refuse(req)
  end
  return answer_refusal(req)
end

--- A request that no handler takes.
---@param pointer userdata what core.refusal reads
function M.refuse(task, pointer)
  local why = {}
  why.status, why.detail, why.allow, why.parameter, why.expected, why.got = core.refusal(pointer)
  return refuse(request_of(task), context_of(task), why)
end

--- A request whose path was refused by the types of its route, and that no other route takes.
---@param errors table[] as the problem lists them
function M.refuse_path(req, errors)
  return refuse(req, context_of(req[1]), { status = 400, detail = "the request is not what this route takes",
    errors = errors })
end

-- The message handler around the error hook.
local function hook_raised(err)
  return response.is_response(err) and err or { text = error_text.describe(err), frames = debug.traceback("", 2) }
end

--- Has the app render a problem; without an answer of its own the problem itself is sent, also where the hook fails.
function M.render(problem, task)
  local document, hook = problem.body, context_of(task).error
  document.request_id = core.request_id(task)
  local function rendered(ok, ...)
    if not ok and response.is_response((...)) then
      return (...)
    elseif not ok then
      local stopped = core.pardon()
      if stopped or task.cancelled == 0 then
        core.uncaught("error in the error hook: ", stopped or (...).text .. (...).frames)
      end
      return problem
    elseif select("#", ...) == 0 or ((...) == nil and select("#", ...) == 1) then
      return problem
    end
    return ...
  end
  if not hook then
    return problem
  end
  return rendered(xpcall(hook, hook_raised, document, request_of(task), problem.cause))
end

--- Remembers an answer until the after hooks have seen it.
function M.keep_result(serial, status, body, headers)
  if response.is_response(body) then
    headers, body = headers or body.headers, body.body
  end
  results[serial] = { status = status, body = body, headers = headers or {} }
end

--- The answer is sent: runs the after hooks, each whatever became of the others.
function M.after(task)
  local serial = task.serial
  local req, res = request_of(task), results[serial] or { status = 500, headers = {} }
  results[serial] = nil
  for _, hook in ipairs(context_of(task).after) do
    local ok, err = xpcall(hook, error_text.traceback, req, res)
    if not ok then
      core.uncaught("error in an after hook: ", core.pardon() or error_text.describe(err))
    end
  end
end

--- Runs the app's start or stop hooks in the order they were given.
---@param start boolean
function M.run(start)
  for _, hook in ipairs(assembled[start and "start" or "stop"]) do
    hook()
  end
end

-- A session is being made: what the hooks write is made with it.
local function session_made(object, task)
  for _, hook in ipairs(context_of(task).on_session) do
    hook(object, request_of(task))
  end
end

--- Takes the app that this VM serves; returns the one before.
---@param whole perigee.Assembled
function M.take(whole)
  local before = assembled
  assembled = whole
  session.made = nil
  for _, context in ipairs(whole.contexts) do
    assembly.compose_refusal(context, answer_refusal)
    session.made = session.made or context.on_session[1] and session_made or nil
  end
  return before
end

--- What the engine has to ask hooks for.
---@return { after: boolean, error: boolean, refusal: boolean }
function M.has()
  local has = { after = false, error = false, refusal = false }
  for _, context in ipairs(assembled.contexts) do
    has.after = has.after or context.after[1] ~= nil
    has.error = has.error or context.error ~= nil
    has.refusal = has.refusal or context.not_found ~= nil or context.refuse ~= nil
  end
  has.refusal = has.refusal or has.after or has.error
  return has
end

return M
