-- What bench/dictionary.py times, the same of Perigee's dictionaries and of nginx's: each loop is a function of its
-- own, so that it is a trace of its own.

local ffi = require "ffi"

ffi.cdef [[
struct perigee_bench_time { int64_t seconds, nanoseconds; };
int clock_gettime(int32_t clock, struct perigee_bench_time* time);
]]

local MONOTONIC, THREAD_CPU = 1, 3
local KEYS = 1024 -- of each party
local VALUE = ("v"):rep(16)

local M, loops = {}, {}

local time = ffi.new("struct perigee_bench_time")

local function nanoseconds(clock)
  ffi.C.clock_gettime(clock, time)
  return tonumber(time.seconds) * 1e9 + tonumber(time.nanoseconds)
end

function loops.empty(_, keys, count) -- what the loop costs itself
  local sum = 0
  for i = 1, count do
    sum = sum + #keys[i % KEYS + 1]
  end
  return sum
end

function loops.get_number(dictionary, keys, count)
  local sum = 0
  for i = 1, count do
    sum = sum + dictionary:get(keys[i % KEYS + 1])
  end
  return sum
end

function loops.get(dictionary, keys, count)
  local sum = 0
  for i = 1, count do
    sum = sum + #dictionary:get(keys[i % KEYS + 1])
  end
  return sum
end

function loops.incr(dictionary, keys, count)
  local sum = 0
  for i = 1, count do
    sum = sum + dictionary:incr(keys[i % KEYS + 1], 1)
  end
  return sum
end

function loops.set(dictionary, keys, count)
  for i = 1, count do
    dictionary:set(keys[i % KEYS + 1], VALUE)
  end
end

local FIRST = { get = VALUE, get_number = 1, incr = 0, set = VALUE, empty = "" }

-- All parties begin at once, so that they are in each other's way all the time.
local function meet(dictionary, parties)
  local round = math.floor((dictionary:incr("here", 1, 0) - 1) / parties) + 1
  local give_up = nanoseconds(MONOTONIC) + 5e9
  while dictionary:get("here") < round * parties do
    assert(nanoseconds(MONOTONIC) < give_up, "the other party does not come")
  end
end

--- Runs a loop: nanoseconds of an iteration, by the clock and of the thread's processor time.
---@param what string name of the loop
---@param place string whose keys: another one each party, or the same
function M.run(dictionary, what, place, parties, count)
  local keys = {}
  for i = 1, KEYS do
    keys[i] = ("%s:%s:%d"):format(what, place, i * 7919)
    dictionary:set(keys[i], FIRST[what])
  end
  loops[what](dictionary, keys, 20 * KEYS) -- compiled from here on
  meet(dictionary, parties)
  local wall, cpu = nanoseconds(MONOTONIC), nanoseconds(THREAD_CPU)
  loops[what](dictionary, keys, count)
  return (nanoseconds(MONOTONIC) - wall) / count, (nanoseconds(THREAD_CPU) - cpu) / count
end

return M
