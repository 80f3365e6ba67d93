local core = require "perigee.core"
local log = require "perigee.log"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

-- What reaches the engine while `fn` runs: level, message and fields of the last event, how many there were.
local function caught(fn, enabled)
  local write, is_enabled = core.log, core.log_enabled
  local events = {}
  core.log = function(level, message, fields) events[#events + 1] = { level, message, fields } end
  core.log_enabled = function() return enabled ~= false end
  local ok, err = pcall(fn)
  core.log, core.log_enabled = write, is_enabled
  if not ok then
    error(err, 0)
  end
  local last = events[#events] or {}
  return last[1], last[2], last[3], #events
end

describe("perigee.log", function()
  it("has a function for each level", function()
    for _, level in ipairs { "debug", "info", "warn", "error" } do
      local got, message, fields, count = caught(function() log[level]("message") end)
      equal(level, got)
      equal("message", message)
      equal(nil, fields)
      equal(1, count)
    end
  end)

  it("shows a message of any type", function()
    equal("7", select(2, caught(function() log.info(7) end)))
    equal("nil", select(2, caught(function() log.info() end)))
    equal("shown", select(2, caught(function()
      log.info(setmetatable({}, { __tostring = function() return "shown" end }))
    end)))
  end)

  it("writes fields as JSON, none for an empty table", function()
    equal('{"user":7}', select(3, caught(function() log.warn("m", { user = 7 }) end)))
    equal(nil, select(3, caught(function() log.warn("m", {}) end)))
  end)

  it("takes fields in a table only", function()
    raises("the fields of a log event are a table, got string", caught, function() log.info("m", "fields") end)
  end)

  it("costs no encoding where nobody listens", function()
    equal(0, select(4, caught(function() log.debug("m", { f = print }) end, false)))
  end)
end)

describe("print", function()
  it("is an event at info, its values parted by tabs", function()
    local level, message = caught(function() print("a", nil, 1.5, true) end)
    equal("info", level)
    equal("a\tnil\t1.5\ttrue", message)
    equal("", select(2, caught(function() print() end)))
  end)
end)
