-- What Lua functions are told of topics: perigee.subscribe, and the messages that a stream waits for. What has come and
-- was not taken yet, the engine holds (engine/script/subscription.h).

local channels = require "perigee.channels"
local core = require "perigee.core"
local error_text = require "perigee.error_text"
local native = require "perigee.native"
local spawned = require "perigee.spawned"
local tasks = require "perigee.tasks"

local C, vm = native.C, native.vm

local M = {}

--- Begins to listen to a topic. Raises at the caller's caller for one that can't be.
---@param name string who asks, for the message
function M.listen(topic, name)
  channels.check_name(topic, name, 4)
  return { source = core.listen(topic), open = true }
end

--- Ends it; a task that waits goes on.
function M.close(listening)
  if listening.open then
    listening.open = false
    core.stop_listening(listening.source)
    if listening.address then
      core.wake(listening.address, listening.serial)
    end
  end
end

--- The next message; nil when the running task was woken for another reason, or after `seconds`. Raises when the task
--- was cancelled.
---@param what string who waits, for the message
---@param seconds? number
---@return perigee.TopicMessage?
function M.next(listening, what, seconds)
  if not listening.open then
    return nil
  end
  local message = core.take_message(listening.source)
  if message then
    return message
  end
  local task = vm.current
  listening.address, listening.serial = core.current()
  core.await_message(listening.source)
  if seconds then
    C.perigee_wake_after(task, seconds)
  end
  local ok, err = pcall(tasks.suspend, what)
  C.perigee_stop_timer(task)
  listening.address = nil
  if not ok then
    error(err, 0)
  end
  return listening.open and core.take_message(listening.source) or nil
end

---@class perigee.Subscription
local Handle = {}
Handle.__index = Handle
M.Handle = Handle

local function deliver(handle, fn, message)
  local task = vm.current
  local ok, err = xpcall(fn, error_text.traceback, message)
  if not ok and task.cancelled == 0 then
    core.log("error", ("error in the subscriber of '%s' at %s: %s"):format(message.topic, handle.place,
      error_text.describe(err)))
  end
end

-- One message after the other, until the subscription is closed or a newer version of the app takes over.
local function run(handle, fn)
  local task, listening = vm.current, handle.listening
  while listening.open and vm.retired == 0 and task.cancelled == 0 do
    task.ticking = 1
    local ok, message = pcall(M.next, listening, "perigee.subscribe")
    task.ticking = 0
    if ok and message then
      deliver(handle, fn, message)
    end
  end
  M.close(listening)
end

--- Calls `fn(message)` for what is published on a topic from now on, one after the other, in a task of this worker.
--- Ends with this version of the app.
---@param topic string
---@param fn fun(message: perigee.TopicMessage)
---@return perigee.Subscription
function M.subscribe(topic, fn)
  tasks.current("perigee.subscribe")
  local listening = M.listen(topic, "subscribe")
  if type(fn) ~= "function" then
    M.close(listening)
    error("bad argument #2 to 'subscribe' (function expected, got " .. type(fn) .. ")", 2)
  end
  local info = debug.getinfo(fn, "S")
  local handle = setmetatable({ listening = listening,
    place = info.short_src .. ":" .. info.linedefined }, Handle)
  spawned.spawn(run, handle, fn)
  return handle
end

--- Ends it. What has come and was not taken yet is dropped.
function Handle:close()
  M.close(self.listening)
end

return M
