-- perigee.http: requests to other servers. The engine speaks HTTP; what follows from an answer is decided here. Times
-- are in seconds.

local core = require "perigee.core"
local asked = require "perigee.http_options"
local http_response = require "perigee.http_response"
local tasks = require "perigee.tasks"

local M = {}

local REDIRECTS = 5
-- What names who asks, and is not for another host.
local SECRET = { authorization = true, cookie = true, ["proxy-authorization"] = true }
local KEEPS_METHOD = { [307] = true, [308] = true }
local PLAIN = { GET = true, POST = true, PUT = true, PATCH = true, DELETE = true, HEAD = true, OPTIONS = true }
local REDIRECTING = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

local http_ask, http_take, http_leave, suspend = core.http_ask, core.http_take, core.http_leave, tasks.suspend
local Response, await = http_response.Response, http_response.await

-- Sends what the program's function returns, part by part. What it raises ends the call.
local function send_body(call, source)
  while true do
    local ok, part = pcall(source)
    if not ok or (part ~= nil and type(part) ~= "string") then
      core.http_close(call)
      error(ok and "the function of the option 'body' returned a " .. type(part) .. ", not a string" or part, 0)
    elseif part == nil then
      core.http_end_body(call)
      return true
    elseif part ~= "" then
      local done, err = await(call, core.http_write, part)
      if not done then
        return nil, err
      end
    end
  end
end

-- What the engine says came of a call; `call` itself where its body is taken in parts.
local function answered(url, call, done, status, head, body, decoded)
  if not done then
    return nil, status
  end
  local response = { status = status, url = url, body = body, head = head, decoded = decoded }
  if call then
    response.call, response.ended, response.body = call, false, nil
  end
  return setmetatable(response, Response)
end

-- One request and its answer.
local function exchange(request)
  local call, err, raises = core.http_begin(request)
  if not call then
    if raises then
      asked.bad(err)
    end
    return nil, err
  end
  if request.source then
    local sent, why = send_body(call, request.source)
    if not sent then
      return nil, why
    end
  end
  local keeps = request.keeps
  return answered(request.url, keeps and call or nil, await(call, core.http_answer, not keeps))
end

-- Makes the request that a redirect asks for. Nil and why where there is none.
local function follow(request, response)
  local url, same_origin = core.http_resolve(request.url, response.headers.location)
  if not url then
    return nil, same_origin
  end
  request.url = url
  local status, method = response.status, request.method
  if not KEEPS_METHOD[status] and method ~= "HEAD" and (status == 303 or method == "POST") then
    request.method, request.body, request.source, request.streams = "GET", nil, nil, false
    if request.headers then
      request.headers["content-type"] = nil
    end
  end
  request.tls = request.tls or { server_name = "" }
  if not same_origin then
    request.headers = request.headers or {}
    request.headers.host = nil
    for name in pairs(SECRET) do
      request.headers[name] = nil
    end
    request.tls.cert_file, request.tls.key_file, request.tls.server_name = nil, nil, ""
  end
  return true
end

-- An error that is found here, counted at the error desk as the engine does with its own.
local function fail(url, err)
  core.note_failure(core.http_host(url), err)
  return nil, err
end

-- Whether nothing is said of a request but, perhaps, its time in all. Without a loop, so that it is compiled into what
-- calls it.
local function is_plain(url, options)
  local name, value = next(options)
  if name == nil then
    return type(url) == "string"
  end
  return name == "timeout" and type(value) == "number" and value >= 0 and next(options, name) == nil
    and type(url) == "string"
end

-- The answer to a plain request, or nil and why there is none; when it must have been there at the latest.
local function ask(method, url, options)
  if tasks.no_wait then
    suspend "perigee.http" -- raises
  end
  local verdict, err = http_ask(method, url, options.timeout)
  if err then
    return nil, err
  elseif verdict == false then
    suspend "perigee.http" -- raises
  elseif verdict then
    tasks.give_up("perigee.http", verdict, http_leave)
  end
  local status, head, body, decoded, deadline = http_take()
  while status == false do
    suspend("perigee.http", http_leave, nil, nil, head)
    status, head, body, decoded, deadline = http_take()
  end
  if not status then
    return nil, head
  end
  return setmetatable({ status = status, url = url, body = body, head = head, decoded = decoded }, Response), nil,
    deadline
end

local function run(method, url, options, response, deadline)
  local request = asked.prepare(method, url, options)
  local left = options.redirects or REDIRECTS
  deadline = deadline or core.monotonic() + request.total
  while true do
    local err
    if not response then
      response, err = exchange(request)
    end
    if not response then
      return nil, err
    end
    local redirects = REDIRECTING[response.status] and response.headers.location and options.redirects ~= 0
    if not redirects or (request.source and KEEPS_METHOD[response.status]) then
      return response -- a body that was streamed can't be sent again
    end
    response:close()
    if left == 0 then
      return fail(request.url, "refused: more than " .. (options.redirects or REDIRECTS) .. " redirects")
    end
    left = left - 1
    local followed, why = follow(request, response)
    if not followed then
      return fail(request.url, why)
    end
    request.total, response = math.max(0, deadline - core.monotonic()), nil
  end
end

local NONE = {}

local function call(method, url, options)
  options = options == nil and NONE or options
  if type(options) ~= "table" then
    error("perigee.http: the options are a table, not a " .. type(options), 3)
  end
  local first, deadline
  if is_plain(url, options) and PLAIN[method] then
    local err
    first, err, deadline = ask(method, url, options)
    if not first or first.status < 300 or not REDIRECTING[first.status] then
      return first, err
    end
  end
  tasks.current "perigee.http"
  local ok, response, err = pcall(run, method, url, options, first, deadline)
  if ok then
    return response, err
  end
  local mistake = asked.mistake_in(response)
  if mistake then
    error("perigee.http: " .. mistake, 3)
  end
  error(response, 0)
end

for _, method in ipairs { "get", "post", "put", "patch", "delete", "head", "options" } do
  local name = method:upper()
  M[method] = function(url, options)
    local response, err = call(name, url, options)
    return response, err
  end
end

--- Any request: request(method, url, options), or request(url, options) with options.method, else GET.
---@param method string
---@param url? string|table
---@param options? table
---@return perigee.HttpResponse|nil, string?
function M.request(method, url, options)
  if type(url) ~= "string" then
    method, url, options = "GET", method, url
  end
  local response, err = call(method, url, options)
  return response, err
end

--- What this worker did with each host, by "host:port".
---@return table<string, table>
function M.stats()
  return core.http_stats()
end

return M
