-- What in a route's pattern is taken as it stands, but means something elsewhere.

local M = {}

--- A line for each segment that other servers take for a parameter: /:id.
---@param routes table[] with pattern and place
---@return string[]
function M.of(routes)
  local hints, seen = {}, {}
  for _, route in ipairs(routes) do
    for segment, name in route.pattern:gmatch("/(:([%a_][%w_]*)[^/]*)") do
      local hint = ("%s: '%s' of the pattern '%s' is taken as it stands: a parameter is written {%s}"):format(
        route.place, segment, route.pattern, name)
      hints[#hints + 1] = not seen[hint] and hint or nil
      seen[hint] = true
    end
  end
  return hints
end

return M
