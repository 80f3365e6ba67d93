-- perigee.middleware: what comes with Perigee. Each is loaded when an app first asks for it.

local nearest = require "perigee.nearest"

local NAMES = { basic_auth = true, compress = true, cors = true, csrf = true, rate_limit = true,
  security_headers = true }

local function load_one(middleware, name)
  if not NAMES[name] then
    error(("there is no perigee.middleware.%s%s"):format(tostring(name), nearest.hint(name, NAMES)), 2)
  end
  local one = require("perigee.middleware." .. name)
  rawset(middleware, name, one)
  return one
end

return setmetatable({}, { __index = load_one })
