-- Copies of functions. Loaded before boot.lua takes `loadstring` for text only: what is loaded here was dumped here.

local raw_loadstring = loadstring

local M = {}

--- A function that does the same with the same upvalues, but has code of its own; the function itself where it can't be
--- copied. The JIT inlines code three times within itself and then takes it for a recursion.
---@generic F: function
---@param fn F
---@return F
function M.of(fn)
  local ok, code = pcall(string.dump, fn)
  local copy = ok and raw_loadstring(code)
  if not copy then
    return fn
  end
  for i = 1, debug.getinfo(fn, "u").nups do
    debug.upvaluejoin(copy, i, fn, i)
  end
  return setfenv(copy, getfenv(fn))
end

--- A function that runs a chunk, each time with code of its own.
---@param source string
---@param name string what tracebacks call it
---@return function
function M.chunk(source, name)
  local code = string.dump(assert(raw_loadstring(source, name)))
  return function(...)
    return assert(raw_loadstring(code))(...)
  end
end

return M
