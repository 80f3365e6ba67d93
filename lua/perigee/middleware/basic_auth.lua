-- perigee.middleware.basic_auth: names and passwords as RFC 7617 has browsers send them.

local core = require "perigee.core"
local credentials = require "perigee.credentials"
local response = require "perigee.response"
local settings = require "perigee.settings"

local DEFAULTS = {
  users = { false, "table" },
  verify = { false, "function" },
  realm = { "restricted", "string" },
}

local function check_users(users)
  for name, password in pairs(users) do
    if type(name) ~= "string" or name:find(":", 1, true) then
      error("basic_auth: a user's name is a string without a colon", 4)
    elseif type(password) ~= "string" then
      error(("basic_auth: the password of '%s' is a %s, not a string"):format(name, type(password)), 4)
    end
  end
end

-- Compares digests: that takes the same time whatever the passwords are, and whether there is such a user.
local function verify_by(users)
  check_users(users)
  local key, digests = core.process_key(), {}
  for name, password in pairs(users) do
    digests[name] = core.hmac(key, password)
  end
  local nobody = core.random(32)
  return function(name, password)
    return core.equal(digests[name] or nobody, core.hmac(key, password))
  end
end

--- Middleware that lets in who has a name and a password; `req.ctx.user` is who it is.
---@param given perigee.BasicAuth
return function(given)
  given = settings.read("basic_auth", given, DEFAULTS)
  if (given.users and given.verify) or not (given.users or given.verify) then
    error("basic_auth takes users or verify, one of the two", 2)
  end
  settings.check_field_value("basic_auth", "realm", given.realm, 2)
  local verify = given.verify or verify_by(given.users)
  local challenge = ('Basic realm="%s", charset="UTF-8"'):format(given.realm:gsub('[\\"]', "\\%0"))
  return function(req, inner)
    local name, password = credentials.basic(req:header("authorization"))
    local user = name and verify(name, password, req)
    if not user then
      return response.problem(401, "a name and a password are needed", nil, { ["www-authenticate"] = challenge })
    end
    req.ctx.user = user == true and name or user
    return inner(req)
  end
end
