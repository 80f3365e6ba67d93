-- perigee.middleware.csrf: refuses requests that another site made a browser send. Browsers say where a request comes
-- from (Sec-Fetch-Site of the Fetch Metadata standard, Origin of the Fetch standard); where neither is there, a request
-- that carries a browser's credentials needs a token that only our own pages could know.

local core = require "perigee.core"
local response = require "perigee.response"
local settings = require "perigee.settings"

local DEFAULTS = {
  trusted_origins = { {}, "table" },
  token = { "fallback", "string" },
  cookie = { "csrf", "string" },
  field = { "csrf_token", "string" },
  header = { "x-csrf-token", "string" },
  secret = { false, "string" },
  bind = { false, "function" },
  skip = { false, "function" },
}

local SAFE = { GET = true, HEAD = true, OPTIONS = true, TRACE = true }
local AMBIENT = { basic = true, digest = true, negotiate = true, ntlm = true } -- what browsers send by themselves
local ID_BYTES, SALT_BYTES, SHORTEST_SECRET = 16, 8, 32

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function trusted_set(origins)
  local set = {}
  for _, origin in ipairs(origins) do
    if type(origin) ~= "string" or not origin:match("^%a[%w+.-]*://[^/%s]+$") then
      error(("csrf: '%s' is no origin: scheme://host or scheme://host:port"):format(tostring(origin)), 3)
    end
    set[origin:lower()] = true
  end
  return set
end

-- Whether a browser says that the request is our own; nil where it says nothing.
local function is_own(req, trusted)
  local site, origin = req:header("sec-fetch-site"), req:header("origin")
  if origin and trusted[origin:lower()] then
    return true
  elseif site then
    return site == "same-origin" or site == "none"
  elseif origin then
    return origin:lower() == req.scheme .. "://" .. req.host:lower()
  end
end

-- Whether a browser may have added credentials by itself.
local function has_ambient_credentials(req)
  if req:header("cookie") then
    return true
  end
  local scheme = (req:header("authorization") or ""):match("^%a+")
  return scheme ~= nil and AMBIENT[scheme:lower()] == true
end

local function refusal(detail)
  return response.problem(403, detail)
end

--- Middleware that refuses what another site sent. `req.ctx.csrf_token()` is a token for a form or a header.
---@param given? perigee.Csrf
return function(given)
  given = settings.read("csrf", given, DEFAULTS)
  if given.token ~= "fallback" and given.token ~= "always" then
    error("csrf: token is \"fallback\" or \"always\"", 2)
  elseif given.secret and #given.secret < SHORTEST_SECRET then
    error(("csrf: secret has at least %d bytes"):format(SHORTEST_SECRET), 2)
  end
  local trusted, secret = trusted_set(given.trusted_origins), given.secret or core.process_key()

  local function cookie_name(req)
    return req.scheme == "https" and "__Host-" .. given.cookie or given.cookie
  end

  local function sign(req, salt, id)
    local bound = given.bind and given.bind(req)
    return hex(core.hmac(secret, table.concat({ "csrf", salt, id, bound and tostring(bound) or "" }, "\0")))
  end

  -- The browser's id, which a cookie keeps; made where it has none.
  local function id_of(req)
    local ctx, name = req.ctx, cookie_name(req)
    local id = ctx.csrf_id or req.cookies[name]
    if not id or not id:match("^%x+$") or #id ~= 2 * ID_BYTES then
      id = hex(core.random(ID_BYTES))
      req:set_cookie(name, id, { path = "/", http_only = true, same_site = "lax", secure = req.scheme == "https" })
      ctx.csrf_id = id
    end
    return id
  end

  -- Each token has a salt of its own: one that shows through a compressed page tells nothing about the next.
  local function new_token(req)
    local salt = hex(core.random(SALT_BYTES))
    return salt .. "." .. sign(req, salt, id_of(req))
  end

  local function is_valid(req)
    local id, token = req.cookies[cookie_name(req)], req:header(given.header) or req.form[given.field]
    local salt, signature = (type(token) == "string" and token or ""):match("^(%x+)%.(%x+)$")
    return id ~= nil and salt ~= nil and core.equal(signature, sign(req, salt, id))
  end

  -- Why a request is refused; nil where it is not.
  local function wrong(req)
    if SAFE[req.method] or (given.skip and given.skip(req)) then
      return nil
    end
    local own = is_own(req, trusted)
    if own == false then
      return "another site sent this request"
    elseif given.token == "always" or (own == nil and has_ambient_credentials(req)) then
      return not is_valid(req) and "this request needs a valid CSRF token" or nil
    end
  end

  -- Called like a function; the JIT compiles no code that makes one.
  local Maker = { __call = function(maker) return new_token(maker[1]) end }

  return function(req, inner)
    req.ctx.csrf_token = setmetatable({ req }, Maker)
    local why = wrong(req)
    if why then
      return refusal(why)
    end
    return inner(req)
  end
end
