-- What the specs scan.

local perigee = require "perigee"
local app = perigee.app()

app:get("/page", function()
  return perigee.html "<!doctype html><title>A page</title>"
end)

app:get("/old", function()
  return perigee.redirect("/page", 301)
end)

return app
