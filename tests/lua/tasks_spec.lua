local perigee = require "perigee"
local spec = require "spec"
local tasks = require "perigee.tasks"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("perigee.sleep", function()
  it("takes a number of seconds from 0 on", function()
    perigee.sleep(0)
    perigee.sleep(0.5)
    for _, seconds in ipairs { -1, 0 / 0, "1", {} } do
      raises("bad argument #1 to 'sleep' (a number of seconds, 0 or more, expected)", perigee.sleep, seconds)
    end
    raises("bad argument #1 to 'sleep'", perigee.sleep)
  end)

  it("cannot wait below a C function that calls back, and can again after", function()
    raises("perigee.sleep can't wait here: a C function is calling back", table.sort, { 2, 1 },
      function() perigee.sleep(1) end)
    perigee.sleep(0)
  end)
end)

describe("a wait in the function given to load", function()
  it("waits, and what is raised there is told as it was", function()
    local pieces = { "return", " 1" }
    local fn = load(function() perigee.sleep(0) return table.remove(pieces, 1) end)
    equal(1, fn())
    local reason = {}
    xpcall(function()
      equal(reason, (select(2, load(function() error(reason) end))))
    end, error)
    equal("reader function must return a string", (select(2, load(function() return {} end))))
  end)
end)

describe("a wait below a C function that calls back", function()
  local ffi = require "ffi"
  local function pause() perigee.sleep(1) end
  local below = {
    ["table.sort"] = function() table.sort({ 2, 1 }, pause) end,
    ["string.gsub"] = function() string.gsub("a", "a", pause) end,
    ["string.format"] = function()
      string.format("%s", setmetatable({}, { __tostring = function() pause() return "x" end }))
    end,
    ["a coroutine in string.gsub"] = function() string.gsub("a", "a", coroutine.wrap(pause)) end,
    ["coroutines in a coroutine in string.gsub"] = function()
      local inner = coroutine.wrap(function() coroutine.wrap(pause)() end)
      string.gsub("a", "a", coroutine.wrap(function() inner() end))
    end,
  }
  for name, fn in pairs(below) do
    it("raises where it is, and can be caught: " .. name, function()
      raises("can't wait here: a C function is calling back", fn)
      perigee.sleep(0)
    end)
  end

  it("raises in the handler of xpcall", function()
    local ok, err = xpcall(error, function()
      return select(2, pcall(pause))
    end, "x")
    equal(false, ok)
    equal(true, err:find("can't wait here", 1, true) ~= nil)
  end)

  it("raises in a callback of the FFI", function()
    local message
    local callback = ffi.cast("int (*)(const void*, const void*)", function()
      local ok, err = pcall(pause)
      message = not ok and err
      return 0
    end)
    ffi.cdef "void qsort(void*, size_t, size_t, int (*)(const void*, const void*));"
    jit.off(true, true)
    ffi.C.qsort(ffi.new("char[2]"), 2, 1, callback)
    callback:free()
    equal(true, message:find("can't wait here", 1, true) ~= nil)
    perigee.sleep(0)
  end)

  it("raises in a finalizer", function()
    local message
    do
      local watched = newproxy(true)
      getmetatable(watched).__gc = function()
        local ok, err = pcall(pause)
        message = not ok and err
      end
    end
    collectgarbage()
    collectgarbage()
    equal(true, message:find("can't wait here", 1, true) ~= nil)
    perigee.sleep(0)
  end)
end)

describe("a spawned task", function()
  it("begins when its maker waits", function()
    local begun = false
    local task = perigee.spawn(function() begun = true end)
    equal(false, begun)
    perigee.sleep(0)
    equal(true, begun)
    task:wait()
  end)

  it("gives every value, nil included, and the same again", function()
    local task = perigee.spawn(function(...) return select("#", ...), ... end, nil, "b", nil)
    for _ = 1, 2 do
      equal(4, select("#", task:wait()))
      equal("b", select(3, task:wait()))
    end
  end)

  it("gives nil and its error with a traceback", function()
    local value, err = perigee.spawn(function() error("oops") end):wait()
    equal(nil, value)
    equal("oops", err:match("tasks_spec%.lua:%d+: (%w+)\nstack traceback:"))
  end)

  it("gives an error that is no string as it is", function()
    local reason = {}
    equal(reason, select(2, perigee.spawn(function() error(reason) end):wait()))
  end)

  it("is waited for as long as a number says", function()
    local task = perigee.spawn(function() end)
    for _, timeout in ipairs { "1", {}, 0 / 0 } do
      raises("tasks_spec.lua:", function() task:wait(timeout) end)
      raises("bad argument #1 to 'wait' (a number of seconds expected)", task.wait, task, timeout)
    end
  end)

  it("may spawn tasks of its own", function()
    equal("inner", perigee.spawn(function()
      return perigee.spawn(function()
        perigee.sleep(1)
        return "inner"
      end):wait()
    end):wait())
  end)

  it("is a function", function()
    raises("bad argument #1 to 'spawn' (function expected, got nil)", perigee.spawn)
    raises("bad argument #1 to 'spawn' (function expected, got string)", perigee.spawn, "no")
  end)

  it("runs beside many others", function()
    local handles, sum = {}, 0
    for i = 1, 200 do
      handles[i] = perigee.spawn(function()
        perigee.sleep(i % 3)
        return i
      end)
    end
    for _, handle in ipairs(handles) do
      sum = sum + handle:wait()
    end
    equal(20100, sum)
  end)
end)

describe("a cancelled task", function()
  it("raises at each wait from then on", function()
    local raised = 0
    local task = perigee.spawn(function()
      for _ = 1, 3 do
        if not pcall(perigee.sleep, 1000) then
          raised = raised + 1
        end
      end
      return "ended"
    end)
    perigee.sleep(0)
    task:cancel()
    equal("ended", task:wait())
    equal(3, raised)
  end)

  it("may be cancelled again, and after its end", function()
    local task = perigee.spawn(perigee.sleep, 1000)
    perigee.sleep(0)
    task:cancel()
    task:cancel()
    equal(nil, (task:wait()))
    task:cancel()
    equal(nil, (task:wait()))
  end)

  it("leaves the task that serves something else now alone", function()
    local old = perigee.spawn(function() end)
    old:wait()
    perigee.sleep(0)
    local young = perigee.spawn(function()
      perigee.sleep(1)
      return "untouched"
    end)
    perigee.sleep(0)
    old:cancel()
    equal("untouched", young:wait())
  end)
end)

describe("perigee.shield", function()
  it("gives what its function returns, and raises what that raises", function()
    equal(3, (perigee.shield(function(a, b) return a + b end, 1, 2)))
    equal(2, select("#", perigee.shield(function() return nil, nil end)))
    local reason = {}
    raises(reason, perigee.shield, function() error(reason) end)
    raises("bad argument #1 to 'shield' (function expected, got nil)", perigee.shield)
  end)

  it("keeps its waits from being cancelled, and only those", function()
    local steps = {}
    local task = perigee.spawn(function()
      perigee.shield(function()
        perigee.shield(perigee.sleep, 1)
        perigee.sleep(1)
        steps[#steps + 1] = "within"
      end)
      steps[#steps + 1] = "after"
      perigee.sleep(0)
      steps[#steps + 1] = "not reached"
    end)
    perigee.sleep(0)
    task:cancel()
    equal("cancelled", select(2, task:wait()):match("^cancelled"))
    equal("within after", table.concat(steps, " "))
  end)

  it("ends with an error", function()
    local raised = false
    local task = perigee.spawn(function()
      pcall(perigee.shield, error, "oops")
      raised = not pcall(perigee.sleep, 1000)
    end)
    perigee.sleep(0)
    task:cancel()
    task:wait()
    equal(true, raised)
  end)
end)

describe("req:spawn", function()
  it("makes a task like others", function()
    equal(3, spec.req:spawn(function(a, b)
      perigee.sleep(1)
      return a + b
    end, 1, 2):wait())
    raises("bad argument #1 to 'spawn' (function expected, got string)", spec.req.spawn, spec.req, "x")
  end)

  it("is refused once the request has ended", function()
    local ended = setmetatable({ { serial = 2 }, 1 }, getmetatable(spec.req))
    raises("request has ended", function() ended:spawn(print) end)
  end)
end)

describe("perigee.defer", function()
  it("runs at the end of the task, the last first, whatever each does", function()
    local order = {}
    local function note(what) order[#order + 1] = what end
    perigee.spawn(function()
      perigee.defer(note, "first")
      perigee.defer(error, "in the middle")
      perigee.defer(function()
        perigee.sleep(1)
        note("last")
      end)
      note("body")
    end):wait()
    repeat
      perigee.sleep(1)
    until #order == 3
    equal("body,last,first", table.concat(order, ","))
  end)

  it("runs though the task raises", function()
    local ran = false
    perigee.spawn(function()
      perigee.defer(function() ran = true end)
      error("oops")
    end):wait()
    perigee.sleep(0)
    equal(true, ran)
  end)

  it("takes a function", function()
    raises("bad argument #1 to 'defer' (function expected, got nil)", perigee.defer)
  end)
end)

describe("an error's description", function()
  it("is its text, if that can be had", function()
    equal("x", tasks.describe("x"))
    equal("nil", tasks.describe(nil))
    equal("shown", tasks.describe(setmetatable({}, { __tostring = function() return "shown" end })))
    equal("an error that can't be shown", tasks.describe(setmetatable({}, { __tostring = function() error("no") end })))
    equal("an error that can't be shown", tasks.describe(setmetatable({}, { __tostring = function() return 7 end })))
  end)
end)
