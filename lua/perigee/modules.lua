-- A `require` whose modules may wait while they load. Lua files are read as text only; C modules load one at a time in
-- the whole process.

local core = require "perigee.core"

local loaded, preload = package.loaded, package.preload
local c_loader, c_root_loader = package.loaders[3], package.loaders[4]
local raw_loadlib = package.loadlib
local vm = require("perigee.native").vm

local loading = {} -- name -> serial of the task that loads it, 0 outside any
local awaited = {} -- serial of a task -> name of the module that it waits for

local function search_preload(name)
  return preload[name] or ("\n\tno field package.preload['%s']"):format(name)
end

local function search_path(name)
  local path, tried = package.searchpath(name, package.path)
  if not path then
    return tried
  end
  local chunk, err = loadfile(path, "t")
  if not chunk then
    error(err, 0)
  end
  return chunk, path
end

local function locked(loader)
  return function(name)
    return core.load_library(loader, name)
  end
end

package.loaders = { search_preload, search_path, locked(c_loader), locked(c_root_loader) } -- luacheck: ignore 122

function package.loadlib(path, symbol) -- luacheck: ignore 122
  return core.load_library(raw_loadlib, path, symbol)
end

local function find(name)
  local tried = {}
  for _, searcher in ipairs(package.loaders) do
    local loader, path = searcher(name)
    if type(loader) == "function" then
      return loader, path
    elseif type(loader) == "string" then
      tried[#tried + 1] = loader
    end
  end
  error(("module '%s' not found:%s"):format(name, table.concat(tried)), 3)
end

local function serial()
  return vm.current ~= nil and vm.current.serial or 0
end

-- Another task is loading the module and waits meanwhile: so does this one, unless that one waits for it.
local function wait_for(name)
  local own, at = serial(), name
  while at do
    local loader = loading[at]
    if loader == own then
      error(("loop while loading module '%s'"):format(name), 3)
    end
    at = awaited[loader]
  end
  awaited[own] = name
  local ok, err = true, nil
  while ok and loading[name] do
    ok, err = pcall(require("perigee.tasks").sleep, 0.001)
  end
  awaited[own] = nil
  if not ok then
    error(err, 0)
  end
  return loaded[name]
end

local function finish(name, ok, value)
  loading[name] = nil
  if not ok then
    error(value, 0)
  end
  if value ~= nil then
    loaded[name] = value
  elseif loaded[name] == nil then
    loaded[name] = true
  end
  return loaded[name]
end

local function keep_traceback(err)
  return err
end

function require(name)
  if type(name) ~= "string" then
    error(("bad argument #1 to 'require' (string expected, got %s)"):format(type(name)), 2)
  end
  if loading[name] then
    local value = wait_for(name)
    if value ~= nil then
      return value
    end
  end
  if loaded[name] ~= nil then
    return loaded[name]
  end
  local loader, path = find(name)
  loading[name] = serial()
  return finish(name, xpcall(loader, keep_traceback, name, path))
end
