-- Errors as text.

local core = require "perigee.core"

local M = {}

local SHOWN = 1000 -- bytes of a table that was raised

--- An error as text. Of a table without a text of its own its members are shown: its address tells nobody anything.
---@param err any
---@return string
function M.describe(err)
  local meta = debug.getmetatable(err)
  if type(err) == "table" and not (type(meta) == "table" and rawget(meta, "__tostring")) then
    local encoded, json = pcall(core.encode, err)
    if encoded then
      return "a table: " .. json:sub(1, SHOWN)
    end
  end
  local ok, text = pcall(tostring, err)
  return ok and type(text) == "string" and text or "an error that can't be shown"
end

--- What xpcall is given: an error that is a string gets its traceback.
function M.traceback(err)
  if type(err) ~= "string" then
    return err
  end
  return err .. debug.traceback("", 2) -- which would cut it at a NUL
end

return M
