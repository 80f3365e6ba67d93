---@meta _
-- Annotations of topics, channels and event streams for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

---@class perigee
local perigee = {}

---@class perigee.App
local App = {}

--- What goes with a message.
---@class perigee.PublishOptions
---@field event? string its type: what a browser's `addEventListener` names, "message" without one
---@field id? string|number its id, instead of the one it would get
---@field retry? integer milliseconds after which a client that loses its connection comes back

--- Sends a message to all who listen to a topic, on every worker, and returns at once: it never waits for anybody to
--- receive it. Not at a file's top level.
---
--- ```lua
--- perigee.publish("room:7", { from = "ada", text = "hello" })
--- ```
---@param topic string 1 to 255 bytes, none of them a control byte
---@param data any a string goes out as it is, anything else as JSON
---@param options? perigee.PublishOptions
---@return string? id larger than that of every message before it, unless one was given
---@return string? err "too_large: ..." over `channels.message`
function perigee.publish(topic, data, options) end

--- Whom a topic's channels named as members: the data of each, once, in the order in which they came.
---@param topic string
---@return any[]
function perigee.members(topic) end

--- What a channel's function may say besides.
---@class perigee.ChannelOptions
---@field member? any who the client is, for perigee.members: anything that JSON can say. Connections whose members have
---the same `id`, or without one the same data, are one member

--- Answers with an event stream of what is published on the topics that `fn` returns, for as long as the client stays,
--- over reloads. nil is a 404; problems and statuses are answers as of any handler.
---
--- ```lua
--- app:channel("/rooms/{room}", function(req)
---   return "room:" .. req.params.room, { member = { id = req.query.name } }
--- end)
--- ```
---@param pattern string
---@param spec? perigee.RouteSpec
---@param fn fun(req: perigee.Request): string|string[]|perigee.Response|nil, perigee.ChannelOptions?
---@return perigee.App
---@overload fun(self: perigee.App, pattern: string, fn: function): perigee.App
function App:channel(pattern, spec, fn) end

--- What a subscriber is given.
---@class perigee.TopicMessage
---@field topic string
---@field data any as it was published: a string, or what was JSON
---@field id string
---@field event? string
---@field retry? integer
---@field missed? integer messages before this one that were dropped, because more than `channels.queue` waited

---@class perigee.Subscription
local Subscription = {}

--- Ends it. What has come and was not taken yet is dropped.
function Subscription:close() end

--- Calls `fn(message)` for what is published on a topic from now on, by whatever worker: one message after another, in
--- a task of the worker that runs this. Ends with this version of the app. Not at a file's top level.
---
--- ```lua
--- app:start(function()
---   perigee.subscribe("settings", function(message) settings = message.data end)
--- end)
--- ```
---@param topic string
---@param fn fun(message: perigee.TopicMessage) an error in it is logged, and the next message comes
---@return perigee.Subscription
function perigee.subscribe(topic, fn) end

--- An event that a stream sends.
---@class perigee.Message
---@field data? any a string goes out as it is, anything else as JSON; without it browsers dispatch no event
---@field event? string its type
---@field id? string|number what a client that comes back sends as Last-Event-ID
---@field retry? integer milliseconds after which a client that loses its connection comes back

--- An event stream that a function writes.
---@class perigee.EventStream
---@field last_event_id? string the id that a client which comes back had last
local EventStream = {}

--- Sends an event. Waits while `http.output_watermark` bytes are unsent.
---@param message string|perigee.Message a string is the data of an event without more
---@return true|nil ok, string? err "closed" when the client has gone
function EventStream:send(message) end

--- The messages of a topic from now on, for a loop. It ends when the client has gone, or at the drain deadline.
---
--- ```lua
--- for message in stream:subscribe("room:7") do
---   if message.data.to == user then stream:send(message) end
--- end
--- ```
---@param topic string
---@return fun(): perigee.TopicMessage?
function EventStream:subscribe(topic) end

--- Whether the server stops, or a newer version of the app has taken over. The stream should end soon, and its client
--- will come back; at the drain deadline it is ended.
---@return boolean
function EventStream:draining() end

--- An event stream as the answer: `fn(stream)` runs once the head is sent, and the stream ends when it returns.
---
--- ```lua
--- return perigee.sse(function(stream)
---   for i = 10, 0, -1 do
---     stream:send { data = { left = i }, event = "tick" }
---     perigee.sleep(1)
---   end
--- end)
--- ```
---@param fn fun(stream: perigee.EventStream)
---@return perigee.Response
function perigee.sse(fn) end

return perigee
