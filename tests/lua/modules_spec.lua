local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

-- Defines a module that `require` finds, once.
local count = 0
local function module(loader)
  count = count + 1
  local name = "spec.module" .. count
  package.preload[name] = loader
  return name
end

describe("require", function()
  it("loads a module once and returns its value", function()
    local loads = 0
    local name = module(function(...)
      loads = loads + 1
      return { name = ... }
    end)
    local value = require(name)
    equal(name, value.name)
    equal(value, require(name))
    equal(value, package.loaded[name])
    equal(1, loads)
  end)

  it("gives true for a module without a value", function()
    equal(true, require(module(function() end)))
  end)

  it("takes what a module leaves in package.loaded, and false as a value", function()
    equal("left", require(module(function(name) package.loaded[name] = "left" end)))
    local loads = 0
    local name = module(function()
      loads = loads + 1
      return false
    end)
    equal(false, require(name))
    equal(false, require(name))
    equal(1, loads)
  end)

  it("raises a module's error, and loads it anew the next time", function()
    local broken = true
    local name = module(function()
      if broken then
        error("broken for now", 0)
      end
      return "whole"
    end)
    raises("broken for now", require, name)
    equal(nil, package.loaded[name])
    broken = false
    equal("whole", require(name))
  end)

  it("says where it looked for a module that is not there", function()
    raises("module 'no.such' not found:", require, "no.such")
    raises("no field package.preload['no.such']", require, "no.such")
    raises("no file './no/such.lua'", require, "no.such")
  end)

  it("takes names only", function()
    raises("bad argument #1 to 'require' (string expected, got nil)", require)
    raises("bad argument #1 to 'require' (string expected, got number)", require, 7)
  end)

  it("finds a loop of modules", function()
    local first
    local second = module(function() return require(first) end)
    first = module(function() return require(second) end)
    raises("loop while loading module '" .. first .. "'", require, first)
    equal(nil, package.loaded[first])
    equal(nil, package.loaded[second])
  end)

  it("lets a module wait while it loads", function()
    equal("late", require(module(function()
      perigee.sleep(1)
      return "late"
    end)))
  end)

  it("loads a module once though two tasks want it meanwhile", function()
    local loads = 0
    local name = module(function()
      loads = loads + 1
      perigee.sleep(1)
      return { loads = loads }
    end)
    local a, b = perigee.spawn(require, name), perigee.spawn(require, name)
    equal(a:wait(), b:wait())
    equal(1, loads)
  end)

  it("has the second task load it where the first failed", function()
    local loads = 0
    local name = module(function()
      loads = loads + 1
      perigee.sleep(1)
      if loads == 1 then
        error("the first fails", 0)
      end
      return loads
    end)
    local a, b = perigee.spawn(require, name), perigee.spawn(require, name)
    equal("the first fails", select(2, a:wait()):match("^[^\n]*"))
    equal(2, b:wait())
  end)

  it("finds files beside the app first", function()
    equal("spec", package.searchpath("spec", package.path):match("([%w_]+)%.lua$"))
    equal(spec, require "spec")
  end)
end)

describe("files", function()
  it("are loaded as text", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write(string.dump(function() return "ran" end))
    file:close()
    local chunk, err = loadfile(path)
    equal(nil, chunk)
    equal("attempt to load chunk with wrong mode", err:match("attempt to load chunk with wrong mode"))
    raises("attempt to load chunk with wrong mode", dofile, path)
    os.remove(path)
  end)
end)
