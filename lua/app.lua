-- The app that `./dev run` serves: change a line, send SIGHUP (or run `build/release/perigee reload`), and look again.

local perigee = require "perigee"
local app = perigee.app()

-- A string is text, a table is JSON.
app:get("/", function()
  return "Hello, World!"
end)

app:get("/json", function()
  return { message = "Hello, World!" }
end)

-- A typed parameter: /users/seven is answered with a 400 that says why.
app:get("/users/{id:integer}", function(req)
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

return app
