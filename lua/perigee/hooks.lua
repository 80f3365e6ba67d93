-- What happens around handlers: failures, refusals, and the app's own hooks. The engine calls these by Vm::Entries.

local core = require "perigee.core"
local native = require "perigee.native"
local request = require "perigee.request"
local response = require "perigee.response"
local tasks = require "perigee.tasks"

local M = { app = nil }

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

local LIMIT = {
  [native.TIME_LIMIT] = "the handler was over its time limit",
  [native.DRAINING] = "the server or this version of the app is ending",
}

-- The error with the traceback of what is left of its coroutine; without one (`return nil, err`) with the handler's
-- place.
local function with_traceback(thread, err, task)
  local text = tasks.describe(err)
  local trace = debug.traceback(thread, text)
  local frames = trace:sub(#text + 1)
  if not frames:find("\n\t[^\n]*: in ") then
    trace = text
  end
  local route = request.routes[task.request.route + 1]
  if not route or frames:gsub("\n\tlua/perigee/[^\n]*", ""):find("\n\t[^%[(\n][^\n]*: in ")
    or text:find(route.place, 1, true) then
    return trace
  end
  return ("%s (from the handler at %s)%s"):format(text, route.place, trace:sub(#text + 1))
end

--- A handler raised: logs it with its traceback and answers 500.
---@param err any
---@param thread thread what is left of the handler's coroutine
function M.failed(err, thread, task)
  local cancelled = task.cancelled
  if cancelled == native.CLIENT_GONE then
    return 503
  end
  core.log("error", with_traceback(thread, err, task))
  local answer
  if LIMIT[cancelled] then
    answer = response.problem(503, LIMIT[cancelled])
  else
    answer = response.problem(500)
  end
  answer.cause = err
  return answer
end

--- A request that no handler takes.
---@param why userdata what core.refusal reads
function M.refuse(task, why)
  local status, detail, allow, parameter, expected, got = core.refusal(why)
  local hook = M.app.hooks.not_found
  if status == 404 and hook then
    return hook(request_of(task))
  end
  local errors = parameter and { { ["in"] = "path", name = parameter, expected = expected, got = got } }
  return response.problem(status, detail, { errors = errors }, { allow = allow })
end

--- Has the app render a problem; without an answer of its own the problem itself is sent.
function M.render(problem, task)
  local document = problem.body
  document.request_id = core.request_id(task)
  local function rendered(...)
    if select("#", ...) == 0 or ((...) == nil and select("#", ...) == 1) then
      return problem
    end
    return ...
  end
  return rendered(M.app.hooks.error(document, request_of(task), problem.cause))
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
  for _, hook in ipairs(M.app.hooks.after) do
    local ok, err = xpcall(hook, tasks.traceback, req, res)
    if not ok then
      core.log("error", "error in an after hook: " .. tasks.describe(err))
    end
  end
end

--- Runs the app's start or stop hooks in the order they were given.
---@param start boolean
function M.run(start)
  for _, hook in ipairs(M.app.hooks[start and "start" or "stop"] or {}) do
    hook()
  end
end

return M
