-- perigee.log: one event a call, with the id of the request that is being served.

local core = require "perigee.core"

local M = {}

local function writer(level)
  return function(message, fields)
    if not core.log_enabled(level) then
      return
    end
    if type(message) ~= "string" then
      message = tostring(message)
    end
    if fields ~= nil and type(fields) ~= "table" then
      error("the fields of a log event are a table, got " .. type(fields), 2)
    end
    core.log(level, message, fields and next(fields) ~= nil and core.encode(fields) or nil)
  end
end

M.debug = writer("debug")
M.info = writer("info")
M.warn = writer("warn")
M.error = writer("error")

return M
