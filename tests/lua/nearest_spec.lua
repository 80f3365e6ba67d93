local nearest = require "perigee.nearest"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local NAMES = { query = true, headers = true, cookies = true, use = true }

describe("nearest", function()
  it("finds the name that a misspelt one is nearest to", function()
    equal(", did you mean 'query'?", nearest.hint("quary", NAMES))
    equal(", did you mean 'query'?", nearest.hint("qurey", NAMES))
    equal(", did you mean 'headers'?", nearest.hint("header", NAMES))
    equal(", did you mean 'cookies'?", nearest.hint("Cookie", NAMES))
    equal(", did you mean 'headers'?", nearest.hint("head", NAMES))
  end)

  it("finds the first of two that are as near", function()
    equal(", did you mean 'max'?", nearest.hint("mix", { min = 1, max = 1 }))
  end)

  it("says nothing of a word that is like none", function()
    for _, word in ipairs { "", "body", "middleware", 7, ("q"):rep(100) } do
      equal("", nearest.hint(word, NAMES))
    end
    equal("", nearest.hint("us", {}))
    equal("", nearest.hint("ab", { cd = true }))
    equal("", nearest.hint("int", { list = true }))
  end)
end)
