local core = require "perigee.core"
local failures = require "perigee.failures"
local native = require "perigee.native"
local response = require "perigee.response"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

-- What `fn` returns, and what was logged meanwhile.
local function logged(fn)
  local lines, log = {}, core.log
  core.log = function(_, message) lines[#lines + 1] = message end
  local ok, value = pcall(fn)
  core.log = log
  if not ok then
    error(value, 0)
  end
  return value, lines
end

local function raised_by(fn)
  local _, err = xpcall(fn, failures.raised)
  return err
end

describe("what was raised", function()
  it("is a 500 with its cause, and one event with the traceback", function()
    local err = raised_by(function() error("oops", 0) end)
    local res, lines = logged(function() return failures.caught(spec.req, err, "the handler at x", {}) end)
    equal(500, res.status)
    equal("oops", res.error)
    equal(nil, res.body.detail)
    equal(1, #lines)
    equal("oops\nstack traceback:", lines[1]:match("^oops\nstack traceback:"))
  end)

  it("is itself where it is a problem", function()
    local problem = response.problem(409, "taken")
    equal(problem, raised_by(function() error(problem) end))
    local res, lines = logged(function() return failures.caught(spec.req, problem, "the handler at x", {}) end)
    equal(409, res.status)
    equal("taken", res.body.detail)
    equal(0, #lines)
  end)

  it("is logged once though its text can't be had", function()
    local err = raised_by(function() error(setmetatable({}, { __tostring = function() error("no") end })) end)
    local res, lines = logged(function() return failures.caught(spec.req, err, "the handler at x", {}) end)
    equal(500, res.status)
    equal(1, #lines)
  end)

  it("for want of memory is a 500 like any other", function()
    local res, lines = logged(function()
      return failures.caught(spec.req, "not enough memory", "the handler at x", {})
    end)
    equal(500, res.status)
    equal("not enough memory for the handler at x", lines[1])
  end)
end)

describe("a cancelled request", function()
  local function problem_when(reason)
    local task = native.vm.current
    task.cancelled = reason
    local problem, lines = logged(function() return failures.problem(task, "x", function() return "text" end) end)
    task.cancelled = 0
    return problem.status, #lines
  end

  it("is a 503, which nobody hears of when the client has gone", function()
    equal("503 1", table.concat({ problem_when(native.TIME_LIMIT) }, " "))
    equal("503 1", table.concat({ problem_when(native.DRAINING) }, " "))
    equal("503 0", table.concat({ problem_when(native.CLIENT_GONE) }, " "))
  end)
end)
