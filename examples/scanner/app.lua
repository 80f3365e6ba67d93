-- A scanner: asks many addresses, so many at a time, and tells what it finds while it is at it.

local perigee = require "perigee"
local app, t = perigee.app(), perigee.types

-- [app] in the configuration: how many are asked at once, and how many seconds each may take.
local at_once, patience = perigee.config.at_once or 16, perigee.config.patience or 5
local scans = perigee.shared "scans"

-- One address: what it is, or why that can't be said.
local function probe(url)
  local began = perigee.monotonic()
  local res, err = perigee.http.get(url, { timeout = patience, redirects = 0, max_body = 1000000 })
  local found = { url = url, error = err, seconds = perigee.monotonic() - began }
  if res then
    found.status, found.server, found.bytes = res.status, res.headers.server, #res.body
    found.title = res.body:match "<[Tt][Ii][Tt][Ll][Ee]>%s*(.-)%s*</"
    found.leads_to = res.headers.location
  end
  return found
end

-- Answers with a line of JSON for each address as soon as it is known. A client that reads slowly slows the scan down,
-- and one that leaves ends it.
app:post("/scans", {
  body = t.object { urls = t.list(t.string:length(1, 2000)):length(1, 10000) },
  limits = { body = "1MB" },
}, function(req)
  local urls, id = req.body.urls, scans:incr "last"
  local progress = { total = #urls, begun = 0, done = 0, failed = 0 }
  scans:set("scan/" .. id, true, 3600)

  return 200, perigee.stream(function(write)
    local function work()
      while progress.begun < progress.total do
        progress.begun = progress.begun + 1
        local found = probe(urls[progress.begun])
        progress.done = progress.done + 1
        progress.failed = progress.failed + (found.error and 1 or 0)
        perigee.publish("scan/" .. id, progress)
        if not write(perigee.encode(found) .. "\n") then
          return
        end
      end
    end
    local workers = {}
    for i = 1, math.min(at_once, #urls) do
      workers[i] = work
    end
    perigee.all(workers)
  end, "application/x-ndjson"), { location = "/scans/" .. id .. "/progress" }
end)

-- How far a scan is, as events: whatever worker has it.
app:channel("/scans/{id:integer}/progress", function(req)
  local topic = "scan/" .. req.params.id
  return scans:get(topic) and topic
end)

-- What this worker did with each host: requests, how many over a connection that was there, bytes, errors.
app:get("/hosts", function()
  return perigee.http.stats()
end)

-- What went wrong, by kind, on all workers; and with which hosts.
app:get("/failures", function()
  local kinds = perigee.array()
  for i, kind in ipairs(perigee.errors()) do
    kinds[i] = { error = kind.signature, count = kind.count, hosts = kind.hosts }
  end
  return kinds
end)

return app
