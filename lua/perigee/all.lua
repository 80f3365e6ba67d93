-- perigee.all: many tasks waited for at once.

local core = require "perigee.core"
local native = require "perigee.native"
local spawned = require "perigee.spawned"
local tasks = require "perigee.tasks"

local C, Task, new_table = native.C, spawned.Task, require "table.new"
local NONE = {}

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

-- How many items there are.
local function check_list(list)
  if type(list) ~= "table" or getmetatable(list) == Task then
    error("bad argument #1 to 'all' (a table of functions or tasks expected, got " .. type(list) .. ")", 3)
  end
  local count = 0
  for key, item in pairs(list) do
    if type(item) ~= "function" and getmetatable(item) ~= Task then
      error(("perigee.all: the item '%s' is neither a function nor a task, but a %s"):format(tostring(key), type(item)),
        3)
    end
    count = count + 1
  end
  return count
end

-- The tasks that were begun elsewhere, once each.
local function join(group, key, task)
  local joined = group.joined or {}
  group.joined = joined
  joined[key] = task
  if not task.done and not (task.waiters and task.waiters[group.serial]) then
    spawned.add_waiter(task, group.serial, group)
    group.left = group.left + 1
  end
end

-- Nobody waits any more: what was begun for this call alone is cancelled.
local function abandon(group)
  group.over = true
  for at = 1, group.size, 3 do
    if group[at + 1] then
      core.cancel(group[at + 1], group[at + 2])
    end
  end
  for _, task in pairs(group.joined or NONE) do
    spawned.forget_waiter(task, group.serial)
  end
end

-- Waits until every task has ended; false when `deadline` came first.
local function await(group, deadline)
  while group.left > 0 do
    if deadline then
      local left = deadline - core.monotonic()
      if left <= 0 then
        return false
      end
      C.perigee_wake_after(tasks.current("perigee.all"), left)
    end
    tasks.suspend("perigee.all", abandon, group)
  end
  if deadline then
    C.perigee_stop_timer(tasks.current("perigee.all"))
  end
  return true
end

-- What the tasks that have not ended are told, and what their callers are.
local function time_out(group)
  for at = 1, group.size, 3 do
    if group[at + 1] then
      group.errors[group[at]] = "timeout"
    end
  end
  abandon(group)
end

-- What became of a task that was begun elsewhere, under its key.
local function gather(group, key, task)
  local results, errors = group.results, group.errors
  if not task.done then
    errors[key] = "timeout"
    task:cancel()
  elseif not task.ok then
    errors[key] = task.results[1]
  else
    results[key], errors[key] = task.results[1], task.results[1] == nil and task.results[2] or nil
  end
end

--- Runs functions at once, each as a task, and waits for all of them, and for tasks that run already.
---@param list table<any, function|perigee.Task>
---@param options? { timeout?: number } seconds; then what has not ended is cancelled, its error "timeout"
---@return table results by the same keys: the first value each returned
---@return table errors by the same keys: what it raised, or the error of `return nil, err`
function M.all(list, options)
  local timeout = options ~= nil and check_options(options)
  local count = check_list(list)
  local address, serial = core.current()
  if not address then
    tasks.current("perigee.all")
  end
  local group = new_table(3 * count, 8)
  group.left, group.size, group.address, group.serial, group.over = 0, 0, address, serial, false
  group.results, group.errors, group.joined = new_table(#list, count - #list), {}, false
  for key, item in pairs(list) do
    if type(item) == "function" then
      spawned.spawn_member(group, key, item)
    else
      join(group, key, item)
    end
  end
  if not await(group, timeout and core.monotonic() + timeout) then
    time_out(group)
  end
  if group.joined then
    for key, task in pairs(group.joined) do
      gather(group, key, task)
    end
  end
  return group.results, group.errors
end

return M
