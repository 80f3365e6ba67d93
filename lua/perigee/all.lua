-- perigee.all: many tasks waited for at once.

local core = require "perigee.core"
local native = require "perigee.native"
local tasks = require "perigee.tasks"

local C = native.C

local M = {}

local function check_options(options)
  if options ~= nil and type(options) ~= "table" then
    error("bad argument #2 to 'all' (a table of options expected, got " .. type(options) .. ")", 3)
  end
  for key in pairs(options or {}) do
    if key ~= "timeout" then
      error(("perigee.all has no option '%s': it takes timeout"):format(tostring(key)), 3)
    end
  end
  local timeout = options and options.timeout
  if timeout ~= nil and (type(timeout) ~= "number" or not (timeout >= 0)) then
    error("perigee.all: timeout is a number of seconds, 0 or more", 3)
  end
  return timeout
end

local function check_list(list)
  if type(list) ~= "table" or getmetatable(list) == tasks.Task then
    error("bad argument #1 to 'all' (a table of functions or tasks expected, got " .. type(list) .. ")", 3)
  end
  for key, item in pairs(list) do
    if type(item) ~= "function" and getmetatable(item) ~= tasks.Task then
      error(("perigee.all: the item '%s' is neither a function nor a task, but a %s"):format(tostring(key), type(item)),
        3)
    end
  end
end

-- Nobody waits any more; what was begun for this call alone is cancelled.
local function abandon(handles, group)
  for _, handle in pairs(handles) do
    handle.waiters[group.serial] = nil
    if group.own[handle] then
      handle:cancel()
    end
  end
end

-- Waits until every task has ended; false when `deadline` came first.
local function await(handles, group, deadline)
  local task = tasks.current("perigee.all")
  for _, handle in pairs(handles) do
    if not handle.done and not handle.waiters[group.serial] then
      handle.waiters[group.serial] = group
      group.left = group.left + 1
    end
  end
  while group.left > 0 do
    if deadline then
      local left = deadline - core.monotonic()
      if left <= 0 then
        return false
      end
      C.perigee_wake_after(task, left)
    end
    tasks.suspend("perigee.all", abandon, handles, group)
  end
  if deadline then
    C.perigee_stop_timer(task)
  end
  return true
end

-- What became of each, under its key. A task that has not ended is cancelled.
local function gather(handles)
  local results, errors = {}, {}
  for key, handle in pairs(handles) do
    if not handle.done then
      errors[key] = "timeout"
      handle:cancel()
    elseif not handle.ok then
      errors[key] = handle.results[1]
    else
      results[key], errors[key] = handle.results[1], handle.results[1] == nil and handle.results[2] or nil
    end
  end
  return results, errors
end

--- Runs functions at once, each as a task, and waits for all of them, and for tasks that run already.
---@param list table<any, function|perigee.Task>
---@param options? { timeout?: number } seconds; then what has not ended is cancelled, its error "timeout"
---@return table results by the same keys: the first value each returned
---@return table errors by the same keys: what it raised, or the error of `return nil, err`
function M.all(list, options)
  local timeout = check_options(options)
  check_list(list)
  local address, serial = core.current()
  tasks.current("perigee.all")
  local group, handles = { left = 0, address = address, serial = serial, own = {} }, {}
  for key, item in pairs(list) do
    local handle = type(item) == "function" and tasks.spawn(item) or item
    handles[key] = handle
    group.own[handle] = type(item) == "function"
  end
  if not await(handles, group, timeout and core.monotonic() + timeout) then
    for _, handle in pairs(handles) do
      handle.waiters[serial] = nil
    end
  end
  return gather(handles)
end

return M
