-- perigee.run: a function of a module, run by another VM on a thread of its own (engine/server/background.h).

local core = require "perigee.core"
local tasks = require "perigee.tasks"

local M = {}

local function check_name(value, number, what)
  if type(value) ~= "string" or value == "" or value:find("%z") then
    local got = value == "" and "an empty one" or type(value) == "string" and "one with a NUL" or type(value)
    error(("bad argument #%d to 'run' (the name of a %s expected, got %s)"):format(number, what, got), 3)
  end
end

--- Several values as bytes, or nil and which of them can't be: `what` is one of them ("argument").
---@param what string
function M.pack(what, ...)
  local bytes, err = core.shared_pack({ n = select("#", ...), ... })
  if bytes then
    return bytes
  end
  return nil, (err:gsub("%$%[(%d+)%]", what .. " %1"):gsub(" can't be kept$", ""))
end

--- The values that pack() made these bytes of.
---@param bytes string
function M.unpack(bytes)
  local values = core.shared_unpack(bytes)
  return unpack(values, 1, values.n)
end

-- An outcome (background.lua) as what perigee.run returns, or raises.
local function taken(outcome, module, name)
  local kind = outcome:sub(1, 1)
  if kind == "v" then
    return M.unpack(outcome:sub(2))
  elseif kind == "t" then
    return nil, "timeout: " .. outcome:sub(2)
  end
  error(("perigee.run of '%s' in '%s': %s"):format(name, module, outcome:sub(2)), 2)
end

--- Runs `name(...)` of a module on a background VM, and waits for what it returns.
---@param module string as `require` takes it
---@param name string of a function in the table that the module returns
---@param ... any plain data
---@return any ... what the function returned; nil and "full: ..." or "timeout: ..." where it did not come to that
function M.run(module, name, ...)
  check_name(module, 1, "module")
  check_name(name, 2, "function")
  tasks.current("perigee.run")
  if tasks.no_wait then
    error("perigee.run can't wait here: " .. tasks.no_wait, 2)
  end
  local arguments, err = M.pack("argument", ...)
  if not arguments then
    error("perigee.run passes on plain data only: " .. err, 2)
  end
  local begun = core.job_begin(module, name, arguments)
  if begun == nil then
    error("perigee.run can't be used here: what runs in the background calls the function itself", 2)
  elseif not begun then
    return nil, "full: too many jobs wait for their turn (background.queue)"
  end
  local outcome = core.errand_take()
  while not outcome do
    tasks.suspend("perigee.run", core.errand_leave)
    outcome = core.errand_take()
  end
  return taken(outcome, module, name)
end

return M
