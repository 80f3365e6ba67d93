-- Where in a file of tests something happens.

local M = {}

--- "tests/app_spec.lua:12: ", the nearest line on the stack that is not the library's own; "" without one.
---@return string
function M.here()
  for level = 2, 60 do
    local info = debug.getinfo(level, "Sl")
    if not info then
      return ""
    elseif info.what ~= "C" and info.currentline > 0 and not info.source:find("^@lua/perigee/test[/.]") then
      return ("%s:%d: "):format(info.source:gsub("^[@=]", ""), info.currentline)
    end
  end
  return ""
end

--- Raises an error that names that line.
---@param message string
function M.raise(message, ...)
  error(M.here() .. (select("#", ...) > 0 and message:format(...) or message), 0)
end

return M
