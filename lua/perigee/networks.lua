-- Which network an address stands for, where clients are counted: whoever has one IPv6 address has the 2^64 beside it.

local M = {}

local function groups_of(text)
  local groups = {}
  for group in text:gmatch("%x+") do
    groups[#groups + 1] = group
  end
  return groups
end

--- An IPv4 address (or "unix") itself; of an IPv6 address the network of its first 64 bits, as "2001:db8:0:0::/64".
---@param address string as `req.remote_addr` has it (RFC 5952)
---@return string
function M.of(address)
  if not address:find(":", 1, true) then
    return address
  end
  local front, back = address:match("^(.-)::(.*)$")
  local groups = groups_of(front or address)
  if front then
    local rest = groups_of(back)
    for _ = 1, 8 - #groups - #rest do
      groups[#groups + 1] = "0"
    end
    for _, group in ipairs(rest) do
      groups[#groups + 1] = group
    end
  end
  return table.concat(groups, ":", 1, 4) .. "::/64"
end

return M
