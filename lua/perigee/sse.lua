-- perigee.sse: an event stream that a function writes, on the machinery of perigee.stream. It belongs to the version of
-- the app that it began in.

local channels = require "perigee.channels"
local core = require "perigee.core"
local error_text = require "perigee.error_text"
local native = require "perigee.native"
local response = require "perigee.response"
local subscriptions = require "perigee.subscriptions"

local M = {}

---@class perigee.EventStream
---@field last_event_id? string what a client that comes back had last
local Stream = {}
M.Stream = Stream
Stream.__index = Stream

local FIELDS = { data = true, event = true, id = true, retry = true, topic = true, missed = true }

local function check_message(message)
  for name in pairs(message) do
    if not FIELDS[name] then
      error(("stream:send has no field '%s': what is to be sent goes under data"):format(tostring(name)), 3)
    end
  end
end

-- The event as it goes out.
local function framed(message)
  local data, event, id, retry = message.data, message.event, message.id, message.retry
  if data ~= nil and type(data) ~= "string" then
    data = core.encode(data)
  end
  return core.sse_event(data, event ~= nil and channels.check_field(event, "event", "stream:send", 3) or nil,
    id ~= nil and channels.check_field(id, "id", "stream:send", 3) or nil,
    retry ~= nil and channels.check_retry(retry, "stream:send", 3) or nil)
end

--- Sends an event; waits while the client takes nothing.
---@param message string|perigee.Message a string is the data of an event without more
---@return true|nil ok, string? err "closed" when the client has gone
function Stream:send(message)
  if type(message) == "string" then
    return self.write(core.sse_event(message))
  elseif type(message) ~= "table" then
    error("bad argument #1 to 'send' (string or table expected, got " .. type(message) .. ")", 2)
  end
  check_message(message)
  return self.write(framed(message))
end

--- Whether the server stops, or a newer version of the app has taken over: the stream should end soon, and its client
--- will come back. At the drain deadline it is ended.
---@return boolean
function Stream:draining() -- luacheck: ignore 212
  return native.vm.retired ~= 0
end

local ENDS = { [native.CLIENT_GONE] = true, [native.DRAINING] = true, [native.SESSION_ENDED] = true }
local HEARTBEAT = ":\n\n"

-- The next message of a topic; nil when the stream is over. Meanwhile the client gets heartbeats.
local function next_message(stream, listening)
  local task = native.vm.current
  while listening.open do
    local ok, message = pcall(subscriptions.next, listening, "stream:subscribe", stream.heartbeat)
    if ok and message then
      return message
    elseif ENDS[task.cancelled] then
      break
    elseif not ok then
      error(message, 0)
    elseif not stream.write(HEARTBEAT) then
      break
    end
  end
  subscriptions.close(listening)
  return nil
end

--- The messages of a topic from now on, for a loop: `for message in stream:subscribe(topic) do`. It ends when the
--- client has gone, or the stream is to end.
---@param topic string
---@return fun(): perigee.TopicMessage?
function Stream:subscribe(topic)
  local listening = subscriptions.listen(topic, "subscribe")
  self.listening[#self.listening + 1] = listening
  return function()
    return next_message(self, listening)
  end
end

local function last_event_id(task)
  local found = native.C.perigee_header(task, "last-event-id", 13)
  return found ~= nil and native.string(found.data, found.size) or nil
end

--- An event stream as the answer: `fn(stream)` runs once the head is sent, and the stream ends with it.
---@param fn fun(stream: perigee.EventStream)
---@return perigee.Response
function M.sse(fn)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'sse' (function expected, got " .. type(fn) .. ")", 2)
  end
  return response.of_events(function(write)
    local stream = setmetatable({ write = write, last_event_id = last_event_id(native.vm.current), listening = {},
      heartbeat = core.heartbeat() }, Stream)
    local ok, err = xpcall(fn, error_text.traceback, stream)
    for _, listening in ipairs(stream.listening) do
      subscriptions.close(listening)
    end
    if not ok then
      error(err, 0)
    end
  end)
end

return M
