-- The app that `./dev run` serves. Change a line, run `build/release/perigee reload`, and look again.

local perigee = require "perigee"
local source = require "source"

local app, t = perigee.app(), perigee.types
local page = perigee.template "index.html"

-- The count lives in the engine: every worker sees it, and a reload keeps it.
local function count_visitor()
  local total = perigee.shared("visitors"):incr("total")
  perigee.publish("visitors", { total = total })
  return total
end

-- The front page.
app:get("/", function()
  return perigee.html(page, {
    total = count_visitor(),
    routes = perigee.routes(),
    lines = source.lines(),
    version = perigee.version,
    worker = perigee.worker,
  })
end)

-- Every page that is open listens here and hears of the next visitor, whichever worker serves it.
app:channel("/visitors", function(req)
  return "visitors", { member = { id = req.id } }
end)

app:get("/visitors/now", function()
  return { total = perigee.shared("visitors"):get("total") or 0, here = #perigee.members("visitors") }
end)

-- A string is text.
app:get("/hello", function()
  return "Hello, World!\n"
end)

-- A table is JSON.
app:get("/json", function()
  return { message = "Hello, World!" }
end)

-- A typed parameter: /users/seven is a 400 that says why, and so is a colour with a quote in it.
app:get("/users/{id:integer}", { query = { color = t.string:match("^%w*$"):optional() } }, function(req)
  return { id = req.params.id, color = req.query.color }
end)

-- Waiting stops nobody else: the worker serves other requests meanwhile.
app:get("/slow", function()
  perigee.sleep(1)
  return "That took a second, and held up nobody.\n"
end)

app:get("/healthz", function()
  return "ok\n"
end)

app:static("/public", "public", { listing = true })

return app
