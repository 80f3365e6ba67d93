-- Response values: what a handler may return beside strings and tables. The engine reads their fields
-- (engine/script/bind_answer.cc).

local core = require "perigee.core"
local html = require "perigee.html"

local M = {}

---@class perigee.Response
---@field kind string
---@field status? integer
---@field headers table<string, string|number|string[]>
---@field body any
---@field type? string the content type
local Response = core.response_mark
Response.__index = Response
Response.__name = "perigee.Response"

local function new(kind, body, status, content_type, headers)
  local response = { kind = kind, body = body, status = status, type = content_type, headers = headers or {} }
  return setmetatable(response, Response)
end

--- Text, as text/plain in UTF-8.
---@param body string
---@return perigee.Response
function M.text(body)
  return new("text", tostring(body))
end

--- Any value as JSON, also strings, numbers, booleans and perigee.null.
---@param value any
---@return perigee.Response
function M.json(value)
  if value == nil then
    value = core.null
  end
  return new("json", value)
end

--- Bytes of a type.
---@param data string
---@param content_type? string default application/octet-stream
---@return perigee.Response
function M.bytes(data, content_type)
  if type(data) ~= "string" then
    error("bad argument #1 to 'bytes' (string expected, got " .. type(data) .. ")", 2)
  end
  return new("bytes", data, nil, content_type or "application/octet-stream")
end

local HTML = "text/html; charset=utf-8"

--- A page. Of a string every {name} is replaced by the escaped value of that name; without values nothing is.
---@param template string|perigee.Template
---@param values? table<string, any>
---@return perigee.Response
function M.html(template, values)
  if values ~= nil and type(values) ~= "table" then
    error("bad argument #2 to 'html' (table expected, got " .. type(values) .. ")", 2)
  end
  if type(template) == "string" then
    return new("html", values and html.fill(template, values) or template, nil, HTML)
  elseif type(template) == "table" and type(template.render) == "function" then
    return new("html", template:render(values), nil, HTML)
  end
  error("bad argument #1 to 'html' (string or template expected, got " .. type(template) .. ")", 2)
end

--- Sends the client elsewhere: 307 after GET and HEAD, else 303, unless `status` says otherwise.
---@param url string
---@param status? integer 300 to 399
---@return perigee.Response
function M.redirect(url, status)
  if type(url) ~= "string" then
    error("bad argument #1 to 'redirect' (string expected, got " .. type(url) .. ")", 2)
  end
  if status ~= nil and (type(status) ~= "number" or status < 300 or status > 399 or status % 1 ~= 0) then
    error("bad argument #2 to 'redirect' (an integer from 300 to 399 expected)", 2)
  end
  return new("redirect", nil, status, nil, { location = url })
end

--- A problem document (RFC 9457). `error(perigee.problem(...))` answers it from any depth.
---@param status integer 400 to 599
---@param detail? string what went wrong, for the client
---@param extra? table<string, any> more members of the document
---@param headers? table<string, string>
---@return perigee.Response
function M.problem(status, detail, extra, headers)
  if type(status) ~= "number" or status < 400 or status > 599 or status % 1 ~= 0 then
    error("bad argument #1 to 'problem' (an integer from 400 to 599 expected)", 2)
  end
  local document = {}
  for key, value in pairs(extra or {}) do
    document[key] = value
  end
  document.title, document.status, document.detail = core.reason(status), status, detail
  return new("problem", document, status, nil, headers)
end

--- A body written bit by bit: `fn(write)` runs once the head is sent. `write(bytes)` waits for room and returns true,
--- or nil and "closed" when the client has gone.
---@param fn fun(write: fun(bytes: string): true|nil, string?)
---@param content_type? string default application/octet-stream
---@return perigee.Response
function M.stream(fn, content_type)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'stream' (function expected, got " .. type(fn) .. ")", 2)
  end
  return new("stream", fn, nil, content_type)
end

--- The response value of a file that was found (lua/perigee/files.lua).
function M.of_file(found, headers)
  return new("file", found, nil, nil, headers)
end

local EVENT_STREAM = "text/event-stream"

-- What keeps caches and proxies from holding an event stream back.
local function stream_headers()
  return { ["cache-control"] = "no-store", ["x-accel-buffering"] = "no" }
end

--- An event stream that a function writes (lua/perigee/sse.lua).
function M.of_events(fn)
  return new("stream", fn, nil, EVENT_STREAM, stream_headers())
end

--- The answer that makes a connection a subscriber (lua/perigee/channels.lua).
function M.of_channel(channel)
  return new("channel", channel, nil, EVENT_STREAM, stream_headers())
end

function M.is_response(value)
  return getmetatable(value) == Response
end

return M
