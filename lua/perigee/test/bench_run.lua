-- The program that `perigee bench` runs for each file of benchmarks, once on each lane.

local core = require "perigee.core"
local perigee = require "perigee"

local bench = require "perigee.test.bench"
local desk = core.test_desk()
local program = require "perigee.test.program"

-- Not to standard output, which is for figures.
print = require("perigee.test.output").printer(io.stderr) -- luacheck: ignore 121

local function run()
  local config = perigee.config
  local file = config.file
  program.search_beside(file)
  program.refuse_stray_yields()
  desk.begin_test("", file)
  bench.run(file, {
    lane = config.lane,
    lanes = config.lanes,
    count = config.count,
    seconds = config.seconds,
    time_limit = config.time_limit,
    filter = config.filter ~= "" and config.filter or nil,
    begin = function(name, place)
      program.begin_anew() -- for each call of a benchmark's function
      desk.begin_test(name, place)
    end,
    meet = desk.meet,
    clock = desk.clock,
    allocated = desk.allocated,
    progress = config.lane == 0 and desk.bench_progress or function() end,
    finish = desk.bench_result,
    failed = desk.bench_failed,
  })
end

return perigee.app():start(run)
