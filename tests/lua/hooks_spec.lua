local apps = require "perigee.app"
local assembly = require "perigee.assembly"
local core = require "perigee.core"
local hooks = require "perigee.hooks"
local native = require "perigee.native"
local request = require "perigee.request"
local response = require "perigee.response"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

-- Runs `fn` as if the app had these hooks.
local function with_hooks(table_of_hooks, fn)
  local app = apps.new()
  app.hooks = table_of_hooks
  local before, routes = hooks.take(assembly.of(app)), request.routes
  request.routes = {}
  local ok, err = pcall(fn)
  hooks.take(before)
  request.routes = routes
  if not ok then
    error(err, 0)
  end
end

-- What is logged while `fn` runs.
local function logged(fn)
  local lines, log, uncaught = {}, core.log, core.uncaught
  core.log = function(level, message) lines[#lines + 1] = level .. " " .. message end
  core.uncaught = function(prefix, text) core.log("error", prefix .. text) end
  local ok, err = pcall(fn)
  core.log, core.uncaught = log, uncaught
  if not ok then
    error(err, 0)
  end
  return lines
end

describe("start and stop hooks", function()
  it("run in order, up to one that raises", function()
    local order = {}
    local function note(what) return function() order[#order + 1] = what end end
    local function fail() error("no", 0) end
    with_hooks({ start = { note("a"), note("b") }, stop = { note("c"), fail, note("d") } }, function()
      hooks.run(true)
      equal("ab", table.concat(order))
      raises("no", hooks.run, false)
      equal("abc", table.concat(order))
    end)
  end)

  it("may be none", function()
    with_hooks({}, function()
      hooks.run(true)
      hooks.run(false)
    end)
  end)
end)

describe("after hooks", function()
  it("each see what was answered, whatever became of the others", function()
    local seen = {}
    local function note(req, res)
      seen[#seen + 1] = req.path .. " " .. res.status .. " " .. res.body .. " " .. tostring(res.headers.x)
    end
    local task = native.vm.current
    local lines = logged(function()
      with_hooks({ after = { note, function() error("broken") end, note } }, function()
        hooks.keep_result(task.serial, 201, "made", { x = "y" })
        hooks.after(task)
      end)
    end)
    equal(2, #seen)
    equal("/specs/hooks_spec/42 201 made y", seen[1])
    equal(seen[1], seen[2])
    equal(1, #lines)
    equal("error error in an after hook: ", lines[1]:match("^error error in an after hook: "))
  end)

  it("are shown a response value's own body and headers", function()
    local task = native.vm.current
    with_hooks({ after = { function(_, res)
      equal("inner", res.body)
      equal("y", res.headers.x)
    end } }, function()
      local made = response.text("inner")
      made.headers.x = "y"
      hooks.keep_result(task.serial, 200, made, nil)
      equal(0, #logged(function() hooks.after(task) end))
    end)
  end)

  it("are shown a 500 where no answer was kept, and forget one that they have seen", function()
    local task = native.vm.current
    local statuses = {}
    with_hooks({ after = { function(_, res) statuses[#statuses + 1] = tostring(res.status) end } }, function()
      hooks.keep_result(task.serial, 200, "x", nil)
      hooks.after(task)
      hooks.after(task)
    end)
    equal("200,500", table.concat(statuses, ","))
  end)
end)

describe("app:error", function()
  it("renders a problem that names the request, with its cause", function()
    local cause = {}
    local problem = response.problem(500)
    problem.cause = cause
    with_hooks({ error = function(document, req, err)
      return document.status .. " " .. document.request_id .. " " .. req.method .. " " .. tostring(err == cause)
    end }, function()
      equal("500 id-1 POST true", hooks.render(problem, native.vm.current))
    end)
  end)

  it("leaves the problem where it answers nothing", function()
    local problem = response.problem(404)
    for _, hook in ipairs { function() end, function() return nil end } do
      with_hooks({ error = hook }, function()
        equal(problem, (hooks.render(problem, native.vm.current)))
      end)
    end
  end)
end)

describe("a failure", function()
  it("is logged and becomes a 500 that keeps its cause", function()
    local answer
    local lines = logged(function()
      answer = hooks.failed("oops", coroutine.create(function() end), native.vm.current)
    end)
    equal(500, answer.status)
    equal("oops", answer.cause)
    equal(nil, answer.body.detail)
    equal(1, #lines)
    equal("error oops", lines[1]:match("^error oops"))
  end)
end)
