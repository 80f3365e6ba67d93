-- The settings that built-in middleware takes: one table, whose mistakes name themselves.

local nearest = require "perigee.nearest"

local M = {}

--- What `given` says, with `defaults` for the rest. Raises at the caller's caller: the app that wrote it.
---@param name string whose settings they are
---@param given table|nil
---@param defaults table<string, { [1]: any, [2]: string }> default and Lua types of each key, the latter joined by "|"
---@return table
function M.read(name, given, defaults)
  if given ~= nil and type(given) ~= "table" then
    error(("the settings of %s are a table, got %s"):format(name, type(given)), 3)
  end
  local settings = {}
  for key, default in pairs(defaults) do
    settings[key] = default[1]
  end
  for key, value in pairs(given or {}) do
    local default = defaults[key]
    if not default then
      error(("%s has no setting '%s'%s"):format(name, tostring(key), nearest.hint(key, defaults)), 3)
    elseif not ("|" .. default[2] .. "|"):find("|" .. type(value) .. "|", 1, true) then
      error(("%s: %s is a %s, got a %s"):format(name, key, default[2]:gsub("|", " or a "), type(value)), 3)
    end
    settings[key] = value
  end
  return settings
end

--- Raises unless a text can stand in a header.
---@param level integer
function M.check_field_value(name, key, value, level)
  if value:find("[%z\1-\8\10-\31\127]") then
    error(("%s: %s holds a control byte, which no header may"):format(name, key), level + 1)
  end
end

return M
