-- perigee.test.spy_assertions: what may be expected of a spy, and what is said when that does not hold.

local match = require "perigee.test.match"
local spec = require "spec"
local spy = require("perigee.test.spy").spy
local spy_assertions = require "perigee.test.spy_assertions"
local describe, it = spec.describe, spec.it

local function asserted(object)
  return spy_assertions.asserted(object, function(message) error(message, 0) end)
end

describe("assertions about spies", function()
  it("take matchers for arguments and what was returned", function()
    local seen = spy.new(function(...) return ... end)
    seen("a", { id = 7, at = 3 })
    asserted(seen).was.called_with(match.is_string(), match.is_table())
    asserted(seen).was.called_with(match._, { id = match.is_number(), at = match._ })
    asserted(seen).was_not.called_with(match._)
    asserted(seen).has.returned_with("a", match._)
    asserted(seen).has_not_returned_with("b")
    spec.raises("Expected a call with match.is_nil().\nIt was called with:\n  (\"a\"", function()
      asserted(seen).was.called_with(match.is_nil())
    end)
    spec.raises("Expected a call that returns 1.\nIt returned:\n  (\"a\"", asserted(seen).returned_with, 1)
    spec.raises("Did not expect a call with", asserted(seen).was_not_called_with, match._, match._)
  end)

  it("show so many calls and no more, tables in them under their call", function()
    local seen = spy.new(function() end)
    for i = 1, 100 do
      seen({ i })
    end
    spec.raises("It was called with:\n  ({\n    [1] = 1\n  })\n  ({\n", asserted(seen).was.called, 1)
    spec.raises("    [1] = 30\n  })\n  ... (70 more)", asserted(seen).was.called, 1)
  end)

  it("count in many words", function()
    local seen = spy(function() end)
    seen() seen()
    asserted(seen).was.called()
    asserted(seen).was.called(2)
    asserted(seen).was_not.called(3)
    asserted(seen).was.called.with()
    asserted(seen).was_called_at_most(2)
    asserted(seen).was_called_more_than(1)
    asserted(seen).was_called_less_than(3)
    spec.raises("Expected it to be called less than 2 times. It was called with:", asserted(seen).called_less_than, 2)
    spec.raises("assert.spy has no 'calld'", function() return asserted(seen).was.calld end)
  end)
end)
