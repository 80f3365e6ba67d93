-- A clock for specs of what goes by it: it moves with perigee.sleep() and otherwise stands.

local core = require "perigee.core"
local perigee = require "perigee"

local M = {}

--- Runs `fn(advance)`, where `advance(seconds)` lets time pass for clock and timers.
function M.with(fn)
  local monotonic, now, passed = core.monotonic, core.now, 0
  local start, epoch = monotonic(), now()
  core.monotonic = function() return start + passed end
  core.now = function() return epoch + passed end
  local ok, err = pcall(fn, function(seconds)
    perigee.sleep(0) -- what was spawned begins
    passed = passed + seconds
    perigee.sleep(math.min(math.max(seconds, 0), 60) + 1) -- timers look at the clock at least that often
    perigee.sleep(0)
  end)
  core.monotonic, core.now = monotonic, now
  assert(ok, err)
end

return M
