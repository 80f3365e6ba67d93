-- perigee.every and perigee.cron: functions that run again and again, each run as a task of its own. A timer ends with
-- its version of the app: VmView::retired says so, and wakes those that wait.

local core = require "perigee.core"
local cron = require "perigee.cron"
local error_text = require "perigee.error_text"
local native = require "perigee.native"
local spawned = require "perigee.spawned"
local tasks = require "perigee.tasks"

local C, vm = native.C, native.vm

local M = {}

local SHORTEST = 0.001 -- seconds between two runs
local LONGEST_NAP = 30 -- seconds after which a timer that goes by the wall clock looks at it again
local STEP_BACK = 10   -- seconds the wall clock may be set back without a run being repeated

local worker = core.worker()

-- Waits for `seconds`; true when the timer is over.
local function rest(what, seconds)
  local task = vm.current
  if vm.retired == 0 then
    task.ticking = 1
    C.perigee_wake_after(task, seconds)
    tasks.suspend(what)
    task.ticking = 0
  end
  return vm.retired ~= 0
end

-- One run; the next waits for its end. Its error is an event in the log, and the timer goes on. Who cancels the timer
-- cancels the run.
local function run(what, place, fn)
  local address, serial = core.current()
  local handle = spawned.spawn(fn)
  while not handle.done do
    spawned.add_waiter(handle, serial, address)
    tasks.suspend(what, handle.cancel, handle)
  end
  if not handle.ok then
    core.uncaught(("error in the function of %s at %s: "):format(what, place), error_text.describe(handle.results[1]))
  end
end

local function every(seconds, place, fn)
  local start, count = core.monotonic(), 0
  while true do
    -- From the start, so that nothing adds up; what a long run has missed is left out.
    count = math.max(count + 1, math.ceil((core.monotonic() - start) / seconds))
    local due = start + count * seconds
    while core.monotonic() < due do
      if rest("perigee.every", due - core.monotonic()) then
        return
      end
    end
    run("perigee.every", place, fn)
  end
end

local function at_times(schedule, place, fn)
  local last = core.now()
  while true do
    local due = cron.after(schedule, last)
    while core.now() < due do
      if rest("perigee.cron", math.min(due - core.now(), LONGEST_NAP)) then
        return
      elseif core.now() < last - STEP_BACK then
        last = core.now()
        due = cron.after(schedule, last)
      end
    end
    run("perigee.cron", place, fn)
    last = math.max(due, core.now())
  end
end

-- The options that both take. `allowed` names them.
local function check_options(what, options, allowed)
  if options ~= nil and type(options) ~= "table" then
    error(("%s: options are a table, got %s"):format(what, type(options)), 3)
  end
  for key, value in pairs(options or {}) do
    if not allowed[key] then
      error(("%s has no option '%s'"):format(what, tostring(key)), 3)
    elseif type(value) ~= "boolean" then
      error(("%s: %s is true or false, got %s"):format(what, key, type(value)), 3)
    end
  end
  return options or {}
end

local function place_of(fn)
  local info = debug.getinfo(fn, "S")
  return (info.source:gsub("^@", "")) .. ":" .. info.linedefined
end

local function begin(options, loop, how, fn)
  if options.once and worker ~= 1 then
    return spawned.ended()
  end
  return spawned.spawn(loop, how, place_of(fn), fn)
end

local EVERY_OPTIONS, CRON_OPTIONS = { once = true }, { once = true, utc = true }

--- Runs `fn()` every `seconds`, the first time after so many.
---@param seconds number
---@param fn function
---@param options? { once?: boolean } once: on one worker of the server
---@return perigee.Task the timer
function M.every(seconds, fn, options)
  if type(seconds) ~= "number" or not (seconds >= SHORTEST and seconds < math.huge) then
    error("bad argument #1 to 'every' (a number of seconds, at least 0.001, expected)", 2)
  elseif type(fn) ~= "function" then
    error("bad argument #2 to 'every' (function expected, got " .. type(fn) .. ")", 2)
  end
  options = check_options("perigee.every", options, EVERY_OPTIONS)
  tasks.current("perigee.every")
  return begin(options, every, seconds, fn)
end

--- Runs `fn()` at the times that a cron expression names, by the local clock.
---@param expression string
---@param fn function
---@param options? { once?: boolean, utc?: boolean } once: on one worker of the server; utc: by UTC
---@return perigee.Task the timer
function M.cron(expression, fn, options)
  if type(expression) ~= "string" then
    error("bad argument #1 to 'cron' (string expected, got " .. type(expression) .. ")", 2)
  elseif type(fn) ~= "function" then
    error("bad argument #2 to 'cron' (function expected, got " .. type(fn) .. ")", 2)
  end
  options = check_options("perigee.cron", options, CRON_OPTIONS)
  local schedule, err = cron.parse(expression, options.utc and cron.utc or cron.local_time)
  if not schedule then
    error(err, 2)
  end
  tasks.current("perigee.cron")
  return begin(options, at_times, schedule, fn)
end

return M
