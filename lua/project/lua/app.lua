-- The app: its routes, each a function from a request to an answer.

local perigee = require "perigee"
local app = perigee.app()
local index = perigee.template "index.html"

-- A page: lua/templates/index.html.
app:get("/", function(req)
  return perigee.html(index, { name = req.query.name, greeting = perigee.config.greeting })
end)

-- A table is JSON. {id:integer} takes integers only: /items/seven is answered with a 400 that says why.
app:get("/items/{id:integer}", function(req)
  return { id = req.params.id, name = "item " .. req.params.id }
end)

app:get("/healthz", function()
  return "ok\n"
end)

return app
