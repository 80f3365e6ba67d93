-- The dashboard at `/`: a page, and the stream of events it lives on. The server is looked at once a second while a
-- page is open, for all of them together, and not at all while none is.

local core = require "perigee.core"
local pages = require "admin.pages"
local perigee = require "perigee"

local M = {}

local INTERVAL = 1 -- seconds
local POINTS = 180 -- that a page begins with
local PAUSE = 15   -- seconds without anybody looking after which what was seen before is no history of now
local PARTS = { "point", "server", "workers", "routes", "waits", "state", "slow", "errors", "reloads" }

---@class admin.Sight what the server looked like last
local Sight = {}
Sight.__index = Sight

-- Takes what the engine says: "NAME\nJSON\nNAME\nJSON".
function Sight:take(text, now)
  if now - self.time > PAUSE then
    self.points = {}
  end
  self.time = now
  for name, json in text:gmatch("([^\n]+)\n([^\n]+)") do
    self.parts[name] = json
  end
  self.points[#self.points + 1] = self.parts.point
  if #self.points > POINTS then
    table.remove(self.points, 1)
  end
end

--- Waits for the next look. Whoever waits first has it taken, the others share it.
function Sight:renew()
  if not self.coming or self.coming.done then
    local due = self.time + INTERVAL
    self.coming = perigee.spawn(function()
      perigee.sleep(math.max(0, due - core.monotonic()))
      self:take(self.look(), core.monotonic())
    end)
  end
  local _, err = self.coming:wait()
  if err then
    error(err, 0)
  end
end

--- Has `send(name, json)` called with what has changed since `sent` was filled. False when the page has gone.
function Sight:show(sent, send)
  for _, name in ipairs(PARTS) do
    local json = self.parts[name]
    if json and json ~= sent[name] then
      sent[name] = json
      if not send(name, json) then
        return false
      end
    end
  end
  return true
end

--- `look` asks the engine.
---@param look fun(): string
---@return admin.Sight
function M.sight(look)
  return setmetatable({ look = look, time = -math.huge, parts = {}, points = {} }, Sight)
end

-- A page's stream: the last minutes, and from then on every second what is new.
local function follow(sight, stream)
  local sent = {}
  local function send(name, json)
    return stream:send { event = name, data = json }
  end
  sight:renew()
  local here = send("history", "[" .. table.concat(sight.points, ",") .. "]")
  sent.point = sight.parts.point
  while here and not stream:draining() do
    here = sight:show(sent, send)
    if here then
      sight:renew()
    end
  end
end

--- Adds the routes to the admin app.
---@param app perigee.App
---@param guarded fun(handler: function): function admits who may
---@param operate fun(name: string): string asks the engine
function M.add(app, guarded, operate)
  local sight = M.sight(function()
    return operate "dashboard"
  end)

  app:get("/", guarded(function()
    return pages.answer "dashboard.html"
  end))

  app:get("/live", guarded(function()
    return perigee.sse(function(stream)
      follow(sight, stream)
    end)
  end))

  pages.serve(app, guarded, { "dashboard.css", "dashboard.js", "panels.js", "drawing.js", "icon.svg" })
end

return M
