-- The program that `perigee test` runs for each file of tests: an app without routes whose start hook is the file.

local core = require "perigee.core"
local native = require "perigee.native"
local perigee = require "perigee"

local desk = core.test_desk()
local suite = require "perigee.test.suite"
local upstream = require "perigee.test.upstream"

print = require("perigee.test.output").printer(io.stdout) -- luacheck: ignore 121

-- What a test requires is looked for beside its file, then among the app's modules.
local function search_beside(file)
  local folder = file:match("^(.*)/[^/]*$") or "."
  package.path = ("%s/?.lua;%s/?/init.lua;lua/?.lua;lua/?/init.lua;./?.lua;%s"):format(folder, folder, package.path)
end

-- What a test may compute is counted from one wait to the next. One that was over its time while it kept the thread is
-- told so by its next wait only: from here on that is past.
local function begin_anew()
  pcall(perigee.sleep, 0)
  native.vm.current.cancelled = 0
end

local function run()
  local config = perigee.config
  search_beside(config.file)
  math.randomseed(config.seed)
  desk.begin_test("", config.file)
  suite.run(config.file, {
    filter = config.filter ~= "" and config.filter or nil,
    filter_out = config.filter_out ~= "" and config.filter_out or nil,
    tags = config.tags,
    exclude_tags = config.exclude_tags,
    random = math.random,
    begin = function(name, place)
      begin_anew()
      desk.begin_test(name, place)
    end,
    finish = desk.end_test,
    renew = function()
      desk.renew()
      begin_anew()
    end,
    late_problem = upstream.take_problem,
  })
end

return perigee.app():start(run)
