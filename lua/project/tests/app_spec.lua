-- Run by `perigee test`: the app is asked in memory, no server is needed.

local test = require "perigee.test"
local client = test.app "lua/app.lua"

describe("the app", function()
  it("greets by name", function()
    local res = client:get("/", { query = { name = "Ada" } })
    assert.equal(200, res.status)
    assert.match("Ada", res.body)
  end)

  it("answers items as JSON", function()
    assert.same({ id = 7, name = "item 7" }, client:get("/items/7"):json())
  end)

  it("says what is wrong with a path", function()
    local res = client:get("/items/seven")
    assert.equal(400, res.status)
    assert.equal("id", res:json().errors[1].name)
  end)
end)
