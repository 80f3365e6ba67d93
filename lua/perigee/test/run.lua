-- The program that `perigee test` runs for each file of tests: an app without routes whose start hook is the file.

local core = require "perigee.core"
local perigee = require "perigee"

local desk = core.test_desk()
local program = require "perigee.test.program"
local suite = require "perigee.test.suite"
local upstream = require "perigee.test.upstream"

print = require("perigee.test.output").printer(io.stdout) -- luacheck: ignore 121

local function run()
  local config = perigee.config
  program.search_beside(config.file)
  program.refuse_stray_yields()
  math.randomseed(config.seed)
  desk.begin_test("", config.file)
  suite.run(config.file, {
    filter = config.filter ~= "" and config.filter or nil,
    filter_out = config.filter_out ~= "" and config.filter_out or nil,
    tags = config.tags,
    exclude_tags = config.exclude_tags,
    random = math.random,
    begin = function(name, place)
      program.begin_anew()
      desk.begin_test(name, place)
    end,
    finish = desk.end_test,
    renew = function()
      desk.renew()
      program.begin_anew()
    end,
    late_problem = upstream.take_problem,
  })
end

return perigee.app():start(run)
