-- Waiting: each of these holds up its own client only.

local perigee = require "perigee"
local app = perigee.app()

local ticks = 0 -- of this worker, since its last reload

-- A task that lives as long as this version of the app. Its sleep stands outside any pcall: that is where a reload or
-- the server's end stops it.
app:start(function()
  perigee.spawn(function()
    while true do
      perigee.sleep(1)
      ticks = ticks + 1
    end
  end)
end)

app:get("/ticks", function()
  return { worker = perigee.worker.id, ticks = ticks }
end)

app:get("/slow", function()
  perigee.sleep(1)
  return "That took a second, and held up nobody.\n"
end)

-- Three tasks side by side take as long as the longest of them.
app:get("/together", function(req)
  local seconds = tonumber(req.query.seconds) or 0.2
  local function work(name)
    perigee.sleep(seconds)
    return name .. " is done"
  end
  local began, tasks, results = perigee.monotonic(), {}, perigee.array()
  for i, name in ipairs { "one", "two", "three" } do
    tasks[i] = perigee.spawn(work, name)
  end
  for i, task in ipairs(tasks) do
    local value, err = task:wait(5)
    results[i] = value or err
  end
  return { results = results, seconds = perigee.monotonic() - began }
end)

-- A body that is written bit by bit. Deferred functions run whatever becomes of it.
app:get("/count/{to:integer}", function(req)
  local to = req.params.to
  perigee.defer(perigee.log.info, "the count is over", { to = to })
  return perigee.stream(function(write)
    for i = 1, to do
      if not write(i .. "\n") then
        return -- the client has gone
      end
      perigee.sleep(0.2)
    end
  end, "text/plain; charset=utf-8")
end)

return app
