-- Spawned tasks: their handles, the groups of perigee.all, the families of requests.

local core = require "perigee.core"
local deferred = require "perigee.deferred"
local error_text = require "perigee.error_text"
local native = require "perigee.native"
local tasks = require "perigee.tasks"

local C, vm = native.C, native.vm
local pardon, spawn, wake = core.pardon, core.spawn, core.wake
local current, suspend, check_function, REASONS = tasks.current, tasks.suspend, tasks.check_function, tasks.REASONS
local describe, traceback = error_text.describe, error_text.traceback

local M = {}

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

-- A task's number -> what core.spawn() was given first for it while its function runs; false where none does.
local unfinished = {}

-- The reason why the running task is cancelled; nil where it is not.
local function cancelled()
  local reason = vm.current.cancelled
  return reason ~= 0 and reason or nil
end

-- Where the running task was stopped by a limit; nil where it was not.
local function stopped_at()
  return vm.stopped == vm.current.serial and pardon() or nil
end

-- A task for which nobody waits has failed.
local function report(err)
  core.uncaught("uncaught error in a spawned task: ", describe(err))
end

local function finish(handle, is_cancelled, ok, ...)
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
  local stopped = stopped_at()
  unfinished[vm.current.number] = false
  if stopped then
    deferred.note_stop(handle.serial)
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
  unfinished[vm.current.number] = handle
  ended(handle, xpcall(fn, traceback, ...))
end

-- One of a Group's functions has ended: what it returned, or raised. `at`: where it stands in the group.
local function finish_member(group, at, is_cancelled, ok, value, err)
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
  local stopped = stopped_at()
  unfinished[vm.current.number] = false
  if stopped then
    deferred.note_stop(group[at + 2])
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
  unfinished[vm.current.number] = group
  member_ended(group, at, xpcall(fn, traceback))
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
  check_function(fn, "spawn")
  current("perigee.spawn")
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
  local task = current("task:wait")
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
    suspend("task:wait", M.forget_waiter, self, serial)
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
    deferred.within(task, cancel_children, family)
  end
  local handle = new_handle(family)
  family.children[handle] = true
  return begin(handle, fn, ...)
end

-- Ends the task of that serial, which failed out of pcall's sight. `number`: the task's.
local function end_lost(lost, serial, number, err)
  if getmetatable(lost) == Task then
    if lost.serial == serial then
      unfinished[number] = false
      finish(lost, true, false, err)
    end
    return
  end
  for at = 1, lost.size, 3 do
    if lost[at + 2] == serial then
      unfinished[number] = false
      finish_member(lost, at, true, false, err)
    end
  end
end

--- What Dispatcher calls at the end of a task that deferred something, or failed out of pcall's sight (a stray yield).
---@param number integer that of the task
function M.run_deferred(serial, was_cancelled, number)
  local lost = unfinished[number]
  if lost then
    end_lost(lost, serial, number, core.result()) -- it is logged
  end
  deferred.run(serial, was_cancelled)
end

M.Task = Task

return M
