local perigee = require "perigee"
local spec = require "spec"
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
