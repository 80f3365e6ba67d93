-- A request as it reaches test.upstream: read off the bytes that an app has sent, and shown to the test's handler.

local core = require "perigee.core"
local answer = require "perigee.test.answer"

local M = {}

-- The chunks at `at` and what follows them, as text and the place behind them; nil while some are missing.
local function dechunked(bytes, at)
  local parts = {}
  while true do
    local _, last, size = bytes:find("^(%x+)[^\r\n]*\r\n", at)
    if not size then
      return nil
    end
    local length = tonumber(size, 16)
    if length == 0 then
      local _, finish = bytes:find("^\r\n", last + 1)
      if not finish then
        _, finish = bytes:find("\r\n\r\n", last + 1, true)
      end
      return finish and table.concat(parts), finish and finish + 1
    elseif #bytes < last + length + 2 then
      return nil
    end
    parts[#parts + 1] = bytes:sub(last + 1, last + length)
    at = last + length + 3
  end
end

local function body_at(bytes, at, headers)
  if (headers["transfer-encoding"] or ""):lower():find("chunked", 1, true) then
    return dechunked(bytes, at)
  end
  local length = tonumber(headers["content-length"]) or 0
  if #bytes >= at + length - 1 then
    return bytes:sub(at, at + length - 1), at + length
  end
end

local function unescaped(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- The first value of each name.
local function query_of(text)
  local query = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    name = unescaped(name)
    query[name] = query[name] or unescaped(value)
  end
  return query
end

---@class perigee.test.UpstreamRequest
local Request = {}
Request.__index = Request

--- The body as JSON; nil and why where it is none.
---@return any, string?
function Request:json()
  return core.decode(self.body)
end

--- Lets seconds pass before the answer, on the apps' clock, which test.clock may move on.
---@param seconds number math.huge: the answer never comes
function Request:wait(seconds) -- luacheck: ignore 212
  if type(seconds) ~= "number" or not (seconds >= 0) then
    error("bad argument #1 to 'wait' (a number of seconds, 0 or more, expected)", 2)
  end
  coroutine.yield(seconds)
end

--- Ends the connection without an answer.
function Request:hang_up()
  self.gone = true
end

--- The first request of `bytes`, and what follows it; nil while some of it is missing.
---@param bytes string
---@return perigee.test.UpstreamRequest?, string?
function M.read(bytes)
  local _, head_end = bytes:find("\r\n\r\n", 1, true)
  local method, target, fields = bytes:sub(1, head_end or 0):match("^(%S+) (%S+) HTTP/1%.%d\r\n(.*)\r\n$")
  if not method then
    return nil
  end
  local headers = answer.headers(fields)
  local body, rest = body_at(bytes, head_end + 1, headers)
  if not body then
    return nil
  end
  target = target:gsub("^%a+://[^/]*", "") -- as a proxy is asked
  local path, query = target:match("^([^?]*)%??(.*)$")
  return setmetatable({ method = method, target = target, path = path, query = query_of(query), headers = headers,
    host = headers.host, body = body, gone = false }, Request), bytes:sub(rest)
end

return M
