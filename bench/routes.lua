-- One route, or as many as app.routes says; the one that is asked for is the same.
local perigee = require "perigee"
local app = perigee.app()
local ASKED = 250

local function hello()
  return "Hello, World!"
end

local many = (perigee.config.routes or 1) > 1
for i = many and 1 or ASKED, many and perigee.config.routes or ASKED do
  app:get(("/api/v1/resource%d/{id:integer}/items"):format(i), hello)
end

return app
