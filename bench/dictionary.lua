-- The app of bench/dictionary.py: loops over a shared dictionary in compiled Lua, timed within.

local perigee = require "perigee"
local loops = require "dictionary_loops"

local app = perigee.app()

app:get("/worker", function()
  return tostring(perigee.worker.id)
end)

app:get("/{what}/{place}/{parties:integer}/{count:integer}", { limits = { time = 60 } }, function(req)
  local p = req.params
  local ns, cpu = loops.run(perigee.shared("bench"), p.what, p.place, p.parties, p.count)
  return ("%.2f %.2f\n"):format(ns, cpu)
end)

return app
