-- What the programs of `perigee test` and `perigee bench` have in common: both run one file.

local native = require "perigee.native"
local perigee = require "perigee"

local M = {}

--- What the file requires is looked for beside it, then among the app's modules.
---@param file string
function M.search_beside(file)
  local folder = file:match("^(.*)/[^/]*$") or "."
  package.path = ("%s/?.lua;%s/?/init.lua;lua/?.lua;lua/?/init.lua;./?.lua;%s"):format(folder, folder, package.path)
end

--- Has a yield of what the file runs itself raise where it stands, instead of ending the file: nobody would resume it.
function M.refuse_stray_yields()
  local own, yield, running = coroutine.running(), coroutine.yield, coroutine.running
  function coroutine.yield(...) -- luacheck: ignore 122
    if running() == own then
      error("attempt to yield outside a coroutine of the program's own", 2)
    end
    return yield(...)
  end
end

--- What the file may compute is counted from one wait to the next. What was over its time while it kept the thread is
--- told so by its next wait only: from here on that is past.
function M.begin_anew()
  pcall(perigee.sleep, 0)
  native.vm.current.cancelled = 0
end

return M
