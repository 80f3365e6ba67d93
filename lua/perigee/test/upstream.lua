-- test.upstream: a host that the test stands in for. What apps ask of it reaches a handler of the test's, which runs
-- whenever the test waits for an app.

local core = require "perigee.core"
local place = require "perigee.test.place"
local requests = require "perigee.test.upstream_request"
local answers = require "perigee.test.upstream_answer"
local tasks = require "perigee.tasks"

local desk = core.test_desk()
local M = {}

local upstreams = {} -- by number
local newest = {} -- of each host, by its name as it was given
local inputs = {} -- by connection: what has come of a request that is not whole
local waiting = {} -- handlers that let time pass: { co, place, request, connection, due }
local problem -- of a handler, since somebody asked

---@class perigee.test.Upstream
---@field calls perigee.test.UpstreamRequest[] the requests so far
local Upstream = {}
Upstream.__index = Upstream

--- The host is itself again.
function Upstream:close()
  if upstreams[self.number] then
    upstreams[self.number] = nil
    desk.close_upstream(self.number)
  end
end

local function hang_up(connection)
  inputs[connection] = nil
  desk.answer_call(connection, "", true)
end

local function fail(err, call, trace)
  problem = problem or { err = err, trace = trace }
  desk.answer_call(call.connection, answers.compose(call.request.method, 500, "the upstream's handler failed"), true)
end

local function answered(call, ok, first, ...)
  if call.request.gone then
    return hang_up(call.connection)
  elseif ok then
    local bytes
    ok, bytes = pcall(answers.compose, call.request.method, first, ...)
    if ok then
      return desk.answer_call(call.connection, bytes, false)
    end
    return fail(call.place .. bytes, call, "")
  end
  fail(first, call, "\n" .. debug.traceback(call.co))
end

local step

-- After a resume: the handler lets time pass, or it has ended.
local function went_on(call, no_wait, ok, first, ...)
  tasks.no_wait = no_wait
  if ok and coroutine.status(call.co) == "suspended" then
    call.due = core.monotonic() + first
    waiting[#waiting + 1] = call
  else
    answered(call, ok, first, ...)
  end
end

function step(call, ...)
  local no_wait = tasks.no_wait
  tasks.no_wait = "a handler of test.upstream calls req:wait(seconds) instead"
  went_on(call, no_wait, coroutine.resume(call.co, ...))
end

local function begin(upstream, connection, request)
  table.insert(upstream.calls, request)
  step({ co = coroutine.create(upstream.handler), place = upstream.place, request = request, connection = connection },
    request)
end

-- Takes what has come in. True if anything has.
local function take()
  local number, connection, bytes = desk.next_call()
  if not number then
    return false
  end
  local upstream = upstreams[number]
  if bytes == nil or not upstream then
    inputs[connection] = nil
    return true
  end
  local request, rest = requests.read((inputs[connection] or "") .. bytes)
  inputs[connection] = request and rest or (inputs[connection] or "") .. bytes
  if request then
    begin(upstream, connection, request)
  end
  return true
end

-- Goes on with the handlers whose time has come. True if there are any.
local function resume_due()
  local now, any = core.monotonic(), false
  for i = #waiting, 1, -1 do
    local call = waiting[i]
    if call.due <= now then
      table.remove(waiting, i)
      any = true
      step(call)
    end
  end
  return any
end

-- What the desk calls while the test waits: whether anything was done, and when there is more to do.
local function attend()
  local busy = false
  while take() do
    busy = true
  end
  busy = resume_due() or busy
  local due
  for _, call in ipairs(waiting) do
    due = math.min(due or call.due, call.due)
  end
  return busy, due
end

--- What a handler has raised since the last time, as { err, trace: what follows it }; nil where none has.
function M.take_problem()
  local found = problem
  problem = nil
  return found
end

--- Answers for a host from here on: each request of the apps' reaches `handler(req)`, which returns what a handler of
--- an app may return.
---@param host string a name, "api.example.com", for any port, or a name and a port
---@param handler fun(req: perigee.test.UpstreamRequest): any
---@return perigee.test.Upstream
function M.open(host, handler)
  local name, port = (type(host) == "string" and host:lower() or ""):match("^([%w.-]+):?(%d*)$")
  local has_port = name and #name < #host
  if not name or has_port and not (tonumber(port) and tonumber(port) >= 1 and tonumber(port) <= 65535) then
    place.raise("bad argument #1 to test.upstream (a host expected, \"api.example.com\" or \"api.example.com:8080\", "
      .. "got %s)", type(host) == "string" and core.encode(host) or type(host))
  elseif type(handler) ~= "function" then
    place.raise("bad argument #2 to test.upstream (function expected, got %s)", type(handler))
  end
  host = host:lower()
  if newest[host] then
    newest[host]:close()
  end
  desk.on_calls(attend)
  local number, err = desk.open_upstream(name, tonumber(port) or 0)
  if not number then
    place.raise("no upstream for %s: %s", host, err)
  end
  local info = debug.getinfo(handler, "S")
  local made = setmetatable({ number = number, handler = handler, calls = {},
    place = ("%s:%d: "):format(info.short_src, info.linedefined) }, Upstream)
  upstreams[number], newest[host] = made, made
  return made
end

return M
