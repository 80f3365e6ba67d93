local test = require "perigee.test"
local client = test.app "app.lua"

describe("hello", function()
  it("greets", function()
    assert.equal("Hello, World!\n", client:get("/").body)
  end)

  it("takes integers only", function()
    assert.same({ id = 7, color = "green" }, client:get("/users/7?color=green"):json())
    assert.equal(400, client:get("/users/seven").status)
  end)

  it("makes users who have a name", function()
    local res = client:post("/users", { json = { name = "Ada" } })
    assert.equal(201, res.status)
    assert.equal("/users/7", res.headers.location)
    assert.equal(400, client:post("/users", { json = {} }).status)
  end)
end)
