-- What perigee.http returns: an answer, whose headers are read when they are asked for, and whose body may still be on
-- its way.

local core = require "perigee.core"
local tasks = require "perigee.tasks"

local suspend = tasks.suspend

local M = {}

--- Steps a call until it has what was asked for; whoever is cancelled meanwhile closes it.
local function await(call, step, argument)
  while true do
    local done, a, b, c, d = step(call, argument)
    if done ~= nil then
      return done, a, b, c, d
    end
    suspend("perigee.http", core.http_close, call, nil, core.http_site(call))
  end
end

---@class perigee.HttpResponse
local Response = {}

-- The names of headers in any case.
local Headers = {
  __index = function(headers, name)
    local lower = type(name) == "string" and name:lower()
    return lower and lower ~= name and rawget(headers, lower) or nil
  end,
}

-- The headers are read out of the head when they are asked for.
function Response:__index(name)
  local head = name == "headers" and rawget(self, "head")
  if not head then
    return Response[name]
  end
  local headers = setmetatable(core.http_headers(head, self.decoded), Headers)
  self.headers = headers
  return headers
end

--- The body, read as JSON.
---@return any, string?
function Response:json()
  if self.body == nil then
    error("the body of a streamed answer comes by chunks() or read()", 2)
  end
  return core.decode(self.body)
end

-- The next part of what is read; nothing of what was closed meanwhile.
local function take_part(call, response)
  if response.ended then
    return true, ""
  end
  return core.http_read(call)
end

--- The next part of a streamed body; nil at its end.
---@return string|nil, string? err
function Response:read()
  local call = self.call
  if not call then
    local body = self.body
    self.body = nil
    return body
  elseif self.ended then
    return nil, self.error
  elseif self.reader then
    error("another task is reading the answer", 2)
  end
  self.reader, self.serial = core.current()
  local ok, done, part = pcall(await, call, take_part, self)
  self.reader = nil
  if not ok then
    self.ended = true
    error(done, 0)
  elseif done and part ~= "" then
    return part
  end
  self.ended = true
  self.error = not done and part or nil
  core.http_close(call)
  return nil, self.error
end

--- An iterator over the parts of the body. Where it breaks off, `error` of the answer says why.
---@return fun(): string|nil
function Response:chunks()
  return function()
    return (self:read())
  end
end

--- Closes the connection of a streamed answer that is not read to its end. A task that is reading finds the end.
function Response:close()
  if self.call and not self.ended then
    self.ended = true
    core.http_close(self.call)
    if self.reader then
      core.wake(self.reader, self.serial)
    end
  end
end

M.Response, M.await = Response, await

return M
