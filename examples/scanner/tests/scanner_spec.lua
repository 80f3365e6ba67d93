local test = require "perigee.test"

describe("a scan", function()
  local client, sites

  before_each(function()
    client = test.app "app.lua"
    sites = test.server "tests/sites.lua"
  end)

  after_each(function()
    client:close()
    sites:close()
  end)

  local function scan(urls)
    local res, found = client:post("/scans", { json = { urls = urls } }), {}
    assert.equal(200, res.status)
    assert.equal("application/x-ndjson", res.headers["content-type"])
    for line in res.body:gmatch "[^\n]+" do
      local one = require("perigee").decode(line)
      found[one.url] = one
    end
    return found, res.headers.location
  end

  it("tells of each address what it is, or why that can't be said", function()
    local page, old, nobody = sites.url .. "/page", sites.url .. "/old", "http://127.0.0.1:1/"
    local found = scan { page, old, nobody }
    assert.equal(200, found[page].status)
    assert.equal("A page", found[page].title)
    assert.equal("/page", found[old].leads_to)
    assert.match("^refused", found[nobody].error)
  end)

  it("counts what went wrong by kind, and what was done by host", function()
    scan { "http://127.0.0.1:1/", "http://127.0.0.1:2/", sites.url .. "/page", sites.url .. "/page?again" }
    local kinds = client:get("/failures"):json()
    assert.equal(1, #kinds)
    assert.equal(2, kinds[1].count)
    assert.same({ ["127.0.0.1:1"] = 1, ["127.0.0.1:2"] = 1 }, kinds[1].hosts)
    assert.equal(2, client:get("/hosts"):json()[sites.address].requests)
  end)

  it("says how far it is to who asks for it, and nothing of scans that there are not", function()
    local _, progress = scan { sites.url .. "/page" }
    local events = client:sse(progress)
    assert.equal(200, events.status)
    events:close()
    assert.equal(404, client:get("/scans/99/progress").status)
  end)

  it("takes lists of addresses only", function()
    assert.equal(400, client:post("/scans", { json = { urls = {} } }).status)
    assert.equal(400, client:post("/scans", { json = { urls = "http://localhost" } }).status)
  end)
end)
