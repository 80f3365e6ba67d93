-- perigee.middleware.cors: lets pages of other origins read answers, by the CORS protocol of the Fetch standard
-- (section 3.2).

local settings = require "perigee.settings"
local vary = require "perigee.vary"

local DEFAULTS = {
  origins = { false, "string|table|function" },
  credentials = { false, "boolean" },
  methods = { { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" }, "table" },
  headers = { false, "table" },
  expose = { {}, "table" },
  max_age = { 600, "number" },
  private_network = { false, "boolean" },
}

local TOKEN = "^[%w!#$%%&'*+.^_`|~-]+$"

local function check_list(key, list)
  for i, item in ipairs(list) do
    if type(item) ~= "string" or not item:match(TOKEN) then
      error(("cors: %s[%d] is no name of a %s"):format(key, i, key == "methods" and "method" or "header"), 3)
    end
  end
end

local function check_origin(origin)
  if type(origin) ~= "string" then
    error("cors: an origin is a string, got " .. type(origin), 4)
  elseif origin ~= "null" and not origin:match("^[%a][%w+.-]*://[^/%s?#@*]+$") then
    error(("cors: '%s' is no origin: scheme://host or scheme://host:port, without a path"):format(origin), 4)
  end
end

-- A function that tells whether an origin is allowed; nil where all are.
local function allowed_by(given)
  local origins = given.origins
  if not origins then
    error("cors: origins is missing: a list, \"*\" or a function", 3)
  elseif type(origins) == "function" then
    return origins
  elseif origins == "*" then
    if given.credentials then
      error("cors: credentials can't be allowed to every origin: name the origins", 3)
    end
    return nil
  end
  local set = {}
  for _, origin in ipairs(type(origins) == "string" and { origins } or origins) do
    check_origin(origin)
    set[origin:lower()] = true
  end
  return function(origin) return set[origin] end
end

-- The header names that a preflight asks for, where they are a list of tokens.
local function asked_headers(text)
  for name in ((text or "") .. ","):gmatch("%s*([^,]*)%s*,") do
    if name ~= "" and not name:match("^[%w!#$%%&'*+.^_`|~-]+%s*$") then
      return nil
    end
  end
  return text
end

--- Middleware that answers preflights and says who may read an answer. Put it app-wide or on a prefix: a preflight has
--- no route.
---@param given perigee.Cors
return function(given)
  given = settings.read("cors", given, DEFAULTS)
  local is_allowed = allowed_by(given)
  check_list("methods", given.methods)
  check_list("headers", given.headers or {})
  check_list("expose", given.expose)
  if not (given.max_age >= 0 and given.max_age % 1 == 0) then
    error("cors: max_age is a number of seconds", 2)
  end
  local methods, names = table.concat(given.methods, ", "), given.headers and table.concat(given.headers, ", ")
  local expose, max_age = table.concat(given.expose, ", "), ("%d"):format(given.max_age)

  -- Whether the origin may; then the headers that both kinds of answers have are set.
  local function allow(headers, origin, req)
    if not is_allowed then
      headers["access-control-allow-origin"] = "*"
      return true
    elseif not is_allowed(origin, req) then
      return false
    end
    headers["access-control-allow-origin"] = origin
    if given.credentials then
      headers["access-control-allow-credentials"] = "true"
    end
    return true
  end

  local function preflight(req, origin)
    local headers = {}
    vary(headers, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
    if not allow(headers, origin, req) then
      return 204, nil, headers
    end
    headers["access-control-allow-methods"] = methods
    local allowed = names or asked_headers(req:header("access-control-request-headers"))
    headers["access-control-allow-headers"] = allowed ~= "" and allowed or nil
    headers["access-control-max-age"] = max_age
    if given.private_network and req:header("access-control-request-private-network") == "true" then
      headers["access-control-allow-private-network"] = "true"
    end
    return 204, nil, headers
  end

  return function(req, inner)
    local origin = req:header("origin")
    if origin and req.method == "OPTIONS" and req:header("access-control-request-method") then
      return preflight(req, origin)
    end
    local res = inner(req)
    if is_allowed then
      vary(res.headers, "Origin")
    end
    if origin and allow(res.headers, origin, req) and expose ~= "" then
      res.headers["access-control-expose-headers"] = expose
    end
    return res
  end
end
