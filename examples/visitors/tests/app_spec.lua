local test = require "perigee.test"

describe("the greeting", function()
  local client

  before_each(function()
    client = test.app "app.lua"
  end)

  after_each(function()
    client:close()
  end)

  it("welcomes in the color that is asked for", function()
    local res = client:get("/hi?color=red")
    assert.equal(200, res.status)
    assert.equal("text/html; charset=utf-8", res.headers["content-type"])
    assert.match('<h1 style="color: red">Welcome!</h1>', res.body)
    assert.match("You are visitor number 1!", res.body)
  end)

  it("counts visitors", function()
    for n = 1, 3 do
      assert.match("visitor number " .. n .. "!", client:get("/hi").body)
    end
  end)

  it("refuses what is no color", function()
    local res = client:get("/hi", { query = { color = "'><script>" } })
    assert.equal(400, res.status)
    assert.equal("color", res:json().errors[1].name)
  end)

  it("is the same on the net", function()
    local server = test.server "app.lua"
    assert.match("visitor number 1!", server:get("/hi").body)
    server:close()
  end)
end)
