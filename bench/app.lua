-- The app the bench serves. bench/lib_nginx.py and bench/go/hello.go hold the first
-- four handlers for the peers: change all or none.
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

-- A table becomes JSON; a number that all workers share is counted up.
app:get("/message", function()
  return { message = "Hello, World!" }
end)

local visits = perigee.shared("bench")

app:get("/count", function()
  visits:incr("visits", 1, 0)
  return "Hello, World!"
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

-- The first handler again, but it waits once.
app:get("/waits", function()
  perigee.sleep(0)
  return "Hello, World!"
end)

-- What specs cost: the same request with and without them, and a body of ten typed members.
local t = perigee.types

local function hello()
  return "Hello, World!"
end

app:get("/bare/{id:integer}", hello)
app:get("/specs/{id:integer}", {
  params = { id = t.integer:min(1) },
  query = { page = t.integer:min(1):default(1) },
  headers = { ["x-limit"] = t.integer:max(100):optional() },
}, hello)
app:post("/json", {
  body = t.object {
    name = t.string:length(1, 80), email = t.string:length(3, 200), age = t.integer:min(0):max(150), score = t.number,
    active = t.boolean, born = t.date, id = t.uuid, role = t.enum { "admin", "user" }, slug = t.slug, note = t.string,
  },
}, function(req)
  return req.body.age == 36 and "Hello, World!" or 500
end)

-- A session is read, or its cookie ignored.
app:get("/session/begin", function(req)
  req.session.greeting = "Hello, World!"
  return "Hello, World!"
end)
app:get("/session/read", function(req) return req.session.greeting end)
app:get("/session/skip", hello)

return app
