local core = require "perigee.core"
local failures = require "perigee.failures"
local native = require "perigee.native"
local response = require "perigee.response"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

-- What `fn` returns, and what was logged meanwhile, with its fields.
local function logged(fn)
  local lines, log, uncaught = { fields = {} }, core.log, core.uncaught
  core.uncaught = function(prefix, text, fields) core.log("error", prefix .. text, fields) end
  core.log = function(_, message, fields)
    lines[#lines + 1] = message
    lines.fields[#lines] = fields
  end
  local ok, value = pcall(fn)
  core.log, core.uncaught = log, uncaught
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
    equal("POST " .. spec.req.path, core.decode(lines.fields[1]).request)
  end)

  it("of a table is shown by its members", function()
    local err = raised_by(function() error { code = 7 } end)
    local res, lines = logged(function() return failures.caught(spec.req, err, "the handler at x", {}) end)
    equal(7, res.error.code)
    equal('a table: {"code":7}', lines[1]:match("^[^\n]*"))
  end)

  local place = "the handler at app.lua:7"

  it("names the handler where its frame is gone", function()
    local head = "\nstack traceback:\n\t[C]: in function 'error'\n\tlua/perigee/html.lua:61: in function 'fill'"
    local around = "\n\t[C]: in function 'xpcall'\n\t(around a handler):9: in function 'inner'"
      .. "\n\tapp.lua:75: in function <app.lua:75>"
    local named = "oops (from the handler at app.lua:7)"
    equal(named .. head .. around, failures.with_place("oops", head .. around, place))
    equal(named .. head, failures.with_place("oops", head, place))
    equal("app.lua:7: oops" .. head, failures.with_place("app.lua:7: oops", head, place))
    local frame = "\n\tapp.lua:8: in function <app.lua:7>"
    equal("oops" .. head .. frame .. around, failures.with_place("oops", head .. frame .. around, place))
  end)

  it("names the handler once", function()
    local _, lines = logged(function() return failures.failed(spec.req, place .. " returned a boolean", place, {}) end)
    equal("the handler at app.lua:7 returned a boolean", lines[1])
    _, lines = logged(function() return failures.failed(spec.req, "timeout: db", place, {}) end)
    equal("timeout: db (from the handler at app.lua:7)", lines[1])
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
