-- Server-sent events as they are read off a stream (WHATWG HTML, section 9.2.6).

local M = {}

---@class perigee.test.Events
local Events = {}
Events.__index = Events

-- One block of lines as an event; nil for one without any data, which is a comment or sets only the id or the delay.
local function parse(events, block)
  local event, data = { event = "message" }, {}
  for line in (block .. "\n"):gmatch("(.-)\r?\n") do
    local field, value = line:match("^([^:]+):? ?(.*)$")
    if field == "data" then
      data[#data + 1] = value
    elseif field == "event" and value ~= "" then
      event.event = value
    elseif field == "id" then
      events.last_id = value
    elseif field == "retry" then
      event.retry = tonumber(value)
    end
  end
  event.id = events.last_id
  event.data = table.concat(data, "\n")
  return data[1] and event or nil
end

-- The next whole block of what has come, without it; nil where there is none.
local function take_block(events)
  local first, last = events.text:find("\r?\n\r?\n")
  if not first then
    return nil
  end
  local block = events.text:sub(1, first - 1)
  events.text = events.text:sub(last + 1)
  return block
end

--- The next event: { data, event, id, retry }. Nil at the stream's end; nil and "timeout" or "closed".
---@param seconds? number as long as the test may take by default
---@return { data: string, event: string, id: string?, retry: integer? }?, string?
function Events:next(seconds)
  while true do
    local block = take_block(self)
    while block do
      local event = parse(self, block)
      if event then
        return event
      end
      block = take_block(self)
    end
    local part, err = self.stream:read(seconds)
    if not part then
      return nil, err
    end
    self.text = self.text .. part
  end
end

function Events:__call()
  local event, err = self:next()
  if err == "timeout" then
    require("perigee.test.place").raise("no event came in the time a test may take (--timeout)")
  end
  return event
end

--- Hangs up.
function Events:close()
  self.stream:close()
end

---@param stream { read: function, close: function, status: integer, headers: table }
---@return perigee.test.Events
function M.new(stream)
  return setmetatable({ stream = stream, text = "", status = stream.status, headers = stream.headers }, Events)
end

return M
