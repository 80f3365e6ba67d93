---@meta _
-- Annotations of tasks, timers and semaphores for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

---@class perigee
local perigee = {}

--- Waits; others are served meanwhile. Raises when the task is cancelled, at the top level of a file, and below a C
--- function that calls back (table.sort, string.gsub).
---@param seconds number 0 or more; 0 lets everything that is ready run first
function perigee.sleep(seconds) end

--- Runs `fn(...)` as a task of its own. It begins when the running code next waits or ends, and outlives the request:
--- `req:spawn` makes one that does not.
---
--- ```lua
--- local task = perigee.spawn(function(a, b) perigee.sleep(1) return a + b end, 3, 4)
--- local sum, err = task:wait(5)
--- ```
---@param fn function
---@param ... any
---@return perigee.Task
function perigee.spawn(fn, ...) end

--- Runs functions at once, each as a task, and waits for all of them; also for tasks that run already.
---
--- ```lua
--- local results, errors = perigee.all({ user = load_user, orders = load_orders }, { timeout = 2 })
--- ```
---@param list table<any, function|perigee.Task>
---@param options? { timeout?: number } seconds; then what has not ended is cancelled, and its error is "timeout"
---@return table<any, any> results by the same keys: the first value each returned
---@return table<any, any> errors by the same keys: what was raised, or the error of `return nil, err`
function perigee.all(list, options) end

--- Runs `fn()` every `seconds`, the first time after so many, counted from now on. A run that takes longer delays the
--- next: two never run at once, and what was missed is left out. Ends with its version of the app.
---@param seconds number at least 0.001
---@param fn function
---@param options? { once?: boolean } once: on one worker of the server only, the first
---@return perigee.Task timer to cancel
function perigee.every(seconds, fn, options) end

--- Runs `fn()` at the times that a cron expression names: minute, hour, day of the month, month, day of the week. By
--- the server's local time, or by UTC.
---
--- ```lua
--- perigee.cron("30 4 * * mon-fri", clean_up, { once = true })
--- ```
---@param expression string
---@param fn function
---@param options? { once?: boolean, utc?: boolean } once: on one worker of the server only, the first
---@return perigee.Task timer to cancel
function perigee.cron(expression, fn, options) end

--- A semaphore: at most `count` hold it at once, in this worker. Who waits is served in order.
---@param count integer
---@return perigee.Semaphore
function perigee.semaphore(count) end

--- Runs `fn(...)` when the running request or task is over, however it ends; the last deferred runs first. May wait.
---@param fn function
---@param ... any
function perigee.defer(fn, ...) end

--- Runs `fn(...)` without being cancelled within. Where the task was cancelled meanwhile, the next wait raises.
---@param fn function
---@param ... any
---@return any ... what fn returns
function perigee.shield(fn, ...) end

--- Seconds since 1970, with a fraction; may jump with the system's clock.
---@return number
function perigee.now() end

--- Seconds, with a fraction, on a clock that never jumps; for durations.
---@return number
function perigee.monotonic() end

--- What perigee.spawn returns.
---@class perigee.Task
local Task = {}

--- Waits until the task ends. May be called by several, and again.
---@param timeout? number seconds; without it as long as it takes
---@return any ... what the function returned; or nil and its error; or nil and "timeout"
function Task:wait(timeout) end

--- Makes the task's next wait raise, or keeps the task from beginning. Does nothing once it has ended.
function Task:cancel() end

--- What perigee.semaphore returns.
---@class perigee.Semaphore
local Semaphore = {}

--- Takes one, and waits until one is free.
---@param timeout? number seconds; 0 does not wait
---@return true|nil, string? err "timeout"
function Semaphore:acquire(timeout) end

--- Gives one back; any task may. Raises when nobody holds one.
function Semaphore:release() end

--- Runs `fn(...)` while holding one, and gives it back whatever happens.
---@param fn function
---@param ... any
---@return any ... what fn returns
function Semaphore:with(fn, ...) end
