-- The app the bench serves. bench/lib_nginx.py holds the same two handlers for nginx: change both or neither.
local perigee = require "perigee"
local app = perigee.app()

app:get("/", function()
  return "Hello, World!"
end)

app:get("/users/{id:integer}", function(req)
  local color, uid = req.query.color, req.cookies.uid
  return 200, "user " .. req.params.id .. " likes " .. color, { ["x-user"] = uid, ["x-color"] = color }
end)

return app
