-- perigee.errors(): what the error desk has collected, of every worker.

local core = require "perigee.core"
local tasks = require "perigee.tasks"

local M = {}

--- The errors that were collected, by kind, the most frequent first.
---@return perigee.ErrorKind[]
function M.errors()
  tasks.current("perigee.errors")
  return core.decode(core.errors()).errors
end

return M
