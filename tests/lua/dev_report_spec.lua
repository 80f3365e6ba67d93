local report = require "perigee.dev_report"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function failing(order)
  local count = #order
  local password = "hunter2"
  return count + order.missing .. password
end

local function take(fn, ...)
  local taken
  xpcall(fn, function(err) taken = report.take(err, 2) end, ...)
  return taken
end

describe("a report", function()
  it("has the frames of an error, with source and locals", function()
    local taken = take(failing, { 1, 2 })
    equal("dev_report_spec.lua:8: attempt to perform arithmetic on field 'missing' (a nil value)",
      taken.message:match("[^/]*$"))
    local frame = taken.frames[1]
    equal(false, frame.library)
    equal("dev_report_spec.lua:8", frame.place:match("[^/]*$"))
    equal("order count password", ("%s %s %s"):format(frame.locals[1].name, frame.locals[2].name, frame.locals[3].name))
    equal("{ 1, 2 } 2 (hidden)",
      ("%s %s %s"):format(frame.locals[1].value, frame.locals[2].value, frame.locals[3].value))
    equal(11, #frame.lines)
    for _, line in ipairs(frame.lines) do
      equal(line.number == 8, line.current)
    end
    equal("  return count + order.missing .. password", frame.lines[6].text)
  end)

  it("knows Perigee's own frames", function()
    local template = require "perigee.template"
    local page = template.compile("\n{{ missing }}", "nowhere.html")
    local taken = take(page.render, page, {})
    equal(true, taken.frames[1].library)
    local last
    for _, frame in ipairs(taken.frames) do
      last = last or not frame.library and frame or nil
    end
    equal("nowhere.html:2", last.place)
    equal(0, #last.lines)
  end)

  it("is as good of errors that are no strings", function()
    equal("nil", take(error).message)
    equal("a table: {}", take(error, {}).message)
    equal("table", take(error, { print }).message:match("^%a+"))
    equal("a?", take(error, "a\255", 0).message)
  end)

  it("has an end", function()
    local function deep(n)
      local result = n == 0 and error("bottom") or deep(n - 1)
      return result
    end
    equal(29, #take(deep, 100).frames) -- and error itself, which is no function of Lua's
  end)
end)

describe("a place alone", function()
  it("is a frame where its file can be read", function()
    local here = debug.getinfo(1, "S").source:sub(2)
    local frame = report.frame_at(here .. ":1: some message")
    equal(here .. ":1", frame.place)
    equal('local report = require "perigee.dev_report"', frame.lines[1].text)
    equal(nil, report.frame_at("/nonexistent.lua:1"))
    equal(nil, report.frame_at("no place"))
  end)
end)
