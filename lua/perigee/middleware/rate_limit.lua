-- perigee.middleware.rate_limit: so many requests a time from each client, counted for all workers together
-- (engine/state/rate_limiter.h).

local digits = require "perigee.digits"
local ffi = require "ffi"
local native = require "perigee.native"
local networks = require "perigee.networks"
local response = require "perigee.response"
local settings = require "perigee.settings"

local DEFAULTS = {
  requests = { 100, "number" },
  per = { 60, "number" },
  burst = { false, "number" },
  key = { false, "function" },
  name = { false, "string" },
  headers = { true, "boolean" },
}

local C = native.C
local MOST_SECONDS = 2 ^ 30 -- that a bucket may take to fill

local out = ffi.new("double[3]")
local made = 0 -- limits without a name are told apart by the order in which the app makes them

local function check(given)
  if not (given.requests >= 1 and given.requests % 1 == 0) then
    error("rate_limit: requests is a whole number, 1 or more", 3)
  elseif not (given.per > 0 and given.per < 2 ^ 31) then
    error("rate_limit: per is a number of seconds above 0", 3)
  elseif given.burst and not (given.burst >= 1 and given.burst % 1 == 0) then
    error("rate_limit: burst is a whole number, 1 or more", 3)
  elseif given.name and not given.name:match("^[%w_.-]+$") then
    error("rate_limit: name is made of letters, digits and _ . -", 3)
  elseif (given.burst or given.requests) * given.per / given.requests > MOST_SECONDS then
    error("rate_limit: a bucket of this burst would take decades to fill", 3)
  end
end

local function client_of(req)
  return networks.of(req.remote_addr)
end

--- Middleware that answers 429 to who asks too often.
---@param given? perigee.RateLimit
return function(given)
  given = settings.read("rate_limit", given, DEFAULTS)
  check(given)
  made = made + 1
  local interval, burst, key_of = given.per / given.requests, given.burst or given.requests, given.key or client_of
  local prefix, label = (given.name or "#" .. made) .. "\0", given.name or "default"
  local policy = ('"%s";q=%d;w=%d'):format(label, given.requests, math.ceil(given.per))

  local function write(headers, remaining, reset)
    headers["ratelimit-policy"] = policy
    headers["ratelimit"] = ('"%s";r=%d;t=%d'):format(label, remaining, math.ceil(reset))
  end

  return function(req, inner)
    local key = key_of(req)
    if key == nil or key == false then
      return inner(req)
    end
    key = prefix .. (type(key) == "number" and digits(key) or tostring(key))
    local allowed = C.perigee_take_rate(req[1], key, #key, interval, burst, out)
    local remaining, retry, reset = out[0], out[1], out[2]
    if allowed == 0 then
      local headers = { ["retry-after"] = ("%d"):format(math.max(1, math.ceil(retry))) }
      if given.headers then
        write(headers, remaining, reset)
      end
      return response.problem(429, "too many requests", nil, headers)
    end
    local res = inner(req)
    if given.headers then
      write(res.headers, remaining, reset)
    end
    return res
  end
end
