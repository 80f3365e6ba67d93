-- perigee.middleware.security_headers: headers that tell browsers to be careful. What a handler set stays.

local result = require "perigee.result"
local settings = require "perigee.settings"

local DEFAULTS = {
  content_type_options = { "nosniff", "string|boolean" },
  frame = { "sameorigin", "string|boolean" },
  referrer_policy = { "strict-origin-when-cross-origin", "string|boolean" },
  opener_policy = { "same-origin", "string|boolean" },
  resource_policy = { "same-origin", "string|boolean" },
  content_security_policy = { false, "string|boolean" },
  permissions_policy = { false, "string|boolean" },
  hsts = { 31536000, "number|boolean" },
  hsts_subdomains = { false, "boolean" },
  hsts_preload = { false, "boolean" },
}

local FIELDS = {
  content_type_options = "x-content-type-options", referrer_policy = "referrer-policy",
  opener_policy = "cross-origin-opener-policy", resource_policy = "cross-origin-resource-policy",
  permissions_policy = "permissions-policy",
}

local FRAMES = {
  deny = { option = "DENY", ancestors = "frame-ancestors 'none'" },
  sameorigin = { option = "SAMEORIGIN", ancestors = "frame-ancestors 'self'" },
}

local PRELOAD_SECONDS = 31536000

local function check(given)
  local frame = given.frame
  if frame and not FRAMES[frame] then
    error("security_headers: frame is \"deny\", \"sameorigin\" or false", 3)
  end
  for key, value in pairs(given) do
    if value == true and DEFAULTS[key][2] ~= "boolean" then
      error(("security_headers: %s is what the header says, or false"):format(key), 3)
    elseif type(value) == "string" then
      settings.check_field_value("security_headers", key, value, 3)
    end
  end
  local hsts = given.hsts
  if hsts and not (hsts >= 0 and hsts % 1 == 0) then
    error("security_headers: hsts is a number of seconds", 3)
  end
  if given.hsts_preload and not (given.hsts_subdomains and hsts and hsts >= PRELOAD_SECONDS) then
    error("security_headers: hsts_preload wants hsts_subdomains and hsts of a year or more", 3)
  end
end

-- The policy with frame-ancestors in it, unless it says that itself.
local function policy_of(given, frame)
  local policy = given.content_security_policy
  if not frame or (policy and policy:lower():find("frame-ancestors", 1, true)) then
    return policy or nil
  end
  return policy and (policy:gsub(";?%s*$", "") .. "; " .. frame.ancestors) or frame.ancestors
end

local function hsts_of(given)
  return given.hsts and ("max-age=%d%s%s"):format(given.hsts, given.hsts_subdomains and "; includeSubDomains" or "",
    given.hsts_preload and "; preload" or "")
end

local function fields_of(given)
  local frame = FRAMES[given.frame]
  local fields = {
    { "x-frame-options", frame and frame.option }, { "content-security-policy", policy_of(given, frame) },
  }
  for key, name in pairs(FIELDS) do
    fields[#fields + 1] = { name, given[key] }
  end
  local all = {}
  for _, field in ipairs(fields) do
    all[field[1]] = field[2] or nil
  end
  return all
end

-- A function that adds those of `fields` which are not there, without a loop.
local function adder(fields)
  local lines = { "local fields = ...", "return function(headers)" }
  for name in pairs(fields) do
    lines[#lines + 1] = ("if headers[%q] == nil then headers[%q] = fields[%q] end"):format(name, name, name)
  end
  lines[#lines + 1] = "end"
  return assert(loadstring(table.concat(lines, "\n"), "=(security_headers)"))(fields)
end

local HSTS = "strict-transport-security"

local function with_hsts(fields, hsts)
  local all = { [HSTS] = hsts or nil }
  for name, value in pairs(fields) do
    all[name] = value
  end
  return all
end

--- Middleware that adds the headers which `given` asks for; false leaves one out.
---@param given? perigee.SecurityHeaders
return function(given)
  given = settings.read("security_headers", given, DEFAULTS)
  check(given)
  local plain = fields_of(given)
  local secure = with_hsts(plain, hsts_of(given))
  local add_plain, add_secure = adder(plain), adder(secure)
  return function(req, inner)
    local res = inner(req)
    if req.scheme == "https" then
      result.default_headers(res, secure, add_secure)
    else
      result.default_headers(res, plain, add_plain)
    end
    return res
  end
end
