-- Waiting: every wait in a VM goes through suspend().

local core = require "perigee.core"
local native = require "perigee.native"

local C, vm, wait = native.C, native.vm, core.wait

local M = {
  no_wait = nil, -- why the running code must not wait
}

-- What a cancelled task is told, by why it was.
local REASONS = {
  [native.CLIENT_GONE] = "cancelled: the client has gone",
  [native.TIME_LIMIT] = "cancelled: over the time limit",
  [native.REQUESTED] = "cancelled",
  [native.DRAINING] = "cancelled: the server or this version of the app is ending",
  [native.CPU_LIMIT] = "cancelled: over the CPU limit",
  [native.SESSION_ENDED] = "cancelled: the session has ended",
  [native.MEMORY_LIMIT] = "cancelled: over the memory budget",
}

-- The number of what is waited for, by the name of who waits.
local sites = setmetatable({}, { __index = function(known, what)
  local number = core.wait_site(what, "")
  known[what] = number
  return number
end })

local BELOW_C = " can't wait here: a C function is calling back (table.sort, string.gsub, the handler of xpcall, "
  .. "a finalizer and their like)"

--- The running task's view. Raises where nothing may wait.
---@param what string who asks, for the message
function M.current(what)
  local task = vm.current
  if task == nil then
    error(what .. " can't be used at the top level of a file: put it in app:start", 3)
  end
  return task
end

--- Takes back what was prepared for a wait that did not come to its end, and raises.
---@param verdict any what core.wait() said; "no" where it was not asked
function M.give_up(what, verdict, undo, a, b)
  local task = M.current(what)
  C.perigee_stop_timer(task)
  task.again = 0
  if undo then
    undo(a, b)
  end
  local reason = REASONS[verdict]
  if reason then
    error(reason, 0)
  end
  error(what .. (verdict == "no" and " can't wait here: " .. M.no_wait or BELOW_C), 4)
end

--- Suspends the running task until somebody wakes it. A cancelled task raises, now or when it is woken; never before
--- the others have had their turn: a loop around a caught wait must not keep the worker to itself.
---@param what string who waits, for the message
---@param undo? fun(a: any, b: any) called with `a` and `b` before anything is raised
---@param site? integer core.wait_site(what, peer), where it is known who is waited for
function M.suspend(what, undo, a, b, site)
  local verdict = "no"
  if not M.no_wait then
    verdict = wait(site or sites[what])
  end
  if verdict ~= nil then
    M.give_up(what, verdict, undo, a, b)
  end
end

--- Waits.
---@param seconds number 0 lets other requests run
function M.sleep(seconds)
  if type(seconds) ~= "number" or not (seconds >= 0) then
    error("bad argument #1 to 'sleep' (a number of seconds, 0 or more, expected)", 2)
  end
  local task = M.current("perigee.sleep")
  if seconds == 0 or task.cancelled ~= 0 and task.shielded == 0 then
    task.again = 1
  else
    C.perigee_wake_after(task, seconds)
  end
  M.suspend("perigee.sleep")
end

--- Raises at the caller's caller unless `fn` is a function.
function M.check_function(fn, name)
  if type(fn) ~= "function" then
    error(("bad argument #1 to '%s' (function expected, got %s)"):format(name, type(fn)), 3)
  end
end

local function unshield(task, ok, ...)
  task.shielded = task.shielded - 1
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Runs `fn(...)` without being cancelled within: its waits do not raise. A cancelled task's next wait after it does.
---@param fn function
---@param ... any
---@return any ... what fn returns
function M.shield(fn, ...)
  M.check_function(fn, "shield")
  local task = M.current("perigee.shield")
  task.shielded = task.shielded + 1
  return unshield(task, pcall(fn, ...))
end

M.REASONS = REASONS

return M
