-- What is computed once for all workers that ask for it meanwhile (engine/state/flights.h).

local core = require "perigee.core"
local error_text = require "perigee.error_text"
local native = require "perigee.native"
local tasks = require "perigee.tasks"
local values = require "perigee.shared_values"

local C, vm = native.C, native.vm
local packed, unpacked, read = values.packed, values.unpacked, values.read

local NONE = values.NONE
local ALWAYS = 0 -- When

local M = {}

local function ended(co, ok, ...)
  if coroutine.status(co) ~= "dead" then
    return false, "the function given to a shared dictionary can't yield to a coroutine of the program's own"
  end
  return ok, ...
end

--- Runs `fn` in a coroutine of its own, so that it comes to an end here whatever it does.
---@param fn function
---@return boolean ok, any ...
function M.contained(fn, ...)
  local co = coroutine.create(fn)
  return ended(co, coroutine.resume(co, ...))
end

-- Ends a computation that raised. What was only broken off somebody else may try.
local function fail(flight, err)
  local broken_off = vm.current.cancelled ~= 0
  core.shared_land(flight, broken_off and "abandoned" or "failed", nil, nil, nil, error_text.describe(err))
  error(err, 0)
end

local function land(flight, dictionary, key, ttl, ok, value, err)
  if not ok then
    fail(flight, value)
  elseif value == nil then
    core.shared_land(flight, "value", NONE, nil, nil, err ~= nil and error_text.describe(err) or nil)
    return nil, err
  end
  local kind, number, bytes = packed(value)
  if not kind then
    fail(flight, "the function given to 'fetch' returned what can't be kept: " .. number)
  end
  C.perigee_shared_write(dictionary, key, #key, kind, number, bytes, #bytes, ttl, ALWAYS)
  core.shared_land(flight, "value", kind, number, bytes)
  return value
end

local function compute(flight, dictionary, key, ttl, fn)
  local value = read(dictionary, key)
  if value ~= nil then -- somebody had just ended
    local kind, number, bytes = packed(value)
    core.shared_land(flight, "value", kind, number, bytes)
    return value
  end
  return land(flight, dictionary, key, ttl, M.contained(fn))
end

-- Waits for what another computes: how it ended, and what came of it.
local function wait_for_result()
  while true do
    local landing, kind, number, bytes, text = core.shared_result()
    if landing then
      return landing, unpacked(kind, number, bytes), text ~= "" and text or nil
    end
    local ok, err = pcall(tasks.suspend, "fetch")
    if not ok then
      core.shared_leave()
      error(err, 0)
    end
  end
end

--- The value of a key; where there is none what `fn` computes, which is kept.
---@param dictionary ffi.cdata*
---@param name string of the dictionary
---@param key string
---@param ttl number seconds; 0 for none
---@param fn fun(): any, string?
---@return any, string?
function M.fetch(dictionary, name, key, ttl, fn)
  local flight = name .. "\0" .. key
  while true do
    local value = read(dictionary, key)
    if value ~= nil then
      return value
    end
    local role = core.shared_join(flight)
    if role == "computes" then
      return compute(flight, dictionary, key, ttl, fn)
    elseif role == "recursion" then
      error(("fetch of '%s' within the function that computes it"):format(key), 3)
    end
    local landing, result, text = wait_for_result()
    if landing == "value" then
      return result, text
    elseif landing == "failed" then
      error(("fetch of '%s' failed where it was computed: %s"):format(key, text), 0)
    end
  end
end

return M
