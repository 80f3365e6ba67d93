-- A counter that all workers share, and a colour that is checked before the handler sees it.

local perigee = require "perigee"
local app, t = perigee.app(), perigee.types

local PAGE = [[
<!doctype html>
<title>Welcome</title>
<h1 style="color: {color}">Welcome!</h1>
<p>You are visitor number {n}!</p>
]]

app:get("/hi", { query = { color = t.string:match("^%w*$"):default("") } }, function(req)
  local n = perigee.shared("visitors"):incr("total")
  return perigee.html(PAGE, { color = req.query.color, n = n })
end)

return app
