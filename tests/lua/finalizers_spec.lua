local ffi = require "ffi"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

-- What a finalizer saw of its object, once that was collected.
local seen
local function note(object)
  seen = type(object)
end

local function collected(make)
  seen = nil
  make()
  collectgarbage()
  collectgarbage()
  return seen
end

describe("finalizers", function()
  it("run for each kind of object", function()
    equal("userdata", collected(function()
      getmetatable(newproxy(true)).__gc = note
    end))
    equal("cdata", collected(function()
      ffi.gc(ffi.new("char[4]"), note)
    end))
    local kind = ffi.metatype("struct { int finalizers_spec; }", { __gc = note })
    equal("cdata", collected(function()
      kind()
    end))
    equal("userdata", collected(function()
      debug.setmetatable(newproxy(), { __gc = note })
    end))
  end)

  it("are taken back by nil", function()
    equal(nil, collected(function()
      ffi.gc(ffi.gc(ffi.new("char[4]"), note), nil)
    end))
  end)

  it("may raise, also where compiled code has made the garbage", function()
    local function raise()
      seen = "raised"
      error({ "no string" })
    end
    equal("raised", collected(function()
      for i = 1, 20000 do
        local object = ffi.gc(ffi.new("char[4]"), raise)
        getmetatable(newproxy(true)).__gc = raise
        object[0] = i % 100
      end
    end))
  end)

  it("share a metatable, whose other fields stay what they are", function()
    local first = newproxy(true)
    local meta = getmetatable(first)
    meta.__index = { answer = 42 }
    meta.__gc = note
    equal(42, newproxy(first).answer)
    equal("userdata", collected(function()
      newproxy(first)
    end))
  end)
end)
