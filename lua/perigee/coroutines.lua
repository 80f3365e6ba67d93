-- Coroutines that can be waited through: when something inside one waits (perigee.sleep, a full stream), the wait
-- passes through every coroutine around it to the task, and comes back the same way. A program's own yields are its
-- own.

local core = require "perigee.core"

local create, raw_resume, raw_yield = coroutine.create, coroutine.resume, coroutine.yield
local WAIT, stack_is_low = core.wait_mark, core.stack_is_low

local REFUSED = {}

local M = {
  yield = raw_yield,
  refused = REFUSED, -- what a wait inside a coroutine is told that can't pass on to the task
}

-- Passes a wait on. A C function that calls back stops it: who waits is told, and raises where the wait was.
local function pass_on()
  local ok, refused = pcall(raw_yield, WAIT)
  return not ok and REFUSED or refused
end

local function step(co, ok, first, ...)
  if ok and first == WAIT then
    return step(co, raw_resume(co, pass_on()))
  end
  return ok, first, ...
end

-- Each coroutine that runs inside another takes its share of the thread's stack, which Lua itself does not watch.
local TOO_DEEP = "stack overflow: too many coroutines inside one another"

local function unwrap(ok, first, ...)
  if not ok then
    error(first, 0)
  end
  return first, ...
end

function coroutine.resume(co, ...) -- luacheck: ignore 122
  if stack_is_low() then
    return false, TOO_DEEP
  end
  return step(co, raw_resume(co, ...))
end

function coroutine.wrap(fn) -- luacheck: ignore 122
  local co = create(fn)
  return function(...)
    if stack_is_low() then
      error(TOO_DEEP, 2)
    end
    return unwrap(step(co, raw_resume(co, ...)))
  end
end

return M
