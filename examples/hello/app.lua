-- The first app of the README.

local perigee = require "perigee"
local app = perigee.app()

-- A string is text.
app:get("/", function()
  return "Hello, World!\n"
end)

-- A table is JSON. {id:integer} takes integers only, and req.params.id is a number.
app:get("/users/{id:integer}", function(req)
  return { id = req.params.id, color = req.query.color }
end)

-- A status, a body and headers; or a problem document that says what was wrong.
app:post("/users", function(req)
  local user, err = req:json()
  if type(user) ~= "table" or not user.name then
    return perigee.problem(400, err or "a user has a name")
  end
  return 201, { name = user.name }, { location = "/users/7" }
end)

return app
