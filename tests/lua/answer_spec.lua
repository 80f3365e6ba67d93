-- perigee.test.answer: an answer as a test sees it.

local answer = require "perigee.test.answer"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("answer", function()
  it("finds headers in any case, and joins those that come again", function()
    local res = answer.new(200, "X-One: a\r\nvary: b\r\nVary:  c\r\nEmpty:\r\n", '{"n":1}')
    equal("a", res.headers["x-one"])
    equal("a", res.headers["X-ONE"])
    equal("b, c", res.headers.vary)
    equal("", res.headers.empty)
    equal(nil, res.headers.none)
    equal(1, res:json().n)
  end)

  it("says what is no JSON", function()
    local value, err = answer.new(200, "", "{"):json()
    equal(nil, value)
    equal("string", type(err))
  end)
end)
