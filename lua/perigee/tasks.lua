-- Waiting: every wait in a VM goes through suspend().

local core = require "perigee.core"
local native = require "perigee.native"

local C, vm, view_of_task = native.C, native.vm, native.view_of_task
local wait, cancelled, pardon, spawn, wake = core.wait, core.cancelled, core.pardon, core.spawn, core.wake

local M = {
  no_wait = nil, -- why the running code must not wait
}

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

local function traceback(err)
  if type(err) ~= "string" then
    return err
  end
  return debug.traceback(err, 2)
end

---@class perigee.Task
local Task = {}
Task.__index = Task

-- Who waits for one task stands in its `waiters` by serial, with its address; who waits for many (perigee.all) with a
-- table that counts what is left.
local function wake_waiters(handle)
  local waiters = handle.waiters
  if not waiters then
    return
  end
  handle.waiters = false
  for serial, waiter in pairs(waiters) do
    if type(waiter) == "table" then
      waiter.left = waiter.left - 1
      if waiter.left == 0 then
        wake(waiter.address, serial)
      end
    else
      wake(waiter, serial)
    end
  end
end

local SHOWN = 1000 -- bytes of a table that was raised

-- An error as text. Of a table without a text of its own its members are shown: its address tells nobody anything.
local function describe(err)
  local meta = debug.getmetatable(err)
  if type(err) == "table" and not (type(meta) == "table" and rawget(meta, "__tostring")) then
    local encoded, json = pcall(core.encode, err)
    if encoded then
      return "a table: " .. json:sub(1, SHOWN)
    end
  end
  local ok, text = pcall(tostring, err)
  return ok and type(text) == "string" and text or "an error that can't be shown"
end

local deferred = {} -- serial -> list of { fn, count, ... }

--- Notes that the task was stopped at a limit: it could not give back what it held.
---@param serial number
function M.note_stop(serial)
  if deferred[serial] then
    deferred[serial].stopped = true
  end
end

local unfinished = {} -- serial -> what core.spawn() was given first for a task whose function runs

-- A task for which nobody waits has failed.
local function report(err)
  core.uncaught("uncaught error in a spawned task: ", describe(err))
end

local function finish(handle, is_cancelled, ok, ...)
  unfinished[handle.serial] = nil
  handle.done, handle.ok = true, ok
  handle.count, handle.results = select("#", ...), { ... }
  if handle.parent then
    handle.parent.children[handle] = nil
  end
  if not ok and not is_cancelled and not (handle.waiters and next(handle.waiters)) then
    report((...))
  end
  wake_waiters(handle)
end

local function ended(handle, ...)
  local stopped = pardon()
  if stopped then
    M.note_stop(handle.serial)
    finish(handle, false, false, stopped)
  else
    finish(handle, cancelled() ~= nil, ...)
  end
end

local function run(handle, fn, ...)
  local reason = cancelled()
  if reason then
    finish(handle, true, false, REASONS[reason])
    return
  end
  unfinished[handle.serial] = handle
  ended(handle, xpcall(fn, traceback, ...))
end

-- One of a Group's functions has ended: what it returned, or raised. `at`: where it stands in the group.
local function finish_member(group, at, is_cancelled, ok, value, err)
  unfinished[group[at + 2]] = nil
  if group.over then
    if not ok and not is_cancelled then
      report(value)
    end
    return
  end
  local key = group[at]
  group[at + 1] = false
  if ok and value ~= nil then
    group.results[key] = value
  else
    group.errors[key] = ok and err or value
  end
  group.left = group.left - 1
  if group.left == 0 and group.address then
    wake(group.address, group.serial)
  end
end

local function member_ended(group, at, ok, value, err)
  local stopped = pardon()
  if stopped then
    M.note_stop(group[at + 2])
    finish_member(group, at, false, false, stopped)
  else
    finish_member(group, at, not ok and cancelled() ~= nil, ok, value, err)
  end
end

local function run_member(group, at, fn)
  local reason = cancelled()
  if reason then
    finish_member(group, at, true, false, REASONS[reason])
    return
  end
  unfinished[group[at + 2]] = group
  member_ended(group, at, xpcall(fn, traceback))
end

--- Raises at the caller's caller unless `fn` is a function.
function M.check_function(fn, name)
  if type(fn) ~= "function" then
    error(("bad argument #1 to '%s' (function expected, got %s)"):format(name, type(fn)), 3)
  end
end

-- All that a handle will ever hold stands in it from the start: a table that grows costs more than one that is large.
local function new_handle(parent)
  return setmetatable({ done = false, ok = false, count = 0, results = false, waiters = false, parent = parent,
    address = false, serial = 0 }, Task)
end

local function begin(handle, fn, ...)
  handle.address, handle.serial = spawn(run, handle, fn, ...)
  return handle
end

--- Runs `fn(...)` as a task of its own: it begins when the running code next waits or ends, and outlives the request.
---@param fn function
---@param ... any
---@return perigee.Task
function M.spawn(fn, ...)
  M.check_function(fn, "spawn")
  M.current("perigee.spawn")
  return begin(new_handle(false), fn, ...)
end

--- The functions of a perigee.all: { key, address or false when it has ended, serial, ... }.
---@class perigee.Group
---@field left integer how many have not ended
---@field size integer of the list
---@field results table
---@field errors table
---@field address userdata|false of who waits
---@field serial number and its serial
---@field over boolean nobody wants to know any more

--- Runs `fn()` as a task of its own whose outcome goes to the group.
---@param group perigee.Group
function M.spawn_member(group, key, fn)
  local at = group.size + 1
  group.left, group.size = group.left + 1, at + 2
  group[at] = key
  group[at + 1], group[at + 2] = spawn(run_member, group, at, fn)
end

--- A task that has ended and returned nothing.
---@return perigee.Task
function M.ended()
  return setmetatable({ done = true, ok = true, count = 0, results = {}, waiters = false }, Task)
end

--- Has `waiter` woken when the task ends: its address, or a Group.
---@param serial number the waiter's
function M.add_waiter(handle, serial, waiter)
  local waiters = handle.waiters
  if waiters then
    waiters[serial] = waiter
  else
    handle.waiters = { [serial] = waiter }
  end
end

---@param serial number
function M.forget_waiter(handle, serial)
  if handle.waiters then
    handle.waiters[serial] = nil
  end
end

--- Waits until the task ends: what its function returned, or nil and the error; nil and "timeout" after `timeout`.
---@param timeout? number seconds
---@return any ...
function Task:wait(timeout)
  if timeout ~= nil and (type(timeout) ~= "number" or timeout ~= timeout) then
    error("bad argument #1 to 'wait' (a number of seconds expected)", 2)
  end
  local task = M.current("task:wait")
  local address, serial = core.current()
  local deadline = timeout and core.monotonic() + timeout
  while not self.done do
    if deadline then
      local left = deadline - core.monotonic()
      if left <= 0 then
        M.forget_waiter(self, serial)
        return nil, "timeout"
      end
      C.perigee_wake_after(task, left)
    end
    M.add_waiter(self, serial, address)
    M.suspend("task:wait", M.forget_waiter, self, serial)
  end
  if deadline then
    C.perigee_stop_timer(task)
  end
  if self.ok then
    return unpack(self.results, 1, self.count)
  end
  return nil, self.results[1]
end

--- Makes the task's next wait raise, or keeps it from beginning.
function Task:cancel()
  if not self.done then
    core.cancel(self.address, self.serial)
  end
end

-- Has `fn(...)` run at the end of the request or task that `task` serves now.
local function defer(task, fn, ...)
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
  defer(task, M.at_end, fn, a)
  deferred[task.serial].watched = true
end

--- Runs `fn(...)` when the running request or task is over, however it ends; the last deferred runs first.
---@param fn function
---@param ... any
function M.defer(fn, ...)
  M.check_function(fn, "defer")
  defer(M.current("perigee.defer"), fn, ...)
end

local families = setmetatable({}, { __mode = "v" }) -- serial of a request -> its tasks

local function cancel_children(family)
  for child in pairs(family.children) do
    child:cancel()
  end
end

--- Runs `fn(...)` as a task of its own that is cancelled when the request of `task` ends: req:spawn.
---@param task table the request's view
---@return perigee.Task
function M.spawn_within(task, fn, ...)
  local family = families[task.serial]
  if not family then
    family = { children = {} }
    families[task.serial] = family
    defer(task, cancel_children, family)
  end
  local handle = new_handle(family)
  family.children[handle] = true
  return begin(handle, fn, ...)
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

local ending = {} -- serial of a task that runs what another deferred -> that one's serial

--- The serial of the running task; of one that runs what was deferred, that of who deferred it. 0 outside of any.
---@return number
function M.whose()
  local task = vm.current
  return task ~= nil and (ending[task.serial] or task.serial) or 0
end

-- Ends a task that failed out of pcall's sight.
local function end_lost(lost, serial, err)
  if getmetatable(lost) == Task then
    finish(lost, true, false, err)
    return
  end
  for at = 1, lost.size, 3 do
    if lost[at + 2] == serial then
      finish_member(lost, at, true, false, err)
    end
  end
end

--- What Dispatcher calls at the end of a task that deferred something, or failed out of pcall's sight (a stray yield).
function M.run_deferred(serial, was_cancelled)
  local lost = unfinished[serial]
  if lost then
    end_lost(lost, serial, core.result()) -- it is logged
  end
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
      core.uncaught("error in a deferred function: ", core.pardon() or describe(err))
    end
  end
  if own then
    ending[own] = nil
  end
end

--- Runs the body of perigee.stream: entries.stream.
---@param fn fun(write: fun(bytes: string): true|nil, string?)
function M.stream(fn, view)
  local serial = view.serial
  local function write(bytes)
    if type(bytes) == "number" then
      bytes = tostring(bytes)
    elseif type(bytes) ~= "string" then
      error("bad argument #1 to 'write' (string expected, got " .. type(bytes) .. ")", 2)
    end
    while view.serial == serial and view.cancelled ~= native.SESSION_ENDED do
      local outcome = C.perigee_stream_write(view, bytes, #bytes)
      if outcome == 0 then
        return true
      elseif outcome == 2 or view.cancelled == native.CLIENT_GONE then
        break
      elseif vm.current.serial == serial then
        view.wants_room = 1
        local ok, err = pcall(M.suspend, "write")
        view.wants_room = 0
        if not ok and view.cancelled ~= native.CLIENT_GONE then
          error(err, 2)
        end
      else
        M.sleep(0.005) -- another task writes: the engine wakes the stream's own
      end
    end
    return nil, "closed"
  end
  return fn(write)
end

M.Task = Task
M.view_of_task = view_of_task
M.describe = describe
M.traceback = traceback

return M
