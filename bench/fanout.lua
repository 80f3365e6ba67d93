-- A channel, and who publishes on it: for bench/fanout.py.

local perigee = require "perigee"
local app = perigee.app()

app:channel("/events", function() return "events" end)

app:post("/publish", function(req)
  return perigee.publish("events", req:raw(), { event = "tick" })
end)

return app
