-- What an Authorization field of the Basic scheme says (RFC 7617).

local M = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local VALUES = {}
for i = 1, #ALPHABET do
  VALUES[ALPHABET:byte(i)] = i - 1
end

local LONGEST = 4096 -- bytes of an Authorization field

-- Base64 with its padding (RFC 4648 section 4); nil for anything else.
local function decoded(text)
  local body, padding = text:match("^([%w+/]*)(=*)$")
  if not body or #text % 4 ~= 0 or #padding > 2 then
    return nil
  end
  local bytes, value, bits = {}, 0, 0
  for i = 1, #body do
    value, bits = value * 64 + VALUES[body:byte(i)], bits + 6
    if bits >= 8 then
      bits = bits - 8
      local rest = 2 ^ bits
      bytes[#bytes + 1] = string.char(math.floor(value / rest))
      value = value % rest
    end
  end
  return value == 0 and table.concat(bytes) or nil
end

--- Name and password of an Authorization field; nil without, or where it is malformed.
---@param field? string
---@return string|nil name, string? password
function M.basic(field)
  if not field or #field > LONGEST then
    return nil
  end
  local scheme, token = field:match("^(%a+) +([%w+/=]+) *$")
  local text = scheme and scheme:lower() == "basic" and decoded(token)
  if not text or text:find("[%z\1-\31\127]") then -- RFC 7617 section 2: no control characters
    return nil
  end
  return text:match("^([^:]*):(.*)$")
end

return M
