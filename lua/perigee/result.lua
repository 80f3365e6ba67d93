-- What `inner(req)` returns: the answer so far, as it was returned and not yet encoded. Also how any returned values
-- become one, and how one becomes the values that the engine takes.

local core = require "perigee.core"
local new_table = require "table.new"
local response = require "perigee.response"

local is_response = response.is_response

local M = {}

-- A result's array part, false where there is nothing. The headers a handler returned are only read; a result's own are
-- made when somebody asks for them. A result's value is the response value that was returned (perigee.html and its
-- siblings).
local STATUS, BODY, RETURNED, HEADERS, VALUE, CAUSE, RENDERED = 1, 2, 3, 4, 5, 6, 8

--- What slot 7 of every result holds, and of no other table. The JIT takes a function for a constant: in a trace it
--- costs nothing to tell results from other tables, where comparing metatables would.
function M.mark() end

local mark = M.mark

-- Names of header fields have no case: the table keeps them in lower case. Programs use few, so those are remembered.
local Headers = {}
local lower, remembered, MOST_REMEMBERED = {}, 0, 1000

local function remember(name)
  local small = name:lower()
  if remembered < MOST_REMEMBERED then
    lower[name], remembered = small, remembered + 1
  end
  return small
end

local function new_headers()
  return setmetatable(new_table(0, 4), Headers)
end

function Headers.__index(headers, name)
  if type(name) == "string" then
    return rawget(headers, lower[name] or remember(name))
  end
end

function Headers.__newindex(headers, name, value)
  if type(name) ~= "string" then
    error("a header's name is a string, got " .. type(name), 2)
  end
  rawset(headers, lower[name] or remember(name), value)
end

local function headers_of(...)
  local headers = new_headers()
  for i = 1, select("#", ...) do
    for name, value in pairs((select(i, ...)) or {}) do
      if type(name) == "string" then
        headers[name] = value
      end
    end
  end
  return headers
end

---@class perigee.Result
local Result = {}
M.Result = Result

function M.is_result(value)
  return type(value) == "table" and rawget(value, 7) == mark
end
local methods = {}

function Result.__index(res, key)
  if key == "status" then
    return res[STATUS]
  elseif key == "body" then
    local body = res[BODY]
    if body == false and not (res[VALUE] and res[VALUE].body == false) then
      return nil
    end
    return body
  elseif key == "headers" then
    local headers = res[HEADERS]
    if not headers then
      headers = res[RETURNED] and headers_of(res[RETURNED]) or new_headers()
      res[HEADERS] = headers
    end
    return headers
  elseif key == "error" then
    return res[CAUSE] or nil
  end
  return methods[key]
end

local function is_status(value)
  return type(value) == "number" and value >= 200 and value <= 599 and value % 1 == 0
end

function Result.__newindex(res, key, value)
  if key == "status" then
    if not is_status(value) then
      error("a status is an integer from 200 to 599", 2)
    end
    res[STATUS] = value
  elseif key == "body" then
    if M.is_result(value) then
      error("a response can't be another one's body: return it instead", 2)
    end
    res[BODY] = value or false
  elseif key == "headers" then
    if type(value) ~= "table" then
      error("headers are a table, got " .. type(value), 2)
    end
    res[HEADERS] = headers_of(value)
  else
    error(("a response has status, headers and body, but no '%s'"):format(tostring(key)), 2)
  end
end

function Result.__tostring()
  return "perigee.Result"
end

--- The body as it would be sent; nil where it is streamed, a channel or a file.
---@return string? bytes
function methods.bytes(res)
  local body, value = res.body, res[VALUE]
  if is_response(body) then
    body, value = body.body, body
  end
  local as_json = value and value.kind == "json"
  local is_sent_otherwise = value and (value.kind == "file" or value.kind == "channel") and body == value.body
  if type(body) == "function" or is_sent_otherwise then
    return nil
  elseif body == nil and not as_json then
    return ""
  elseif type(body) == "string" and not as_json then
    return body
  end
  return core.encode(body)
end

-- An app may return one response value again and again: what middleware may change is copied.
local function copy_of(value)
  local copy = {}
  for key, field in pairs(value) do
    copy[key] = field
  end
  return setmetatable(copy, getmetatable(value))
end

local function with_document(value, status, req)
  if value.kind ~= "problem" or type(value.body) ~= "table" then
    return value
  end
  local copy, document = copy_of(value), {}
  for key, field in pairs(value.body) do
    document[key] = field
  end
  if document.status ~= status then
    if document.title == core.reason(document.status) then
      document.title = core.reason(status)
    end
    document.status = status
  end
  document.request_id = core.request_id(req[1])
  copy.body = document
  return copy
end

local function status_of_value(value, req, default)
  if value.status then
    return value.status
  elseif value.kind == "redirect" then
    return (req.method == "GET" or req.method == "HEAD") and 307 or 303
  end
  return default
end

--- A result out of a response value.
---@param status integer|nil nil: the value's own
---@param headers table|nil they win over the value's own
---@param default integer the status where nothing says one
function M.of_value(req, value, status, headers, default)
  status = status or status_of_value(value, req, default)
  value = with_document(value, status, req)
  local own = headers_of(value.headers, headers)
  return setmetatable({ status, value.body or false, false, own, value, false, mark, false }, Result)
end

--- A problem of the status as a result.
function M.problem(req, status, detail, extra, headers, cause)
  local res = M.of_value(req, response.problem(status, detail, extra, headers), nil, nil, status)
  res[CAUSE] = cause or false
  return res
end

local BODIES = { string = true, table = true, ["nil"] = true }

-- `status, body, headers` with a body of any kind. Nil and why where they are no answer.
local function of_parts(req, status, body, headers, default)
  if status ~= nil and not is_status(status) then
    return nil, "returned a status that is no integer from 200 to 599"
  elseif headers ~= nil and type(headers) ~= "table" then
    return nil, ("returned headers that are a %s, not a table"):format(type(headers))
  elseif is_response(body) then
    return M.of_value(req, body, status, headers, default)
  elseif M.is_result(body) then
    local res = M.copy(body)
    res[STATUS] = status or res[STATUS]
    for name, value in pairs(headers or {}) do
      res.headers[name] = value
    end
    return res
  elseif not BODIES[type(body)] then
    return nil, ("returned a %s as a body"):format(type(body))
  elseif status and status >= 400 and body == nil and headers == nil then
    return M.problem(req, status)
  end
  return setmetatable({ status or default, body or false, headers or false, false, false, false, mark, false }, Result)
end

--- A result out of what a handler or a middleware returned. Nil and why where that is no answer.
---@param default integer the status where none is returned
function M.of_returned(req, default, first, second, third)
  if type(first) == "number" then
    return of_parts(req, first, second, third, default)
  elseif second ~= nil then
    return nil, ("returned a %s and then a %s: a status comes first, `return status, body, headers`")
      :format(type(first), type(second))
  elseif first == nil then
    return setmetatable({ 204, false, false, false, false, false, mark, false }, Result)
  end
  return of_parts(req, nil, first, nil, default)
end

--- Another result with the same contents.
function M.copy(res)
  local own = res[HEADERS] and headers_of(res[HEADERS]) or false
  return setmetatable(
    { res[STATUS], res[BODY], res[RETURNED], own, res[VALUE], res[CAUSE], mark, res[RENDERED] }, Result)
end

function M.set_cause(res, cause)
  res[CAUSE] = cause or false
end

function M.set_rendered(res)
  res[RENDERED] = true
end

--- The problem that a result is; nil where it is another answer, or one that app:error has seen.
---@return perigee.Response?
function M.problem_of(res)
  local value = res[VALUE]
  if value and value.kind == "problem" and not res[RENDERED] and res[BODY] == value.body then
    return value
  end
end

-- What goes to the engine where a response value was returned.
local function value_parts(res)
  local value, body, headers = res[VALUE], res.body, res[HEADERS]
  if body == value.body then
    value = copy_of(value)
    value.headers, value.rendered = headers, true
    return res[STATUS], value
  elseif type(body) == "string" and type(value.body) == "string" and value.type then
    return res[STATUS], response.bytes(body, value.type), headers
  end
  return res[STATUS], body, headers
end

--- Gives a result headers that it has not. A loop over them would keep the JIT from compiling the route as a whole, so
--- whoever knows their names says how the slow way goes.
---@param defaults table<string, string> by names in lower case; never changed from here on
---@param add fun(headers: table) adds those that are not there
function M.default_headers(res, defaults, add)
  if res[HEADERS] or res[RETURNED] then
    add(res.headers)
  else
    res[RETURNED] = defaults
  end
end

--- The values that the engine takes: what a handler may return.
function M.parts(res)
  if res[VALUE] then
    return value_parts(res)
  end
  local headers = res[HEADERS] or res[RETURNED]
  if headers then
    return res[STATUS], res[BODY] or nil, headers
  end
  return res[STATUS], res[BODY] or nil
end

return M
