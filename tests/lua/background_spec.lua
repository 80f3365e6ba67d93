local background = require "perigee.background"
local core = require "perigee.core"
local run = require "perigee.run"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

package.preload["spec_jobs"] = function()
  return {
    add = function(a, b) return a + b, nil end,
    fail = function() error("on purpose") end,
    fail_with_table = function() error({ code = 7 }) end,
    give_function = function() return 1, { print } end,
    number = 3,
  }
end
package.preload["spec_no_table"] = function() return "text" end

-- What becomes of a job.
local function outcome_of(module, name, ...)
  local given, done, outcome = core.job_given, core.job_done, nil
  local arguments = run.pack("argument", ...)
  core.job_given = function() return module, name, arguments end
  core.job_done = function(_, text) outcome = text end
  local ok, err = pcall(background.job)
  core.job_given, core.job_done = given, done
  assert(ok, err)
  return outcome
end

local function fails(pattern, outcome)
  equal("e", outcome:sub(1, 1))
  if not outcome:find(pattern) then
    error(("expected %s in %s"):format(pattern, outcome), 2)
  end
end

describe("a job", function()
  it("gives what its function returned", function()
    local outcome = outcome_of("spec_jobs", "add", 1, 2)
    equal("v", outcome:sub(1, 1))
    equal(3, (run.unpack(outcome:sub(2))))
    equal(2, select("#", run.unpack(outcome:sub(2))))
  end)

  it("gives what it raised, with the traceback of the program's part", function()
    local outcome = outcome_of("spec_jobs", "fail")
    fails("^ebackground_spec.lua:%d+: on purpose\nstack traceback:\n" , (outcome:gsub("^e[^\n]*/", "e", 1)))
    equal(nil, outcome:find("background.lua", 1, true))
    fails('^ea table: {"code":7}$', outcome_of("spec_jobs", "fail_with_table"))
  end)

  it("says what is missing", function()
    fails("^emodule 'spec_nowhere' not found:", outcome_of("spec_nowhere", "f"))
    fails("^ethe module 'spec_jobs' has no function 'f'", outcome_of("spec_jobs", "f"))
    fails("^ethe module 'spec_jobs' has a number as function 'number'", outcome_of("spec_jobs", "number"))
    fails("^ethe module 'spec_no_table' returns no table of functions, but a string", outcome_of("spec_no_table", "f"))
  end)

  it("says which of its results can't be passed on", function()
    local outcome = outcome_of("spec_jobs", "give_function")
    fails("^eit returned what can't be passed on: a function at result 2%[1%]$", outcome)
  end)
end)
