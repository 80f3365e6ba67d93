-- An answer as a test sees it: status, headers, body.

local core = require "perigee.core"

local M = {}

-- Names are found in any case.
local Headers = {
  __index = function(headers, name)
    local lower = type(name) == "string" and name:lower() or name
    return lower ~= name and rawget(headers, lower) or nil
  end,
}

--- Header lines as a table: names in lower case, the values of a name that comes again joined by commas.
function M.headers(fields)
  local headers = {}
  for name, value in fields:gmatch("([^:\r\n]+):[ \t]*([^\r\n]*)\r\n") do
    name = name:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return setmetatable(headers, Headers)
end

---@class perigee.test.Answer
local Answer = {}

--- The body as JSON; nil and why where it is none.
---@return any, string?
function Answer:json()
  return core.decode(self.body)
end

-- The headers become a table when somebody looks.
local Mark = {
  __index = function(self, key)
    if key == "headers" then
      local headers = M.headers(self.fields)
      rawset(self, "headers", headers)
      return headers
    end
    return Answer[key]
  end,
}

---@return perigee.test.Answer
function M.new(status, fields, body)
  return setmetatable({ status = status, body = body, fields = fields }, Mark)
end

return M
