-- What a handler of test.upstream returns, as bytes: the same that a handler of an app may return, but for streams.

local core = require "perigee.core"
local response = require "perigee.response"

local M = {}

local TEXT, JSON, PROBLEM = "text/plain; charset=utf-8", "application/json", "application/problem+json"
local WHOLE = { text = true, json = true, html = true, bytes = true, problem = true, redirect = true }

-- Status, body and type of a response value.
local function of_value(value)
  if not WHOLE[value.kind] then
    error("an upstream's handler can't return a " .. value.kind, 0)
  elseif value.kind == "json" then
    return value.status, core.encode(value.body), JSON
  elseif value.kind == "problem" then
    return value.status, core.encode(value.body), PROBLEM
  elseif value.kind == "redirect" then
    return value.status or 307, "", nil
  end
  return value.status, value.body, value.type or TEXT
end

-- The default status, the bytes and the type of what was returned as a body.
local function of_body(body)
  if body == nil then
    return 204, "", nil
  elseif response.is_response(body) then
    return of_value(body)
  elseif type(body) == "table" then
    return 200, core.encode(body), JSON
  elseif type(body) == "string" then
    return 200, body, TEXT
  end
  error("an upstream's handler returned a " .. type(body) .. " as a body", 0)
end

-- Lines of fields; names in any case, a list is a line for each item.
local function field_lines(lines, fields)
  for name, value in pairs(fields) do
    for _, item in ipairs(type(value) == "table" and value or { value }) do
      local line = tostring(name) .. ": " .. tostring(item)
      if line:find("[\r\n%z]") then
        error("an upstream's header " .. core.encode(tostring(name)) .. " holds a line's end", 0)
      end
      lines[#lines + 1] = line
    end
  end
end

local function lowered(...)
  local fields = {}
  for i = 1, select("#", ...) do
    for name, value in pairs((select(i, ...)) or {}) do
      fields[tostring(name):lower()] = value
    end
  end
  return fields
end

--- The bytes of an answer. Raises where what was returned is none.
---@param method string of the request
---@return string
function M.compose(method, status, body, headers)
  if type(status) ~= "number" then
    status, body, headers = nil, status, body
  end
  if status and (status < 200 or status > 599 or status % 1 ~= 0) then
    error("an upstream's handler returned a status that is no integer from 200 to 599", 0)
  elseif headers ~= nil and type(headers) ~= "table" then
    error("an upstream's handler returned headers that are a " .. type(headers), 0)
  end
  local usual, bytes, kind = of_body(body)
  status = status or usual or 200
  local fields = lowered({ ["content-type"] = kind }, response.is_response(body) and body.headers or nil, headers)
  local bodiless = status == 204 or status == 304
  fields["content-length"] = fields["content-length"] or not bodiless and #bytes or nil
  local lines = { ("HTTP/1.1 %d %s"):format(status, core.reason(status)) }
  field_lines(lines, fields)
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. ((bodiless or method == "HEAD") and "" or bytes)
end

return M
