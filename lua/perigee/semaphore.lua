-- perigee.semaphore: at most so many at once, in one worker; who waits is served in order.

local core = require "perigee.core"
local deferred = require "perigee.deferred"
local native = require "perigee.native"
local tasks = require "perigee.tasks"

local C = native.C

local M = {}

---@class perigee.Semaphore
---@field private free integer
---@field private queue table[] those who wait, from `first` to `last`
---@field private held table<number, integer> by the serials of tasks: how many each took with acquire() and has
---@field private left integer taken by tasks that have come to their end since
local Semaphore = {}
Semaphore.__index = Semaphore
M.Semaphore = Semaphore

--- A semaphore of which `count` may be held at once.
---@param count integer
---@return perigee.Semaphore
function M.new(count)
  if type(count) ~= "number" or count < 1 or count % 1 ~= 0 then
    error("bad argument #1 to 'semaphore' (a whole number, 1 or more, expected)", 2)
  end
  return setmetatable({ count = count, free = count, queue = {}, first = 1, last = 0, held = {}, left = 0 }, Semaphore)
end

-- Gives one up: to the first in the queue, or back.
local function pass_on(self)
  while self.first <= self.last do
    local place = self.queue[self.first]
    self.queue[self.first] = nil
    self.first = self.first + 1
    if not place.left then
      place.granted = true
      core.wake(place.address, place.serial)
      return
    end
  end
  self.free = self.free + 1
end

-- Who waits leaves. What it was given meanwhile goes to the next.
local function leave(self, place)
  place.left = true
  if place.granted then
    pass_on(self)
  end
end

local function take(self, timeout)
  if self.free > 0 then
    self.free = self.free - 1
    return true
  elseif timeout == 0 then
    return nil, "timeout"
  end
  local task = tasks.current("semaphore:acquire")
  local place, deadline = {}, timeout and core.monotonic() + timeout
  place.address, place.serial = core.current()
  self.last = self.last + 1
  self.queue[self.last] = place
  while not place.granted do
    if deadline then
      local left = deadline - core.monotonic()
      if left <= 0 then
        place.left = true
        return nil, "timeout"
      end
      C.perigee_wake_after(task, left)
    end
    tasks.suspend("semaphore:acquire", leave, self, place)
  end
  C.perigee_stop_timer(task)
  return true
end

-- A task is over. What it holds is given back if it was cancelled or stopped, for then it could not; one that came to
-- its end by itself may have left that to another task.
local function settle(self, serial, stopped)
  local count = self.held[serial] or 0
  self.held[serial] = nil
  if not stopped then
    self.left = self.left + count
    return
  end
  for _ = 1, count do
    pass_on(self)
  end
end

--- Takes one, and waits until one is free.
---@param timeout? number seconds; 0 does not wait
---@return true|nil, string? "timeout"
function Semaphore:acquire(timeout)
  if timeout ~= nil and (type(timeout) ~= "number" or not (timeout >= 0)) then
    error("bad argument #1 to 'acquire' (a number of seconds, 0 or more, expected)", 2)
  end
  local taken, err = take(self, timeout)
  local task = native.vm.current
  if not taken or task == nil then
    return taken, err
  end
  local serial = task.serial
  local held = self.held[serial]
  self.held[serial] = (held or 0) + 1
  if not held then
    deferred.at_end(task, settle, self)
  end
  return true
end

-- Whose of those held is given back: one's own, else one that a task has left, else that of the task that began first.
local function holder(self)
  local serial = deferred.whose()
  if (self.held[serial] or 0) > 0 then
    return serial
  elseif self.left > 0 then
    self.left = self.left - 1
    return nil
  end
  local oldest
  for other, count in pairs(self.held) do
    if count > 0 and (not oldest or other < oldest) then
      oldest = other
    end
  end
  return oldest
end

--- Gives one back; any task may.
function Semaphore:release()
  if self.free == self.count then
    error("a semaphore was released that nobody held", 2)
  end
  local whose = holder(self)
  if whose then
    self.held[whose] = self.held[whose] - 1
  end
  pass_on(self)
end

local function leave_with(self, ok, ...)
  pass_on(self)
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Runs `fn(...)` while holding one, and gives it back whatever happens.
---@param fn function
---@param ... any
---@return any ... what fn returns
function Semaphore:with(fn, ...)
  tasks.check_function(fn, "with")
  take(self)
  return leave_with(self, pcall(fn, ...))
end

return M
