-- The body of perigee.stream: a function that writes it, and waits for room.

local native = require "perigee.native"
local tasks = require "perigee.tasks"

local C, vm = native.C, native.vm

local M = {}

--- Runs the body of perigee.stream: entries.stream.
---@param fn fun(write: fun(bytes: string): true|nil, string?)
function M.run(fn, view)
  local serial = view.serial
  local function write(bytes)
    if type(bytes) == "number" then
      bytes = tostring(bytes)
    elseif type(bytes) ~= "string" then
      error("bad argument #1 to 'write' (string expected, got " .. type(bytes) .. ")", 2)
    end
    while view.serial == serial and view.cancelled ~= native.SESSION_ENDED do
      local outcome = C.perigee_stream_write(view, bytes, #bytes)
      if outcome == 0 then
        return true
      elseif outcome == 2 or view.cancelled == native.CLIENT_GONE then
        break
      elseif vm.current.serial == serial then
        view.wants_room = 1
        local ok, err = pcall(tasks.suspend, "write")
        view.wants_room = 0
        if not ok and view.cancelled ~= native.CLIENT_GONE then
          error(err, 2)
        end
      else
        tasks.sleep(0.005) -- another task writes: the engine wakes the stream's own
      end
    end
    return nil, "closed"
  end
  return fn(write)
end

return M
