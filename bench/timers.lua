-- The bench's app, with 100,000 tasks beside it that wait for their time.
local perigee = require "perigee"
local app = dofile((debug.getinfo(1, "S").source:match("^@(.*)timers%.lua$") or "") .. "app.lua")

app:start(function()
  for i = 1, 100000 do
    perigee.spawn(perigee.sleep, 3600 + i % 1000)
  end
end)

return app
