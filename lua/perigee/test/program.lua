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

--- What the file may compute is counted from one wait to the next. What was over its time while it kept the thread is
--- told so by its next wait only: from here on that is past.
function M.begin_anew()
  pcall(perigee.sleep, 0)
  native.vm.current.cancelled = 0
end

return M
