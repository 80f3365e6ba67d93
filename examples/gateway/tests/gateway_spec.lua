local test = require "perigee.test"

describe("the gateway", function()
  local service, client

  before_each(function()
    service = test.server("tests/service.lua", { set = { ["app.takes"] = 0.02 } })
  end)

  after_each(function()
    client:close()
    service:close()
  end)

  -- The gateway with services at these paths of the stand-in.
  local function gateway(paths)
    local set = { ["app.patience"] = 2 }
    for name, path in pairs(paths) do
      set["app.services." .. name] = path:find "^http" and path or service.url .. path
    end
    client = test.app("app.lua", { set = set })
  end

  it("makes one page of what all services say", function()
    gateway { weather = "", news = "", trains = "" }
    local res = client:get "/cities/oslo"
    assert.equal(200, res.status)
    local page = res:json()
    assert.equal("oslo", page.weather.city)
    assert.equal("all is well", page.trains.says)
    assert.is_nil(page.missing)
  end)

  it("remembers what they said, unless it is told not to", function()
    gateway { news = "" }
    local function asked(headers)
      return client:get("/cities/oslo", { headers = headers }):json().news.asked
    end
    assert.equal(1, asked())
    assert.equal(1, asked())
    assert.equal(2, asked { ["cache-control"] = "no-cache" })
  end)

  it("does without those that fail, and says why", function()
    gateway { weather = "", news = "/fail", trains = "http://127.0.0.1:1", maps = "/nonsense" }
    local page = client:get("/cities/oslo"):json()
    assert.equal("oslo", page.weather.city)
    assert.equal("status 503", page.missing.news)
    assert.match("^refused", page.missing.trains)
    assert.is_string(page.missing.maps)
  end)

  it("is a 502 when none answers", function()
    gateway { trains = "http://127.0.0.1:1" }
    local res = client:get "/cities/oslo"
    assert.equal(502, res.status)
    assert.match("^refused", res:json().missing.trains)
  end)

  it("takes cities only", function()
    gateway { weather = "" }
    assert.equal(400, client:get("/cities/..%2Fadmin").status)
  end)
end)
