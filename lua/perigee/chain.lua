-- Middleware around a handler, composed when the app is loaded. Each step is a function with code of its own, so that
-- the JIT sees ten different functions and not one that calls itself: the whole chain becomes part of the route's trace
-- and costs next to nothing. A request's slot 11 says which step runs, slot 12 holds the last result.

local failures = require "perigee.failures"
local request = require "perigee.request"
local result = require "perigee.result"
local twin = require "perigee.twin"

local M = {}

-- Steps count from a number that no other chain has: a function `inner` that was kept fits no other route's request.
local ROOM = 1024
local last = 0

local function place_of(fn)
  local info = debug.getinfo(fn, "S")
  return (info.source:gsub("^@", "")) .. ":" .. info.linedefined
end

M.place_of = place_of

-- `inner` was called when it may not be. `owner` is whom it was given to.
local function misuse(req, before, owner)
  if getmetatable(req) ~= request.Request then
    error(owner .. " called inner without the request: inner(req)", 0)
  end
  local at = req[11]
  local chain = at and math.floor(math.abs(at) / ROOM)
  if req[1].serial ~= req[2] then
    error("inner was called when its request had ended, the one of " .. owner, 0)
  elseif chain ~= math.floor(before / ROOM) then
    error("inner was kept and called for another route, the one of " .. owner, 0)
  elseif at < 0 and -at <= before then
    error("inner was called after its middleware had returned, the one of " .. owner, 0)
  elseif math.abs(at) > before then
    error("inner was called a second time, the one of " .. owner .. ": what is inside runs once a request", 0)
  end
  error("inner was called before its middleware, the one of " .. owner, 0)
end

-- What a step returned, where it is not simply the result of what is inside.
local function settle(req, step, place, context, ok, first, second, third)
  local res, err
  if not ok then
    return failures.caught(req, first, place, context)
  elseif first == nil and second == nil then
    if req[11] == step then
      return failures.failed(req, "returned nothing and did not call inner", place, context)
    end
    return req[12]
  elseif first == nil then
    return failures.failed(req, second, place, context)
  elseif result.is_result(first) and second == nil then
    res = first
  else
    res, err = result.of_returned(req, 200, first, second, third)
  end
  if not res then
    return failures.failed(req, place .. " " .. err, place, context)
  end
  return failures.rendered(req, res, context)
end

-- What the handler returned, where it is not simply a string or a table.
local function settle_handler(req, place, context, ok, first, second, third)
  if not ok then
    return failures.caught(req, first, place, context)
  elseif first == nil and second ~= nil then
    return failures.failed(req, second, place, context)
  end
  local default = req[13] and req[13].status or 200
  local res, err = result.of_returned(req, default, first, second, third)
  if not res then
    return failures.failed(req, place .. " " .. err, place, context)
  end
  return failures.rendered(req, res, context)
end

-- The step around the handler. `plain`: a text without a status is a 200.
local HANDLER = [[
local before, step, plain, handler, place, context, settle, owner = ...
local xpcall, raised, rawget, setmetatable, type, Result, mark, misuse = select(9, ...)
local past = -step
return function(req)
  if type(req) ~= "table" or rawget(req, 11) ~= before then
    misuse(req, before, owner)
  end
  req[11] = step
  local ok, first, second, third = xpcall(handler, raised, req)
  local res
  if ok and type(first) == "string" and second == nil and plain then
    res = setmetatable({ 200, first, false, false, false, false, mark, false }, Result)
  else
    res = settle(req, place, context, ok, first, second, third)
  end
  req[11] = past
  req[12] = res
  return res
end]]

-- The step around a middleware.
local STEP = [[
local before, step, fn, inner, place, context, settle, owner, covers = ...
local xpcall, raised, rawget, _, type, _, mark, misuse = select(10, ...)
local past = -step
return function(req)
  if type(req) ~= "table" or rawget(req, 11) ~= before then
    misuse(req, before, owner)
  end
  req[11] = step
  local ok, res, second, third = %s
  if not ok or second ~= nil or type(res) ~= "table" or rawget(res, 7) ~= mark then
    res = settle(req, step, place, context, ok, res, second, third)
  end
  req[11] = past
  req[12] = res
  return res
end]]

local CALL = "xpcall(fn, raised, req, inner)"
local CALL_BELOW = [[
true
  if covers(req.path) then
    ok, res, second, third = xpcall(fn, raised, req, inner)
  else
    res = inner(req)
  end]]

-- Around all steps: the values that the engine takes.
local WHOLE = [[
local outermost, parts, type, plain = ...
return function(req)
  local res = outermost(req)
  local body = res[2]
  if not res[5] and not res[4] and not res[3] and type(body) == "string" then
    if res[1] == 200 and plain then
      return body
    end
    return res[1], body
  end
  return parts(res)
end]]

local around_handler = twin.chunk(HANDLER, "=(around a handler)")
local around_middleware = twin.chunk(STEP:format(CALL), "=(around a middleware)")
local around_perhaps = twin.chunk(STEP:format(CALL_BELOW), "=(around a middleware with a prefix)")
local around_all = twin.chunk(WHOLE, "=(around a route)")

-- What every generated function takes behind what is its own.
local function common()
  return xpcall, failures.raised, rawget, setmetatable, type, result.Result, result.mark, misuse
end

---@class perigee.Use a middleware where an app uses it
---@field fn function
---@field covers? fun(path: string): boolean asked a request where the pattern can't tell

---@class perigee.Context whose hooks answer for a route
---@field error? function

--- A handler with middleware around it, and what slot 11 of its requests begins with.
---@param uses perigee.Use[] from the outermost to the innermost
---@param handler perigee.Handler
---@param place string "the handler at app.lua:12"
---@param context perigee.Context
---@param refusal? boolean whether the handler answers what no route takes: then `req[13]` says the usual status
---@return fun(req): any, any, any
---@return integer begin
function M.compose(uses, handler, place, context, refusal)
  last = last + 1
  local base, count, names, seen = last * ROOM, #uses, { [0] = "the server" }, {}
  for i, use in ipairs(uses) do
    names[i] = "the middleware at " .. place_of(use.fn)
  end
  local top = base + count + 1
  local inner = around_handler(top - 1, top, not refusal, handler, place, context, settle_handler, names[count],
    common())
  for i = count, 1, -1 do
    local fn, name, covers = uses[i].fn, names[i], uses[i].covers
    fn, seen[name] = seen[name] and twin.of(fn) or fn, true
    inner = (covers and around_perhaps or around_middleware)(base + i - 1, base + i, fn, inner, name, context, settle,
      names[i - 1], covers, common())
  end
  return around_all(inner, result.parts, type, not refusal), base
end

return M
