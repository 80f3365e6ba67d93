-- Lost updates, in development mode: a request reads a key of a shared dictionary, another one writes it, and the first
-- writes over that. In production nothing loads this.

local core = require "perigee.core"
local native = require "perigee.native"
local values = require "perigee.shared_values"

local C, vm = native.C, native.vm

local M = {}

local LEDGER = "\1writes" -- a dictionary of that name no app can have: who wrote each key last, and where
local MOST_READS = 1000   -- that are remembered
local LONGEST_SHOWN = 60  -- bytes of a key
local LONGEST_KEY = 1000  -- longer ones are not watched
local ALWAYS = 0          -- When

local VM = core.random(8)
local ledger -- FFI pointer, from the first use on
local stamps = 0

local reads = {} -- "serial dictionary\0key" -> { stamp, trace }
local order, first, last = {}, 1, 0 -- the names in `reads` as they came

local function open()
  if not ledger then
    local address = core.shared_open(LEDGER)
    ledger = address and require "ffi".cast("perigee_dictionary*", address)
  end
  return ledger
end

-- Who wrote that key last ("VM:serial:number"), and from where; nil where it is not known.
local function last_write(name, key)
  local record = open() and values.read(ledger, name .. "\0" .. key)
  if record then
    return record:match("^([^\n]*)\n(.*)$")
  end
end

local function note(name, key, stamp, trace)
  local where, record = name .. "\0" .. key, stamp .. "\n" .. trace
  C.perigee_shared_write(ledger, where, #where, values.STRING, 0, record, #record, 0, ALWAYS)
end

local function writer()
  local hex = VM:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  return ("%s:%d:"):format(hex, vm.current.serial)
end

-- The stack, without what called the handler.
local function trace_at(level)
  local trace = debug.traceback("", level + 1):gsub("^\n?stack traceback:\n", "")
  return (trace:gsub("\n\t%[C%]: in function 'xpcall'\n\tlua/perigee/dev%.lua.*$", ""))
end

local function place_at(level)
  local info = debug.getinfo(level + 1, "Sl")
  return info and ("%s:%d"):format(info.source:gsub("^[@=]", ""), info.currentline) or "?"
end

local function report(place, name, key, read, write, trace)
  local shown = #key > LONGEST_SHOWN and key:sub(1, LONGEST_SHOWN) .. "..." or key
  if core.first_time(place .. " " .. read.place) then
    core.log("warn", ("%s: a lost update: another request wrote '%s' of the shared dictionary '%s' after this one had "
      .. "read it, and this 'set' writes over that: is an 'update' or an 'incr' missing?\nread here:\n%s\n"
      .. "written by the other here:\n%s\nwritten over here:\n%s"):format(place, shown, name, read.trace, write, trace))
  end
end

--- A key was read. Follows the reading, so that whoever wrote what was read is known by now.
---@param name string of the dictionary
---@param key string
---@param level integer of the app's function: 1 is whoever calls this
function M.read(name, key, level)
  if #key > LONGEST_KEY then
    return
  end
  local id = ("%d %s\0%s"):format(vm.current.serial, name, key)
  if not reads[id] then
    last = last + 1
    order[last] = id
  end
  reads[id] = { stamp = last_write(name, key), place = place_at(level + 1), trace = trace_at(level + 1) }
  if last - first >= MOST_READS then
    reads[order[first]], order[first] = nil, nil
    first = first + 1
  end
end

--- A key is about to be written. `blind` says that what is there does not matter to the writer.
---@param name string of the dictionary
---@param key string
---@param blind boolean
---@param level integer of the app's function: 1 is whoever calls this
---@return function unwritten for a write that did not succeed
function M.writing(name, key, blind, level)
  local stamp, other = last_write(name, key)
  local read = reads[("%d %s\0%s"):format(vm.current.serial, name, key)]
  local me, trace = writer(), trace_at(level + 1)
  if blind and read and stamp and stamp ~= read.stamp and stamp:sub(1, #me) ~= me then
    report(place_at(level + 1), name, key, read, other, trace)
  end
  stamps = stamps + 1
  if open() and #key <= LONGEST_KEY then
    note(name, key, me .. stamps, trace)
  end
  return function()
    if stamp then
      note(name, key, stamp, other)
    end
  end
end

return M
