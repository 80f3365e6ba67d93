local test = require "perigee.test"

describe("notes", function()
  local client
  local ada = { authorization = "Bearer let-me-in" }

  before_each(function()
    client = test.app "app.lua"
  end)

  local function add(title)
    local res = client:post("/notes", { json = { title = title }, headers = ada })
    assert.equal(201, res.status)
    return res:json()
  end

  it("are made, changed and removed", function()
    local note = add "Tea"
    assert.same({ id = 1, author = "ada", title = "Tea", text = "", tags = {}, state = "open" }, note)
    local changed = client:patch("/notes/1", { json = { state = "done" }, headers = ada }):json()
    assert.equal("done", changed.state)
    assert.same(changed, client:get("/notes/1"):json())
    assert.equal(204, client:delete("/notes/1", { headers = ada }).status)
    assert.equal(404, client:get("/notes/1").status)
  end)

  it("are written by who shows a token", function()
    assert.equal(401, client:post("/notes", { json = { title = "Tea" } }).status)
  end)

  it("come in pages, the newest first", function()
    for i = 1, 3 do
      add("note " .. i)
    end
    local page = client:get("/notes?limit=2"):json()
    assert.equal("note 3", page.items[1].title)
    assert.equal("note 1", client:get(page.next):json().items[1].title)
  end)

  it("say all that is wrong with them", function()
    local res = client:post("/notes", { json = { title = "", state = "lost" }, headers = ada })
    assert.equal(400, res.status)
    assert.equal(2, #res:json().errors)
  end)
end)
