-- A gateway: a city's page out of three slow services that are asked at once, and remembered for a while.

local perigee = require "perigee"
local app = perigee.app()

-- [app] in the configuration says where the services are, how many seconds they may take, and how long an answer is
-- remembered.
local config = perigee.config
local services = config.services or {
  weather = "http://localhost:9001",
  news = "http://localhost:9002",
  trains = "http://localhost:9003",
}
local patience, keep = config.patience or 1, config.keep or 10
local memory = perigee.shared "gateway"

-- What a service says of a city; or nil and why it says nothing.
local function ask(url, city)
  local res, err = perigee.http.get(url .. "/" .. city, { timeout = patience })
  if not res then
    return nil, err
  elseif res.status ~= 200 then
    return nil, "status " .. res.status
  end
  return res:json()
end

-- The same, remembered: however many want to know at once, one asks. A failure is not remembered.
local function recall(name, url, city)
  return memory:fetch(name .. "/" .. city, keep, function() return ask(url, city) end)
end

-- All services side by side: this takes as long as the slowest of them, and does without those that fail.
app:get("/cities/{city:slug}", function(req)
  local city, fresh = req.params.city, req:header("cache-control") == "no-cache"
  local questions = {}
  for name, url in pairs(services) do
    questions[name] = function()
      if fresh then
        return ask(url, city)
      end
      return recall(name, url, city)
    end
  end
  local page, missing = perigee.all(questions)
  if not next(page) then
    return perigee.problem(502, "no service answers", { missing = missing })
  end
  page.missing = next(missing) and missing
  return page
end)

return app
