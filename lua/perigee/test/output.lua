-- What files of tests and benchmarks print: to the terminal, not to a log.

local M = {}

--- A print() that writes to a file at once.
---@param file file*
function M.printer(file)
  return function(...)
    local parts = {}
    for i = 1, select("#", ...) do
      parts[i] = tostring((select(i, ...)))
    end
    file:write(table.concat(parts, "\t"), "\n")
    file:flush()
  end
end

return M
