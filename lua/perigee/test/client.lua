-- A client of an app under test: makes requests, keeps cookies, reads answers.

local core = require "perigee.core"
local answer = require "perigee.test.answer"
local cookie_jar = require "perigee.test.cookie_jar"
local events = require "perigee.test.events"
local place = require "perigee.test.place"

local desk = core.test_desk()
local raise = place.raise
local M = {}

---@class perigee.test.Client
local Client = {}
Client.__index = Client

-- The options of a request, and what each is.
local OPTIONS = { headers = "table", query = "table", json = "any", form = "table", body = "string", cookies = "table" }
local BODIES = { "json", "form", "body" }
local WITH_BODY = { POST = true, PUT = true, PATCH = true }
local READY = 1000 -- requests that are kept as they are sent

local function encoded(value)
  return (tostring(value):gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

-- { a = 1, b = { 2, 3 } } as "a=1&b=2&b=3", names in order.
local function urlencoded(map)
  local names, pairs_of = {}, {}
  for name in pairs(map) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    for _, value in ipairs(type(map[name]) == "table" and map[name] or { map[name] }) do
      pairs_of[#pairs_of + 1] = encoded(name) .. "=" .. encoded(value)
    end
  end
  return table.concat(pairs_of, "&")
end

local function check_target(client, method, path)
  if client.closed or client.owner and client.owner.closed then
    raise "the client was closed before the request"
  elseif type(method) ~= "string" or method:find("[^%w!#$%%&'*+.^_`|~-]") or method == "" then
    raise("no method of a request: %s", type(method) == "string" and core.encode(method) or "a " .. type(method))
  elseif type(path) ~= "string" then
    raise("bad argument #1 to the request (a path expected, got %s)", type(path))
  elseif not path:find("^[/*]") or path:find("[%c ]") then
    raise("the path %s must begin with a slash and hold no blanks", core.encode(path))
  end
end

local function check_options(options)
  if type(options) ~= "table" then
    raise("bad argument #2 to the request (table expected, got %s)", type(options))
  end
  for name, value in pairs(options) do
    local expected = OPTIONS[name]
    if not expected then
      raise("a request has no option '%s'", tostring(name))
    elseif expected ~= "any" and type(value) ~= expected then
      raise("bad option '%s' of the request (%s expected, got %s)", name, expected, type(value))
    end
  end
  local bodies = 0
  for _, name in ipairs(BODIES) do
    bodies = bodies + (options[name] ~= nil and 1 or 0)
  end
  if bodies > 1 then
    raise("a request has one body: json, form or body")
  end
end

local function body_of(options)
  if options.json ~= nil then
    return core.encode(options.json), "application/json"
  elseif options.form ~= nil then
    return urlencoded(options.form), "application/x-www-form-urlencoded"
  end
  return options.body, nil
end

local function append_headers(lines, headers)
  local given = {}
  for name, value in pairs(headers) do
    given[tostring(name):lower()] = true
    for _, item in ipairs(type(value) == "table" and value or { value }) do
      if tostring(item):find("[\r\n%z]") then
        raise("the value of the header %s holds a line's end", name)
      end
      lines[#lines + 1] = name .. ": " .. tostring(item)
    end
  end
  return given
end

local function compose(client, method, path, options)
  check_options(options)
  local query = options.query and urlencoded(options.query) or ""
  local target = query == "" and path or path .. (path:find("?", 1, true) and "&" or "?") .. query
  local lines = { ("%s %s HTTP/1.1"):format(method, target) }
  local given = append_headers(lines, options.headers or {})
  local function default(name, value)
    if value and not given[name:lower()] then
      lines[#lines + 1] = name .. ": " .. value
    end
  end
  local body, kind = body_of(options)
  default("Host", client.host)
  default("Content-Type", kind)
  default("Cookie", client.jar:header(path, options.cookies))
  if not given["transfer-encoding"] then
    default("Content-Length", (body or WITH_BODY[method]) and #(body or "") or nil)
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

-- The request as it is sent. Those without options and cookies are kept.
local function request_text(client, method, path, options)
  if options == nil and client.jar:empty() then
    local ready = client.ready[method]
    if ready and ready[path] then
      return ready[path]
    end
    check_target(client, method, path)
    local text = compose(client, method, path, {})
    client.ready_count = client.ready_count + 1
    if client.ready_count > READY then
      client.ready, client.ready_count = {}, 1
    end
    client.ready[method] = client.ready[method] or {}
    client.ready[method][path] = text
    return text
  end
  check_target(client, method, path)
  return compose(client, method, path, options or {})
end

local REASONS = {
  timeout = "%s %s: no answer came in the time a test may take (--timeout)",
  closed = "%s %s: the connection was closed before the answer was whole",
}

local function take(client, path, fields, sets_cookies)
  if sets_cookies then
    client.jar:take(fields, path)
  end
end

--- Sends a request and waits for its answer.
---@param method string
---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Answer
function Client:request(method, path, options)
  local text = request_text(self, method, path, options)
  local status, fields, body, sets_cookies = desk.exchange(self.number, text, method == "HEAD")
  if not status then
    raise(REASONS[fields]:format(method, path))
  end
  take(self, path, fields, sets_cookies)
  return answer.new(status, fields, body)
end

-- A function for each method: most requests of a test take no other way.
for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD" } do
  Client[method:lower()] = function(self, path, options)
    local text = request_text(self, method, path, options)
    local status, fields, body, sets_cookies = desk.exchange(self.number, text, method == "HEAD")
    if not status then
      raise(REASONS[fields]:format(method, path))
    end
    if sets_cookies then
      take(self, path, fields, sets_cookies)
    end
    return answer.new(status, fields, body)
  end
end

---@class perigee.test.Pending
local Pending = {}
Pending.__index = Pending

--- Sends a request on a connection of its own and goes on; wait() takes its answer.
---@return perigee.test.Pending
function Client:send(method, path, options)
  local number = assert(desk.open_client(self.app))
  if not desk.send(number, request_text(self, method, path, options), method == "HEAD") then
    raise(REASONS.closed:format(method, path))
  end
  return setmetatable({ number = number, client = self, method = method, path = path }, Pending)
end

--- The answer; nil and "timeout" where it is not there after `seconds`, nil and "closed" where it never will be.
---@param seconds? number as long as the test may take by default
---@return perigee.test.Answer?, string?
function Pending:wait(seconds)
  if self.answer then
    return self.answer
  end
  local status, fields, body, sets_cookies = desk.answer(self.number, true, seconds)
  if not status then
    return nil, fields
  end
  desk.close_client(self.number)
  take(self.client, self.path, fields, sets_cookies)
  self.answer = answer.new(status, fields, body)
  return self.answer
end

--- Hangs up without waiting for the answer.
function Pending:close()
  if not self.answer then
    desk.close_client(self.number)
  end
end

---@class perigee.test.Stream
local Stream = {}
Stream.__index = Stream

--- What has come of the body since; nil at its end; nil and "timeout" or "closed".
---@param seconds? number
---@return string?, string?
function Stream:read(seconds)
  if self.closed then
    return nil, "closed"
  end
  return desk.part(self.number, seconds)
end

--- Hangs up.
function Stream:close()
  if not self.closed then
    self.closed = true
    desk.close_client(self.number)
  end
end

--- Sends a request on a connection of its own and returns once the answer's head is there.
---@return perigee.test.Stream
function Client:stream(method, path, options)
  local pending = self:send(method, path, options)
  local status, fields, _, sets_cookies = desk.answer(pending.number, false)
  if not status then
    raise(REASONS[fields]:format(method, path))
  end
  take(self, path, fields, sets_cookies)
  return setmetatable({ number = pending.number, closed = false, status = status,
    headers = answer.new(status, fields, "").headers }, Stream)
end

--- Opens a stream of server-sent events: iterate it, or ask it for the next.
---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Events
function Client:sse(path, options)
  local asked = {}
  for name, value in pairs(options or {}) do
    asked[name] = value
  end
  asked.headers = { accept = "text/event-stream" }
  for name, value in pairs(options and options.headers or {}) do
    asked.headers[name:lower()] = value
  end
  local stream = self:stream("GET", path, asked)
  local kind = stream.headers["content-type"] or "no type"
  if stream.status ~= 200 or not kind:find("^text/event%-stream") then
    local body = {}
    for part in function() return stream:read(1) end do
      body[#body + 1] = part
    end
    stream:close()
    raise("GET %s: no stream of events but %d, %s:\n%s", path, stream.status, kind, table.concat(body))
  end
  return events.new(stream)
end

--- Another client of the same app, with a connection and cookies of its own.
---@return perigee.test.Client
function Client:another()
  local made = M.new(self.app, self.host)
  made.owner, made.address, made.url = self, self.address, self.url
  return made
end

--- Closes the app, whose stop hooks run, and raises where one of them fails; of another()'s clients, only the client.
function Client:close()
  self.closed, self.ready = true, {}
  if self.owner then
    return desk.close_client(self.number)
  end
  local closed, err = desk.close_app(self.app)
  if not closed then
    raise("%s", (err:gsub("\nstack traceback:.*", ""))) -- which has been logged
  end
end

--- A client of an app that the desk opened.
---@param app integer
---@param host string
---@return perigee.test.Client
function M.new(app, host)
  local number = assert(desk.open_client(app))
  return setmetatable({ app = app, number = number, host = host, jar = cookie_jar.new(), ready = {}, ready_count = 0,
    cookies = nil }, Client)
end

return M
