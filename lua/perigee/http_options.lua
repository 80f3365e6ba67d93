-- What a program says of a request by perigee.http: checked, encoded, and put as the engine takes it. Times are in
-- seconds.

local core = require "perigee.core"
local socket_checks = require "perigee.socket_checks"

local M = {}

local CONNECT, READ, TOTAL = core.http_connect_seconds, core.http_read_seconds, core.http_total_seconds
local FORM = "application/x-www-form-urlencoded"
local OPTIONS = {
  method = "string", headers = "table", query = "table", json = "any", form = "table", body = "any", timeout = "any",
  max_body = "number", redirects = "number", stream = "boolean", verify = "boolean", proxy = "any", tls = "table",
  block_private = "boolean",
}

-- A mistake of the program's, until it is known whose line it is.
local Mistake = {}

--- What is wrong, where `raised` is a mistake of the program's; nil where it is not.
---@param raised any
---@return string|nil
function M.mistake_in(raised)
  return getmetatable(raised) == Mistake and raised.message or nil
end

--- Raises a mistake of the program's.
function M.bad(message)
  error(setmetatable({ message = message }, Mistake))
end

local bad = M.bad

-- What a function of the library returns; what it raises is the program's mistake.
local function checked(fn, ...)
  local ok, value = pcall(fn, ...)
  if not ok then
    bad((tostring(value):gsub("^%S+:%d+: ", ""):gsub("^'perigee.http': ", "")))
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
  elseif options.redirects and not (options.redirects >= 0 and options.redirects % 1 == 0) then
    bad("the option 'redirects' is a whole number, 0 or more")
  elseif options.max_body and not (options.max_body >= 1) then
    bad("the option 'max_body' is a number of bytes, 1 or more")
  end
end

-- How to speak TLS; nil where nothing is said about it and the url, which may be redirected, needs none.
local function tls_of(url, options)
  if not options.tls and options.verify == nil and not url:find("^[Hh][Tt][Tt][Pp][Ss]:") then
    return nil
  end
  local tls = checked(socket_checks.tls, options.tls or {}, "", "perigee.http")
  if options.verify ~= nil then
    tls.verify = options.verify
  end
  return tls
end

--- What the program asks for, as the engine's calls take it. Raises a mistake of the program's.
---@param method string
---@param url string
---@param options table
---@return table request
function M.prepare(method, url, options)
  check_options(options)
  if type(url) ~= "string" then
    bad("a url is a string")
  elseif type(method) ~= "string" then
    bad("a method is a string, not a " .. type(method))
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

return M
