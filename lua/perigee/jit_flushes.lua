-- How often LuaJIT threw away all that it had compiled: when there was too much of it, or by jit.flush(). It tells
-- nobody safely (docs/jit.md), but it puts back the bytecode of each compiled loop. So a loop is compiled here that
-- nobody else runs, and looked at: where its code is what it was before, everything was thrown away since.

local util = require "jit.util"

local M = {}

local MOST_TRIES = 4 -- LuaJIT counts loops in few counters, which others share

local function loop()
  local sum = 0
  for i = 1, 200 do
    sum = sum + i
  end
  return sum
end

local fresh = {} -- its bytecode while it is not compiled
for pc = 0, util.funcinfo(loop).bytecodes - 1 do
  fresh[pc] = util.funcbc(loop, pc)
end

local function is_compiled()
  for pc = 0, #fresh do
    if util.funcbc(loop, pc) ~= fresh[pc] then
      return true
    end
  end
  return false
end

local watching, flushes = false, 0

--- Looks, and has the loop compiled again. What happened between two looks counts once.
---@return boolean # whether everything was thrown away since the last look
function M.look()
  local compiled = is_compiled()
  local flushed = watching and not compiled
  flushes = flushes + (flushed and 1 or 0)
  for _ = 1, compiled and 0 or MOST_TRIES do
    loop()
  end
  watching = is_compiled()
  return flushed
end

--- How often look() found so.
---@return integer
function M.count()
  return flushes
end

return M
