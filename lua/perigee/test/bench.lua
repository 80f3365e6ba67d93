-- bench("name", fn): finds out how often fn's work can be done in a second, as Go's testing package does.

local core = require "perigee.core"
local error_text = require "perigee.error_text"

local M = {}

local ROUNDS = 5 -- a benchmark is measured that often: how much they differ is its noise
local MOST = 1e9

---@class perigee.test.Bench
---@field n integer how often to do it
local Bench = {}
Bench.__index = Bench

--- Forgets the time so far: what was prepared does not count.
function Bench:reset()
  self.count, self.bytes = self.allocated()
  self.began = self.clock()
end

-- "page of users" -> "PageOfUsers"
local function go_name(name)
  local words = name:gsub("([%a\128-\255])([%w\128-\255]*)", function(first, rest) return first:upper() .. rest end)
  return (words:gsub("[^%w_/=.\128-\255-]", ""))
end

local function told(err)
  local trace = debug.traceback("", 2):gsub("\n[^\n]*lua/perigee/[^\n]*", ""):gsub("\n%s*%[C%][^\n]*", "")
  return error_text.describe(err) .. trace
end

-- Runs fn for `n` times on this lane: nanoseconds, bytes, allocations; or nil, why not.
local function run(case, n, options)
  local b = setmetatable({ n = n, clock = options.clock, allocated = options.allocated }, Bench)
  options.begin(case.shown, case.place)
  collectgarbage()
  b:reset()
  local ok, err = xpcall(case.fn, told, b)
  local ns = options.clock() - b.began
  local count, bytes = options.allocated()
  core.pardon() -- where a limit has stopped it, the next benchmark begins anew
  if not ok then
    return nil, err
  end
  return ns, bytes - b.bytes, count - b.count
end

-- As many as fill the goal, but no more than a hundred times the last, in whole steps (Go's rule).
local function next_n(n, ns, goal)
  local wanted = math.floor(goal * n / math.max(ns, 1) * 1.2)
  return math.min(math.max(math.min(wanted, 100 * n), n + 1), MOST)
end

-- All lanes do this in step: meet(a, b, c) waits until all are there and returns the largest a, the sums of b and c.
local function measure(case, options)
  local meet, lane, lanes = options.meet, options.lane, options.lanes
  local takes_part = lane == 0 or case.parallel
  local goal = options.seconds * 1e9 / ROUNDS
  local n, rounds, result = 1, 0, { n = 0, ns = 0, bytes = 0, allocations = 0, each = {} }
  local deadline = options.clock() + options.time_limit * 1e9
  while rounds < ROUNDS do
    n = meet(n, 0, 0)
    if n == math.huge then
      return nil
    end
    local ns, bytes, allocations = 0, 0, 0
    if takes_part then
      ns, bytes, allocations = run(case, case.parallel and math.ceil(n / lanes) or n, options)
      if ns and lane == 0 and options.clock() > deadline then
        ns, bytes = nil, ("%s: did not end within %g s (--timeout): b.n was %.0f in round %d"):format(case.place,
          options.time_limit, n, rounds)
      end
      if not ns then
        options.failed(case.shown, bytes)
        meet(math.huge, 0, 0)
        return nil
      end
    end
    local longest
    longest, bytes, allocations = meet(ns, bytes, allocations)
    if longest == math.huge then
      return nil
    end
    local done = case.parallel and math.ceil(n / lanes) * lanes or n
    if rounds > 0 or longest >= goal * 0.8 or n >= MOST then
      rounds = rounds + 1
      result.n, result.ns = result.n + done, result.ns + longest
      result.bytes, result.allocations = result.bytes + bytes, result.allocations + allocations
      result.each[rounds] = longest / done
    else
      n = next_n(n, longest, goal)
    end
    options.progress(case.shown, done, rounds)
  end
  return result
end

-- The first of a name has it as it is, the next is name#01: Go's rule, so that figures of two are not taken for one's.
local function told_apart(name, used)
  local base = go_name(name)
  local made, n = base, 0
  while used[made] do
    n = n + 1
    made = ("%s#%02d"):format(base, n)
  end
  used[made] = true
  return made
end

local function collect(file)
  local cases, used = {}, {}
  function _G.bench(name, options, fn)
    if fn == nil then
      options, fn = {}, options
    end
    if type(name) ~= "string" or type(fn) ~= "function" or type(options) ~= "table" then
      error("bench takes a name, options or none, and a function", 2)
    end
    for key in pairs(options) do
      if key ~= "parallel" then
        error(("bench has no option '%s'"):format(tostring(key)), 2)
      end
    end
    local shown = told_apart(name, used)
    local info = debug.getinfo(2, "Sl")
    cases[#cases + 1] = { name = name, shown = shown, fn = fn, parallel = options.parallel and true or false,
      place = ("%s:%d"):format(info.short_src, info.currentline) }
  end
  local chunk, err = loadfile(file)
  if not chunk then
    error(err, 0)
  end
  local ok, problem = xpcall(chunk, told)
  if not ok then
    error(problem, 0)
  end
  return cases
end

--- Runs a file of benchmarks. Every lane, each with a VM of its own, runs it in step with the others.
---@param file string
---@param options table { lane, lanes, count, seconds, time_limit, filter?, begin, meet, clock, allocated, progress,
--- finish, failed }
function M.run(file, options)
  local cases = collect(file)
  for _, case in ipairs(cases) do
    for _ = 1, options.count do
      if options.filter and not case.name:find(options.filter) and not case.shown:find(options.filter) then
        break
      end
      local result = measure(case, options)
      if not result then
        break
      end
      table.sort(result.each)
      if options.lane == 0 then
        options.finish(case.shown, result.n, result.ns / result.n, result.bytes / result.n,
          result.allocations / result.n, result.each[1], result.each[#result.each])
      end
    end
  end
end

return M
