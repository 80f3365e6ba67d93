-- Finalizers that no error leaves. LuaJIT runs them wherever garbage is collected: where it comes out of compiled code,
-- too, and there an error would be the end of the process. One that fails is told of in the log, and one that never
-- ends is stopped without harm.

local core = require "perigee.core"
local ffi = require "ffi"
local vm = require("perigee.native").vm

local failed = core.finalizer_failed
local guards = setmetatable({}, { __mode = "kv" }) -- by finalizer
local finalizers = setmetatable({}, { __mode = "k" }) -- the guards, as keys

local function guard_of(finalizer)
  return function(object)
    vm.guarded = vm.guarded + 1
    local ok, err = pcall(finalizer, object)
    vm.guarded = vm.guarded - 1
    if not ok then
      pcall(failed, type(err) == "string" and err or "an error that is no string")
    end
  end
end

-- What is no function of Lua's runs no Lua, or can't be called at all.
local function guarded(finalizer)
  if type(finalizer) ~= "function" or finalizers[finalizer] then
    return finalizer
  end
  local guard = guards[finalizer]
  if not guard then
    guard = guard_of(finalizer)
    guards[finalizer], finalizers[guard] = guard, true
  end
  return guard
end

-- A metatable whose finalizer is set already, or is set later.
local later = {
  __newindex = function(meta, key, value)
    rawset(meta, key, key == "__gc" and guarded(value) or value)
  end,
}

local function guard_metatable(meta)
  local finalizer = type(meta) == "table" and rawget(meta, "__gc")
  if finalizer then
    rawset(meta, "__gc", guarded(finalizer))
  end
  return meta
end

local raw_newproxy, raw_gc, raw_metatype, raw_setmetatable = newproxy, ffi.gc, ffi.metatype, debug.setmetatable

function newproxy(kind) -- luacheck: ignore 121
  local proxy = raw_newproxy(kind)
  if kind == true then
    setmetatable(getmetatable(proxy), later)
  end
  return proxy
end

function ffi.gc(object, finalizer)
  return raw_gc(object, guarded(finalizer))
end

function ffi.metatype(kind, meta)
  return raw_metatype(kind, guard_metatable(meta))
end

function debug.setmetatable(value, meta) -- luacheck: ignore 122
  return raw_setmetatable(value, type(value) == "userdata" and guard_metatable(meta) or meta)
end
