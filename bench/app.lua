-- The app the bench serves. bench/lib_nginx.py holds the first two handlers for nginx: change both or neither.
local perigee = require "perigee"
local app = perigee.app()

app:get("/", function()
  return "Hello, World!"
end)

-- A typed path parameter, a query parameter and a cookie are read; two response headers are set.
app:get("/users/{id:integer}", function(req)
  if req.params.id < 1 then
    return 404
  end
  return 200, "Hello, World!", { ["x-user"] = req.cookies.uid, ["x-color"] = req.query.color }
end)

-- The first handler again, with ten middlewares around it that do nothing.
local ten = {}
for i = 1, 10 do
  ten[i] = function(req, inner)
    local res = inner(req)
    return res
  end
end

app:get("/ten", { use = ten }, function()
  return "Hello, World!"
end)

return app
