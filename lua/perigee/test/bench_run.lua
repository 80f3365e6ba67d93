-- The program that `perigee bench` runs for each file of benchmarks, once on each lane.

local core = require "perigee.core"
local perigee = require "perigee"

local bench = require "perigee.test.bench"
local desk = core.test_desk()

local function run()
  local config = perigee.config
  local file = config.file
  local folder = file:match("^(.*)/[^/]*$") or "."
  package.path = ("%s/?.lua;%s/?/init.lua;lua/?.lua;lua/?/init.lua;./?.lua;%s"):format(folder, folder, package.path)
  desk.begin_test(file, file)
  bench.run(file, {
    lane = config.lane,
    lanes = config.lanes,
    count = config.count,
    seconds = config.seconds,
    filter = config.filter ~= "" and config.filter or nil,
    meet = desk.meet,
    clock = desk.clock,
    allocated = desk.allocated,
    progress = config.lane == 0 and desk.bench_progress or function() end,
    finish = desk.bench_result,
    failed = desk.bench_failed,
  })
end

return perigee.app():start(run)
