-- For specs of specs: a route whose types are loaded.

local specs = require "perigee.spec"

--- A route with types by the keys of its spec.
---@param given table<string, any>
---@param pattern? string "/x/{name}/{number:integer}"
---@param own? table<string, table> the app's own types
return function(given, pattern, own)
  local route = { pattern = pattern or "/x/{name}/{number:integer}", place = "spec.lua:1", read = {} }
  for key, types in pairs(given) do
    specs.read(route.read, key, types, 1)
  end
  specs.load(route, own or {})
  return route
end
