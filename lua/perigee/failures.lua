-- What becomes of errors: one event in the log with the traceback, and an answer that the app may render.

local core = require "perigee.core"
local deferred = require "perigee.deferred"
local error_text = require "perigee.error_text"
local native = require "perigee.native"
local request = require "perigee.request"
local response = require "perigee.response"
local result = require "perigee.result"

local dev = core.development() and require "perigee.dev" or nil

local M = {}

local LIMIT = {
  [native.TIME_LIMIT] = "the handler was over its time limit",
  [native.DRAINING] = "the server or this version of the app is ending",
  [native.CPU_LIMIT] = "the handler was over its CPU limit",
  [native.MEMORY_LIMIT] = "the handler was over its memory budget",
}

-- Which request failed, as the fields of its event; nil where that can't be said.
local function fields_of(task)
  local ok, fields = pcall(function()
    local req = request.live[task.serial] or request.new(task)
    return core.encode { request = req.method .. " " .. req.path }
  end)
  return ok and fields or nil
end

--- The problem that answers an error which no program meant, logged unless nobody is there to hear of it.
---@param task table the task's view
---@param cause any what was raised
---@param text fun(): string what the log says
---@param reason? integer native.MEMORY_LIMIT where memory was refused
---@return perigee.Response
function M.problem(task, cause, text, reason)
  local cancelled = task.cancelled
  local stopped = core.pardon()
  if cancelled == native.CLIENT_GONE and not stopped then
    return response.problem(503)
  end
  local taken, trace
  if stopped then
    deferred.note_stop(task.serial)
    trace = stopped
  elseif dev then
    taken, trace = dev.report(cause)
  end
  trace = trace or text()
  local late = core.pardon() -- stopped while it said what it is
  core.uncaught("", late or trace, fields_of(task))
  local limit = LIMIT[late and native.CPU_LIMIT or reason or cancelled]
  local answer = limit and response.problem(503, limit) or response.problem(500)
  answer.cause = cause
  return dev and not limit and dev.answer(answer, taken, task) or answer
end

--- A traceback that names whose it is where no frame of the program's is left, as after `return perigee.html(...)`.
---@param text string the error
---@param frames string what debug.traceback put behind it
---@param place string "the handler at app.lua:12"
function M.with_place(text, frames, place)
  local inside = frames:match("^(.-)\n\t%[C%]: in function 'xpcall'\n\t%(around ") or frames
  local line = place:match(" at (.*)$")
  if inside:gsub("\n\tlua/perigee/[^\n]*", ""):find("\n\t[^%[(\n][^\n]*: in ") or line and text:find(line, 1, true) then
    return text .. frames
  end
  return ("%s (from %s)%s"):format(text, place, frames)
end

-- An error on its way from where it was raised to where it is caught: with the traceback, which is gone there.
local Raised = {}

--- The message handler of xpcall around handlers and middleware.
function M.raised(err)
  if response.is_response(err) then
    return err
  end
  if dev then
    dev.keep_report(err, 1)
  end
  return setmetatable({ cause = err, text = error_text.describe(err), frames = debug.traceback("", 2) }, Raised)
end

local NO_MEMORY = "not enough memory"

local function problem_of(req, err, place)
  if getmetatable(err) == Raised then
    return M.problem(req[1], err.cause, function()
      return M.with_place(err.text, err.frames, place)
    end)
  elseif err == NO_MEMORY then
    collectgarbage() -- what the handler held is garbage now
    local refused = core.refused()
    return M.problem(req[1], err, function() return refused or NO_MEMORY .. " for " .. place end,
      refused and native.MEMORY_LIMIT or nil)
  end
  return M.problem(req[1], err, function() return ("%s (from %s)"):format(error_text.describe(err), place) end)
end

--- The result of a handler or middleware that raised `err`, as M.raised left it.
---@param err any
---@param place string "the handler at app.lua:12"
---@param context perigee.Context
function M.caught(req, err, place, context)
  local cause, problem = err, err
  if not response.is_response(err) then
    problem = problem_of(req, err, place)
    cause = problem.cause or "cancelled: the client has gone"
  end
  local res = M.rendered(req, result.of_value(req, problem, nil, nil, problem.status), context, problem.cause)
  result.set_cause(res, cause)
  return res
end

--- The result where what was returned is an error: `nil, err`, or no answer at all.
---@param place string "the handler at app.lua:12"
function M.failed(req, err, place, context)
  local problem = M.problem(req[1], err, function()
    local text = error_text.describe(err)
    return text:find(place, 1, true) and text or ("%s (from %s)"):format(text, place)
  end)
  local res = M.rendered(req, result.of_value(req, problem, nil, nil, problem.status), context, err)
  result.set_cause(res, err)
  return res
end

--- What an app's error hook makes of a problem; nil, logged, where it fails or returns nothing.
local function render(hook, req, document, cause)
  local status = document.status
  local ok, first, second, third = xpcall(hook, M.raised, document, req, cause)
  if ok and (first == nil and second == nil) then
    return nil
  end
  local res, err
  if ok and first ~= nil then
    res, err = result.of_returned(req, status, first, second, third)
  elseif ok then
    err = error_text.describe(second)
  elseif response.is_response(first) then
    return result.of_value(req, first, nil, nil, status)
  else
    err = core.pardon() or getmetatable(first) == Raised and first.text .. first.frames or error_text.describe(first)
  end
  if not res then
    core.uncaught("error in the error hook: ", err)
  end
  return res
end

--- A result as app:error renders it, where it is a problem that the app has not seen. The problem's headers stay where
--- the app says nothing else.
---@param context perigee.Context whose app's hook renders
function M.rendered(req, res, context, cause)
  local hook, problem = context.error, result.problem_of(res)
  if not hook or not problem then
    return res
  end
  local made = render(hook, req, problem.body, cause) or res
  result.set_rendered(made)
  for name, value in pairs(res.headers) do
    if made.headers[name] == nil then
      made.headers[name] = value
    end
  end
  return made
end

return M
