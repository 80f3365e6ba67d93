-- Numbers as the texts that keys, users and ids are. Lua's own text has 14 digits, and ids of large systems have more.

--- The text of a number that no other number has: Lua's own where that says all of it.
---@param number number
---@return string
return function(number)
  local text = tostring(number)
  if tonumber(text) ~= number then
    return ("%.17g"):format(number)
  end
  return text
end
