-- perigee.http: requests to other servers. The engine speaks HTTP; what follows from an answer is decided here. Times
-- are in seconds.

local core = require "perigee.core"
local socket = require "perigee.socket"
local tasks = require "perigee.tasks"

local M = {}

local REDIRECTS = 5
local CONNECT, READ, TOTAL = 10, 30, 30
local FORM = "application/x-www-form-urlencoded"
local OPTIONS = {
  method = "string", headers = "table", query = "table", json = "any", form = "table", body = "any", timeout = "any",
  max_body = "number", redirects = "number", stream = "boolean", verify = "boolean", proxy = "any", tls = "table",
  block_private = "boolean",
}
-- What names who asks, and is not for another host.
local SECRET = { authorization = true, cookie = true, ["proxy-authorization"] = true }
local KEEPS_METHOD = { [307] = true, [308] = true }
local PLAIN = { GET = true, POST = true, PUT = true, PATCH = true, DELETE = true, HEAD = true, OPTIONS = true }
local REDIRECTING = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

-- A mistake of the program's, until it is known whose line it is.
local Mistake = {}

local function bad(message)
  error(setmetatable({ message = message }, Mistake))
end

-- What a function of the library returns; what it raises is the program's mistake.
local function checked(fn, ...)
  local ok, value = pcall(fn, ...)
  if not ok then
    bad((tostring(value):gsub("^%S+:%d+: ", "")))
  end
  return value
end

local function seconds_of(value, name)
  if type(value) ~= "number" or not (value >= 0) then
    bad(("the option '%s' is a number of seconds, 0 or more"):format(name))
  end
  return value
end

-- connect, read, total of the option `timeout`.
local function times_of(timeout)
  if timeout == nil then
    return CONNECT, READ, TOTAL
  elseif type(timeout) ~= "table" then
    local total = seconds_of(timeout, "timeout")
    return math.min(CONNECT, total), total, total
  end
  for name in pairs(timeout) do
    if name ~= "connect" and name ~= "read" and name ~= "total" then
      bad(("the option 'timeout' has no '%s': it takes connect, read and total"):format(tostring(name)))
    end
  end
  return seconds_of(timeout.connect or CONNECT, "timeout.connect"), seconds_of(timeout.read or READ, "timeout.read"),
    seconds_of(timeout.total or math.max(TOTAL, timeout.read or 0, timeout.connect or 0), "timeout.total")
end

local encode = core.http_encode

local function text_of(value, key)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    bad(("'%s' is a %s: strings, numbers, booleans and lists of them can be encoded"):format(key, kind))
  end
  return tostring(value)
end

-- Names and values, sorted by name; a list gives its name once an item.
local function encode_pairs(values)
  local keys, parts = {}, {}
  for key in pairs(values) do
    if type(key) ~= "string" then
      bad(("a name to be encoded is a %s, not a string"):format(type(key)))
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local value = values[key]
    for _, item in ipairs(type(value) == "table" and value or { value }) do
      parts[#parts + 1] = encode(key) .. "=" .. encode(text_of(item, key))
    end
  end
  return table.concat(parts, "&")
end

local function with_query(url, query)
  local text = query and encode_pairs(query) or ""
  if text == "" then
    return url
  end
  local base, fragment = url:match("^([^#]*)(.*)$")
  return base .. (base:find("?", 1, true) and "&" or "?") .. text .. fragment
end

local function copy_headers(headers)
  local copy = {}
  for name, value in pairs(headers) do
    if type(name) ~= "string" then
      bad("a header's name is a " .. type(name) .. ", not a string")
    end
    copy[name:lower()] = value
  end
  return copy
end

local function set_default(headers, name, value)
  if headers[name] == nil then
    headers[name] = value
  end
end

-- The body as a string or a function; notes its type among the headers.
local function body_of(options, headers)
  local given = (options.body ~= nil and 1 or 0) + (options.json ~= nil and 1 or 0) + (options.form and 1 or 0)
  if given > 1 then
    bad("one of the options 'body', 'json' and 'form' at a time")
  elseif options.json ~= nil then
    set_default(headers, "content-type", "application/json")
    return checked(core.encode, options.json)
  elseif options.form then
    set_default(headers, "content-type", FORM)
    return encode_pairs(options.form)
  end
  local kind = type(options.body)
  if kind ~= "string" and kind ~= "function" and kind ~= "nil" then
    bad("the option 'body' is a string or a function that returns its parts")
  end
  return options.body
end

local function check_options(options)
  for name, value in pairs(options) do
    local kind = OPTIONS[name]
    if not kind then
      bad(("there is no option '%s'"):format(tostring(name)))
    elseif kind ~= "any" and type(value) ~= kind then
      bad(("the option '%s' is a %s"):format(name, kind))
    end
  end
  local proxy = options.proxy
  if proxy ~= nil and proxy ~= false and type(proxy) ~= "string" then
    bad("the option 'proxy' is a url or false")
  elseif options.redirects and not (options.redirects >= 0) then
    bad("the option 'redirects' is 0 or more")
  elseif options.max_body and not (options.max_body >= 0) then
    bad("the option 'max_body' is a number of bytes")
  end
end

-- How to speak TLS; nil where nothing is said about it and the url, which may be redirected, needs none.
local function tls_of(url, options)
  if not options.tls and options.verify == nil and not url:find("^[Hh][Tt][Tt][Pp][Ss]:") then
    return nil
  end
  local tls = checked(socket.check_tls, options.tls or {}, "", "perigee.http")
  if options.verify ~= nil then
    tls.verify = options.verify
  end
  return tls
end

-- What the program asks for, as the engine's calls take it.
local function prepare(method, url, options)
  check_options(options)
  if type(url) ~= "string" then
    bad("a url is a string")
  end
  local headers, body
  if options.headers or options.json ~= nil or options.form then
    headers = copy_headers(options.headers or {})
  end
  if headers or options.body ~= nil then
    body = body_of(options, headers)
  end
  local connect, read, total = times_of(options.timeout)
  return {
    method = (options.method or method):upper(), url = with_query(url, options.query), headers = headers,
    body = type(body) == "string" and body or nil, source = type(body) == "function" and body or nil,
    streams = type(body) == "function", keeps = options.stream or false,
    connect = connect, read = read, total = total, max_body = options.max_body,
    proxy = options.proxy, block_private = options.block_private, tls = tls_of(url, options),
  }
end

local LONGEST_PEER = 100 -- bytes of a name in profiles

-- The number under which profiles know that an answer of the url's host is waited for.
local function site_of(url)
  local peer = url:match("^%a[%w+.-]*://([^/?#]*)") or ""
  return core.wait_site("perigee.http", peer:gsub("^.*@", ""):sub(1, LONGEST_PEER))
end

-- Steps a call until it has what was asked for; whoever is cancelled meanwhile closes it.
local function await(call, site, step, argument)
  while true do
    local done, a, b, c = step(call, argument)
    if done ~= nil then
      return done, a, b, c
    end
    tasks.suspend("perigee.http", core.http_close, call, nil, site)
  end
end

-- Sends what the program's function returns, part by part. What it raises ends the call.
local function send_body(call, site, source)
  while true do
    local ok, part = pcall(source)
    if not ok or (part ~= nil and type(part) ~= "string") then
      core.http_close(call)
      error(ok and "the function of the option 'body' returned a " .. type(part) .. ", not a string" or part, 0)
    elseif part == nil or part == "" then
      core.http_end_body(call)
      return true
    end
    local done, err = await(call, site, core.http_write, part)
    if not done then
      return nil, err
    end
  end
end

---@class perigee.HttpResponse
local Response = {}
Response.__index = Response

--- The body, read as JSON.
---@return any, string?
function Response:json()
  if self.body == nil then
    error("the body of a streamed answer comes by chunks() or read()", 2)
  end
  return core.decode(self.body)
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
  end
  local done, part = await(call, self.site, core.http_read)
  if done and part ~= "" then
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

--- Closes the connection of a streamed answer that is not read to its end.
function Response:close()
  if self.call and not self.ended then
    self.ended = true
    core.http_close(self.call)
  end
end

-- The names of headers in any case.
local Headers = {
  __index = function(headers, name)
    local lower = type(name) == "string" and name:lower()
    return lower and lower ~= name and rawget(headers, lower) or nil
  end,
}

-- What the engine says came of a call; `call` itself where its body is taken in parts.
local function answered(url, call, site, done, status, headers, body)
  if not done then
    return nil, status
  end
  local response = { status = status, headers = setmetatable(headers, Headers), url = url, body = body }
  if call then
    response.call, response.site, response.ended, response.body = call, site, false, nil
  end
  return setmetatable(response, Response)
end

-- One request and its answer.
local function exchange(request)
  local call, err, raises = core.http_begin(request)
  if not call then
    if raises then
      bad(err)
    end
    return nil, err
  end
  local site = site_of(request.url)
  if request.source then
    local sent, why = send_body(call, site, request.source)
    if not sent then
      return nil, why
    end
  end
  local keeps = request.keeps
  return answered(request.url, keeps and call or nil, site, await(call, site, core.http_answer, not keeps))
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

-- Whether nothing is said of a request but, perhaps, its time in all.
local function is_plain(url, options)
  for name, value in pairs(options) do
    if name ~= "timeout" or type(value) ~= "number" or not (value >= 0) then
      return false
    end
  end
  return type(url) == "string"
end

-- The answer to a plain request.
local function ask(method, url, options)
  local call, err = core.http_ask(method, url, options.timeout)
  if not call then
    return nil, err
  end
  return answered(url, nil, nil, await(call, site_of(url), core.http_answer, true))
end

local function run(method, url, options, response, began)
  local request = prepare(method, url, options)
  local left = options.redirects or REDIRECTS
  local deadline = (began or core.monotonic()) + request.total
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
  tasks.current "perigee.http"
  options = options == nil and NONE or options
  if type(options) ~= "table" then
    error("perigee.http: the options are a table, not a " .. type(options), 3)
  end
  local first, began
  if is_plain(url, options) and PLAIN[method] then
    began = core.monotonic()
    local err
    first, err = ask(method, url, options)
    if not first or not REDIRECTING[first.status] then
      return first, err
    end
  end
  local ok, response, err = pcall(run, method, url, options, first, began)
  if ok then
    return response, err
  elseif getmetatable(response) == Mistake then
    error("perigee.http: " .. response.message, 3)
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

M.Response = Response

return M
