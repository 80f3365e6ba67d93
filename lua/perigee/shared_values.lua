-- What shared dictionaries hold: values as kinds, numbers and bytes (ValueKind in engine/state/dictionary_shard.h).

local core = require "perigee.core"
local ffi = require "ffi"
local native = require "perigee.native"

local C = native.C
local ffi_string = native.string

local NONE, STRING, NUMBER, FALSE, TRUE, TABLE = 0, 1, 2, 3, 4, 5

local M = { NONE = NONE, STRING = STRING }

-- Where the leaves leave what they find. The module owns it: nothing else keeps it from being collected.
M.owner = core.shared_room()
M.room = ffi.cast("perigee_shared_room*", M.owner)
local room = M.room

--- The kind, number and bytes of a value; or nil and what is wrong with it.
---@return integer|nil, number|string, string?
function M.packed(value)
  local kind = type(value)
  if kind == "string" then
    return STRING, 0, value
  elseif kind == "number" then
    return NUMBER, value, ""
  elseif kind == "boolean" then
    return value and TRUE or FALSE, 0, ""
  elseif kind == "table" then
    local bytes, err = core.shared_pack(value)
    if bytes then
      return TABLE, 0, bytes
    end
    return nil, err
  end
  return nil, "a shared dictionary holds strings, numbers, booleans and tables, not "
    .. (value == core.null and "perigee.null" or kind)
end

--- The value that packed() made these of.
---@return any
function M.unpacked(kind, number, bytes)
  if kind == STRING then
    return bytes
  elseif kind == NUMBER then
    return number
  elseif kind == TABLE then
    return core.shared_unpack(bytes)
  elseif kind == NONE then
    return nil
  end
  return kind == TRUE
end

--- The value of a key, or nil.
---@return any
function M.read(dictionary, key)
  local kind = C.perigee_shared_get(room, dictionary, key, #key)
  if kind == NUMBER then
    return room.number
  elseif kind == STRING then
    return ffi_string(room.bytes.data, room.bytes.size)
  elseif kind == NONE then
    return nil
  elseif kind == TABLE then
    return core.shared_unpack(ffi_string(room.bytes.data, room.bytes.size))
  elseif kind < 0 then
    error("not enough memory", 3)
  end
  return kind == TRUE
end

--- The kind, number and bytes of a key's value.
---@return integer, number, string
function M.read_packed(dictionary, key)
  local kind = C.perigee_shared_get(room, dictionary, key, #key)
  if kind < 0 then
    error("not enough memory", 3)
  elseif kind == STRING or kind == TABLE then
    return kind, 0, ffi_string(room.bytes.data, room.bytes.size)
  end
  return kind, room.number, ""
end

return M
