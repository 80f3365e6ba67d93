local health = require "perigee.jit_health"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function line()
  return debug.getinfo(2, "l").currentline
end

local planted = line() + 1
local function makes_closures()
  local last
  for i = 1, 100 do
    last = function() return i end
  end
  return last
end

local function adds_up()
  local sum = 0
  for i = 1, 100 do
    sum = sum + i
  end
  return sum
end

local function report_of(...)
  local held = { ... }
  return health.report { { method = "GET", pattern = "/x", place = "x.lua:1", enter = function() return held end } }
end

local function row_at(report, at)
  for _, row in ipairs(report.rows) do
    if row.began:match("jit_health_spec%.lua:(%d+)$") == tostring(at) then
      return row
    end
  end
end

describe("the report of what was compiled", function()
  it("names the loop that was given up, what is beyond the compiler in it, and its line", function()
    for _ = 1, 5000 do
      makes_closures()
    end
    local row = row_at(report_of({ deep = { makes_closures } }), planted + 2)
    equal("loop", row.kind)
    equal("FNEW", row.detail)
    equal(tostring(planted + 3), row.at:match(":(%d+)$"))
    equal(tostring(planted), row.defined:match(":(%d+)$"))
    equal(true, row.hint:find("closure", 1, true) ~= nil)
    equal(false, row.library)
    equal("", row.route)
  end)

  it("counts what was compiled and blames nothing in it", function()
    for _ = 1, 1000 do
      adds_up()
    end
    local report = report_of(adds_up)
    equal(true, report.compiled >= 1)
    equal(true, report.traces >= 1)
    for _, row in ipairs(report.rows) do
      equal(nil, row.began:match("jit_health_spec%.lua:" .. planted + 10 .. "$"))
    end
  end)

  it("looks at each function once, however it is reached, and survives loops among tables", function()
    local circle = { makes_closures, makes_closures }
    circle.self, circle.more = circle, { circle }
    local count = 0
    for _, row in ipairs(report_of(circle, circle, makes_closures).rows) do
      count = count + (row.began:match(":(%d+)$") == tostring(planted + 2) and 1 or 0)
    end
    equal(1, count)
  end)

  it("bounds how much it looks at", function()
    local large = {}
    for i = 1, 5000 do
      large[i] = { i }
    end
    equal("table", type(report_of(large).rows))
  end)
end)
