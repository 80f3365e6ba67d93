-- What runs at the end of a request or task, however it ends.

local core = require "perigee.core"
local error_text = require "perigee.error_text"
local native = require "perigee.native"
local tasks = require "perigee.tasks"

local vm, traceback = native.vm, error_text.traceback

local M = {}

local deferred = {} -- serial -> list of { fn, count, ... }

--- Notes that the task was stopped at a limit: it could not give back what it held.
---@param serial number
function M.note_stop(serial)
  if deferred[serial] then
    deferred[serial].stopped = true
  end
end

--- Has `fn(...)` run at the end of the request or task that `task` serves now.
---@param task table its view
function M.within(task, fn, ...)
  local list = deferred[task.serial] or {}
  deferred[task.serial] = list
  list[#list + 1] = { fn, select("#", ...), ... }
  task.deferred = 1
end

--- Runs `fn(a, serial, stopped)` when the task is over: for the library, whose functions need know whether it came to
--- its end by itself, or was cancelled or stopped.
---@param task table its view
---@param fn fun(a: any, serial: number, stopped: boolean?)
function M.at_end(task, fn, a)
  M.within(task, M.at_end, fn, a)
  deferred[task.serial].watched = true
end

--- Runs `fn(...)` when the running request or task is over, however it ends; the last deferred runs first.
---@param fn function
---@param ... any
function M.defer(fn, ...)
  tasks.check_function(fn, "defer")
  M.within(tasks.current("perigee.defer"), fn, ...)
end

local ending = {} -- serial of a task that runs what another deferred -> that one's serial

--- The serial of the running task; of one that runs what was deferred, that of who deferred it. 0 outside of any.
---@return number
function M.whose()
  local task = vm.current
  return task ~= nil and (ending[task.serial] or task.serial) or 0
end

--- Runs what the task deferred that is at its end.
---@param serial number the task's
---@param was_cancelled boolean
function M.run(serial, was_cancelled)
  local list = deferred[serial] or {}
  local own = list.watched and vm.current.serial
  deferred[serial] = nil
  if own then
    ending[own] = serial
  end
  for i = #list, 1, -1 do
    local call = list[i]
    local ok, err
    if call[1] == M.at_end then
      ok, err = xpcall(call[3], traceback, call[4], serial, was_cancelled or list.stopped)
    else
      ok, err = xpcall(call[1], traceback, unpack(call, 3, call[2] + 2))
    end
    if not ok then
      core.uncaught("error in a deferred function: ", core.pardon() or error_text.describe(err))
    end
  end
  if own then
    ending[own] = nil
  end
end

return M
