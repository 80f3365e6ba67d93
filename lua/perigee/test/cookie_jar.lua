-- The cookies a client keeps (RFC 6265, as far as one server needs it: paths and ends, no domains).

local core = require "perigee.core"

local M = {}

---@class perigee.test.CookieJar
local Jar = {}
Jar.__index = Jar

-- The folder of the path that set a cookie without a Path (section 5.1.4).
local function default_path(path)
  local folder = path:match("^([^?]*)"):match("^(/.*)/[^/]*$")
  return folder or "/"
end

local function path_fits(cookie, path)
  return cookie == path or path:sub(1, #cookie) == cookie
    and (cookie:sub(-1) == "/" or path:sub(#cookie + 1, #cookie + 1) == "/")
end

-- An Expires before our own time says that the cookie goes; later ones are kept as long as the client.
local function is_past(expires)
  local year = expires and tonumber(expires:match("%d%d%d%d"))
  return year ~= nil and year < 2000
end

--- Keeps, or drops, what an answer's header lines set.
---@param fields string
---@param path string of the request
function Jar:take(fields, path)
  for line in ("\r\n" .. fields):gmatch("\r\n[Ss][Ee][Tt]%-[Cc][Oo][Oo][Kk][Ii][Ee]:[ \t]*([^\r\n]*)") do
    local name, value, rest = line:match("^([^=;]*)=([^;]*)(.*)$")
    if name then
      local attributes = {}
      for key, text in rest:gmatch(";%s*([^=;]+)=?([^;]*)") do
        attributes[key:lower()] = text
      end
      local age = tonumber(attributes["max-age"])
      local own = attributes.path and attributes.path:sub(1, 1) == "/" and attributes.path or default_path(path)
      local gone = age and age <= 0 or not age and is_past(attributes.expires)
      self.cookies[name .. ";" .. own] = not gone
        and { name = name, value = value, path = own, ends = age and core.monotonic() + age } or nil
    end
  end
end

--- The Cookie header of a request to `path`; nil without cookies.
---@param path string
---@param own? table<string, string> of this request alone; they win
---@return string?
function Jar:header(path, own)
  local values = {}
  for key, cookie in pairs(self.cookies) do
    if cookie.ends and cookie.ends <= core.monotonic() then
      self.cookies[key] = nil
    elseif path_fits(cookie.path, path:match("^[^?]*")) then
      values[cookie.name] = cookie.value
    end
  end
  for name, value in pairs(own or {}) do
    values[name] = tostring(value)
  end
  local names = {}
  for name in pairs(values) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    names[i] = name .. "=" .. values[name]
  end
  return names[1] and table.concat(names, "; ") or nil
end

--- The value of a cookie that is kept.
function Jar:get(name)
  for _, cookie in pairs(self.cookies) do
    if cookie.name == name then
      return cookie.value
    end
  end
end

--- Keeps a cookie as if the server had set it.
function Jar:set(name, value)
  self.cookies[name .. ";/"] = { name = name, value = tostring(value), path = "/" }
end

function Jar:clear()
  self.cookies = {}
end

function Jar:empty()
  return next(self.cookies) == nil
end

---@return perigee.test.CookieJar
function M.new()
  return setmetatable({ cookies = {} }, Jar)
end

return M
