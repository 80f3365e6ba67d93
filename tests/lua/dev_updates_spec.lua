local perigee = require "perigee"
local core = require "perigee.core"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal
local updates = require "perigee.dev_updates"

-- What is logged while `fn` runs.
local function logged(fn)
  local lines, log = {}, core.log
  core.log = function(_, message) lines[#lines + 1] = message end
  local ok, err = pcall(fn)
  core.log = log
  equal(nil, not ok and err or nil)
  return lines
end

-- In another task, which is another request to the detector.
local function elsewhere(fn)
  perigee.spawn(fn):wait()
end

local function write_blindly(key)
  updates.writing("spec", key, true, 1)
end

describe("a lost update", function()
  it("is one that another wrote between reading and writing", function()
    local lines = logged(function()
      updates.read("spec", "a", 1)
      elsewhere(function() write_blindly("a") end)
      write_blindly("a")
    end)
    equal(1, #lines)
    equal(true, lines[1]:find("another request wrote 'a' of the shared dictionary 'spec'", 1, true) ~= nil)
    local _, places = lines[1]:gsub("dev_updates_spec.lua:%d+", "")
    equal(true, places >= 4)
  end)

  it("is none where the writer looked, wrote last itself, or another's write did not succeed", function()
    equal(0, #logged(function()
      updates.read("spec", "b", 1)
      elsewhere(function() write_blindly("b") end)
      updates.writing("spec", "b", false, 1)
      write_blindly("b")
      updates.read("spec", "c", 1)
      write_blindly("c")
      write_blindly("c")
      elsewhere(function() updates.writing("spec", "c", true, 1)() end)
      write_blindly("c")
      write_blindly("never read")
    end))
  end)

  it("is not looked for among more than the last thousand reads, or under very long keys", function()
    equal(0, #logged(function()
      local long = ("k"):rep(1001)
      updates.read("spec", "old", 1)
      updates.read("spec", long, 1)
      for i = 1, 1000 do updates.read("spec", "new" .. i, 1) end
      elsewhere(function()
        write_blindly("old")
        write_blindly(long)
      end)
      write_blindly("old")
      write_blindly(long)
    end))
  end)
end)
