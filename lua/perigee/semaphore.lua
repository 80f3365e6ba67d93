-- perigee.semaphore: at most so many at once, in one worker; who waits is served in order.

local core = require "perigee.core"
local native = require "perigee.native"
local tasks = require "perigee.tasks"

local C = native.C

local M = {}

---@class perigee.Semaphore
---@field private free integer
---@field private queue table[] those who wait, from `first` to `last`
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
  return setmetatable({ count = count, free = count, queue = {}, first = 1, last = 0 }, Semaphore)
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

--- Takes one, and waits until one is free.
---@param timeout? number seconds; 0 does not wait
---@return true|nil, string? "timeout"
function Semaphore:acquire(timeout)
  if self.free > 0 then
    self.free = self.free - 1
    return true
  elseif timeout ~= nil and (type(timeout) ~= "number" or not (timeout >= 0)) then
    error("bad argument #1 to 'acquire' (a number of seconds, 0 or more, expected)", 2)
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

--- Gives one back; any task may.
function Semaphore:release()
  if self.free == self.count then
    error("a semaphore was released that nobody held", 2)
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
  self:acquire()
  return leave_with(self, pcall(fn, ...))
end

return M
