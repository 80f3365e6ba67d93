-- Handlers by path: fixed, with a typed part, with the rest of the path, and one that answers JSON.

local perigee = require "perigee"
local app, t = perigee.app(), perigee.types

app:get("/hello", function()
  return perigee.html "<h1>Hello, World!</h1>\n"
end)

-- The part is a number: /hello/3 greets three times, /hello/three is a 400 that says why.
app:get("/hello/{times:integer}", { params = { times = t.integer:min(1):max(100) } }, function(req)
  return ("Hello! "):rep(req.params.times) .. "\n"
end)

-- The rest of the path, slashes and all.
app:get("/echo/{words*}", function(req)
  local words = {}
  for word in req.params.words:gmatch("[^/]+") do
    words[#words + 1] = word
  end
  return table.concat(words, " ") .. "\n"
end)

-- Query parameters of several types, a list among them; the answer is JSON.
app:get("/sum", { query = { n = t.list(t.integer), name = t.string:default("nobody") } }, function(req)
  local sum = 0
  for _, n in ipairs(req.query.n) do
    sum = sum + n
  end
  return { sum = sum, name = req.query.name }
end)

-- What a handler asserts of its input.
app:get("/square-root/{n:number}", function(req)
  if req.params.n < 0 then
    error(perigee.problem(400, "no real number has that square"))
  end
  return { root = math.sqrt(req.params.n) }
end)

app:get("/old", function()
  return perigee.redirect("/hello", 301)
end)

return app
