-- Topics: what is published on one reaches every subscriber on every worker (engine/state/topics.h). Also the clients
-- that app:channel makes subscribers: from its answer on a connection belongs to the engine.

local core = require "perigee.core"
local digits = require "perigee.digits"
local response = require "perigee.response"
local tasks = require "perigee.tasks"

local M = {}

local MOST_TOPICS = 64 -- of one client

--- What event and id of a message may be, as text. Raises at the caller `level` above.
---@param what string whose field it is, for the message
function M.check_field(value, name, what, level)
  if type(value) == "number" then
    value = digits(value)
  elseif type(value) ~= "string" then
    error(("%s: %s is a string, got %s"):format(what, name, type(value)), level + 1)
  end
  if value:find("[\r\n%z]") then
    error(("%s: %s holds CR, LF or NUL"):format(what, name), level + 1)
  end
  return value
end

--- The milliseconds of a message's retry. Raises likewise.
function M.check_retry(value, what, level)
  if type(value) ~= "number" or value < 0 or value % 1 ~= 0 or value > 2 ^ 31 then
    error(what .. ": retry is a number of milliseconds, without a fraction", level + 1)
  end
  return value
end

local OPTIONS = { event = true, id = true, retry = true }

local function read_options(options)
  if type(options) ~= "table" then
    error("bad argument #3 to 'publish' (table expected, got " .. type(options) .. ")", 3)
  end
  for name in pairs(options) do
    if not OPTIONS[name] then
      error(("perigee.publish has no option '%s'"):format(tostring(name)), 3)
    end
  end
  local event, id, retry = options.event, options.id, options.retry
  return event ~= nil and M.check_field(event, "event", "perigee.publish", 3) or nil,
    id ~= nil and M.check_field(id, "id", "perigee.publish", 3) or nil,
    retry ~= nil and M.check_retry(retry, "perigee.publish", 3) or nil
end

-- What makes a name too long; raises at the caller's caller for one that can't be a topic's at all.
local function check_topic(topic, name)
  if type(topic) ~= "string" then
    error(("bad argument #1 to '%s' (a topic's name expected, got %s)"):format(name, type(topic)), 3)
  end
  local fault, too_large = core.topic_fault(topic)
  if fault and not too_large then
    error(("bad argument #1 to '%s' (%s)"):format(name, fault), 3)
  end
  return fault
end

--- Raises at `level` for what is no topic's name.
---@param name string the function that was given it
function M.check_name(topic, name, level)
  local fault = type(topic) ~= "string" and "a topic's name expected, got " .. type(topic) or core.topic_fault(topic)
  if fault then
    error(("bad argument #1 to '%s' (%s)"):format(name, fault), level)
  end
end

--- Sends a message to all who listen to a topic, on every worker, and returns at once.
---@param topic string
---@param data any a string goes out as it is, anything else as JSON
---@param options? perigee.PublishOptions
---@return string? id, string? err
function M.publish(topic, data, options)
  tasks.current("perigee.publish")
  local fault = check_topic(topic, "publish")
  if fault then
    return nil, "too_large: " .. fault
  elseif data == nil then
    error("bad argument #2 to 'publish' (data expected, got nil)", 2)
  end
  if options == nil then
    return core.publish(topic, data)
  end
  local event, id, retry = read_options(options)
  return core.publish(topic, data, event, id, retry)
end

--- Whom the clients of a topic's channels were named as: the data of each, once, those who came first first.
---@param topic string
---@return any[]
function M.members(topic)
  tasks.current("perigee.members")
  if check_topic(topic, "members") then
    return core.decode("[]")
  end
  return core.decode(core.members(topic))
end

-- A text that is the same for equal values, in whatever order their keys stand.
local function canonical(value)
  if type(value) == "number" then
    return "n" .. digits(value)
  elseif type(value) ~= "table" then
    return type(value):sub(1, 1) .. tostring(value)
  end
  local parts = {}
  for key, item in pairs(value) do
    parts[#parts + 1] = ("%q"):format(canonical(key)) .. ("%q"):format(canonical(item))
  end
  table.sort(parts)
  return "{" .. table.concat(parts) .. "}"
end

-- Connections with the same key are one member: a member's id says who it is, else all of its data does.
local function key_of(member)
  if type(member) == "table" and member.id ~= nil then
    return "i" .. canonical(member.id)
  end
  return "d" .. canonical(member)
end

local function list_of(topics)
  if type(topics) == "string" then
    return { topics }
  elseif type(topics) ~= "table" then
    error("a channel's function returned a " .. type(topics) .. " as its topic", 0)
  end
  local list, seen = {}, {}
  for _, topic in ipairs(topics) do
    if type(topic) ~= "string" then
      error("a channel's function returned a " .. type(topic) .. " as a topic", 0)
    elseif not seen[topic] then
      seen[topic] = true
      list[#list + 1] = topic
    end
  end
  if #list == 0 then
    error("a channel's function returned an empty list of topics", 0)
  elseif #list > MOST_TOPICS then
    error(("a channel's function returned %d topics: a client has at most %d"):format(#list, MOST_TOPICS), 0)
  end
  return list
end

local function read_member(channel, options)
  if type(options) ~= "table" then
    error("a channel's function returned a " .. type(options) .. " as options", 0)
  end
  for name in pairs(options) do
    if name ~= "member" then
      error(("a channel has no option '%s'"):format(tostring(name)), 0)
    end
  end
  if options.member ~= nil then
    channel.data = core.encode(options.member)
    channel.key = key_of(options.member)
  end
end

local function answer(topics, options, ...)
  if topics == nil and options == nil then
    return response.problem(404)
  elseif topics == nil or type(topics) == "number" or response.is_response(topics) then
    return topics, options, ... -- as any handler would
  end
  local channel = { topics = list_of(topics) }
  for _, topic in ipairs(channel.topics) do
    local fault = core.topic_fault(topic)
    if fault then
      return response.problem(404, fault)
    end
  end
  if options ~= nil then
    read_member(channel, options)
  end
  return response.of_channel(channel)
end

--- The handler of a route whose clients listen.
---@param fn function app:channel's
function M.handler(fn)
  return function(req)
    return answer(fn(req))
  end
end

return M
