-- A stand-in for a service: says something of each city, after a while.

local perigee = require "perigee"
local app = perigee.app()
local asked = 0

app:get("/{city:slug}", function(req)
  asked = asked + 1
  perigee.sleep(perigee.config.takes or 0.2)
  return { city = req.params.city, says = "all is well", asked = asked }
end)

app:get("/fail/{city}", function()
  return 503, "not today\n"
end)

app:get("/nonsense/{city}", function()
  return "this is no JSON"
end)

return app
