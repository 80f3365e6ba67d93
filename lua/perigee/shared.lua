-- perigee.shared: dictionaries that all workers share (engine/state/shared_dictionary.h).

local core = require "perigee.core"
local digits = require "perigee.digits"
local fetches = require "perigee.shared_fetch"
local ffi = require "ffi"
local native = require "perigee.native"
local tasks = require "perigee.tasks"
local values = require "perigee.shared_values"

local watch = core.development() and require "perigee.dev_updates" or nil

local C, vm = native.C, native.vm
local cast = ffi.cast
local contained, fetch = fetches.contained, fetches.fetch
local packed, unpacked, read, read_packed = values.packed, values.unpacked, values.read, values.read_packed
local room = values.room

local NONE = values.NONE
local EXISTS, NOT_FOUND, FULL, NOT_NUMBER = 1, 2, 3, 4 -- Outcome
local ALWAYS, ABSENT, PRESENT = 0, 1, 2 -- When
local REASONS = { [EXISTS] = "exists", [NOT_FOUND] = "not found", [FULL] = "full" }

local LONGEST_NAME = 100
local MOST_UPDATES = 10000 -- that another's write may come between
local USUAL_KEYS, MOST_KEYS = 1000, 100000

local M = {}

---@class perigee.SharedDictionary
local Dictionary = {}
Dictionary.__index = Dictionary

local handles = {} -- name -> dictionary that was used

-- A handle is { FFI pointer, light userdata, name }; the first two come with its first use.
local function open(self, level)
  if vm.current == nil then
    error("a shared dictionary can't be used at the top level of a file: put it in app:start", level or 3)
  end
  local address = core.shared_open(self[3])
  if not address then
    error(("there are too many shared dictionaries to make '%s': their names must not come from clients")
      :format(self[3]), level or 3)
  end
  self[1], self[2] = cast("perigee_dictionary*", address), address
  handles[self[3]] = self
  return self[1]
end

local function check_key(key, method, level)
  if type(key) == "number" then
    return digits(key)
  end
  error(("bad argument #1 to '%s' (a key is a string, got %s)"):format(method, type(key)), level or 3)
end

-- 0: no end.
local function check_ttl(ttl, method, position, level)
  if ttl == nil then
    return 0
  elseif type(ttl) ~= "number" or not (ttl > 0) then
    error(("bad argument #%d to '%s' (ttl is a number of seconds above 0)"):format(position, method), level or 3)
  end
  return ttl
end

local function check_function(fn, method, position)
  if type(fn) ~= "function" then
    error(("bad argument #%d to '%s' (function expected, got %s)"):format(position, method, type(fn)), 3)
  end
end

-- `unwritten` is of the watch for lost updates, in development.
local function outcome_of(outcome, unwritten)
  if outcome == 0 then
    return true
  elseif unwritten then
    unwritten()
  end
  return nil, REASONS[outcome]
end

--- A copy of the value, or nil.
---@param key string
function Dictionary:get(key)
  if type(key) ~= "string" then
    key = check_key(key, "get")
  end
  local value = read(self[1] or open(self), key)
  if watch then
    watch.read(self[3], key, 2)
  end
  return value
end

local function write(self, method, key, value, ttl, when)
  if type(key) ~= "string" then
    key = check_key(key, method, 4)
  end
  ttl = check_ttl(ttl, method, 3, 4)
  local dictionary = self[1] or open(self, 4)
  local kind, number, bytes = packed(value)
  if not kind then
    error(("bad argument #2 to '%s' (%s)"):format(method, number), 4)
  end
  local unwritten = watch and watch.writing(self[3], key, when ~= ABSENT, 3)
  local outcome = C.perigee_shared_write(dictionary, key, #key, kind, number, bytes, #bytes, ttl, when)
  return outcome_of(outcome, unwritten)
end

--- Writes a value.
---@param key string
---@param value string|number|boolean|table
---@param ttl? number seconds
---@return true|nil, string? "full"
function Dictionary:set(key, value, ttl)
  local done, why = write(self, "set", key, value, ttl, ALWAYS)
  return done, why
end

--- Writes a value where there is none.
---@param key string
---@param value string|number|boolean|table
---@param ttl? number seconds
---@return true|nil, string? "exists" or "full"
function Dictionary:add(key, value, ttl)
  local done, why = write(self, "add", key, value, ttl, ABSENT)
  return done, why
end

--- Writes a value where there is one.
---@param key string
---@param value string|number|boolean|table
---@param ttl? number seconds
---@return true|nil, string? "not found" or "full"
function Dictionary:replace(key, value, ttl)
  local done, why = write(self, "replace", key, value, ttl, PRESENT)
  return done, why
end

--- Removes a key.
---@param key string
---@return true|nil, string? "not found"
function Dictionary:delete(key)
  if type(key) ~= "string" then
    key = check_key(key, "delete")
  end
  local dictionary = self[1] or open(self)
  local unwritten = watch and watch.writing(self[3], key, false, 2)
  return outcome_of(C.perigee_shared_delete(dictionary, key, #key) == 1 and 0 or NOT_FOUND, unwritten)
end

local function check_number(number, usual, position)
  if number == nil then
    return usual
  elseif type(number) ~= "number" or number ~= number then
    error(("bad argument #%d to 'incr' (number expected, got %s)")
      :format(position, number ~= number and "NaN" or type(number)), 3)
  end
  return number
end

--- Adds to a number, or to `initial` where there is none; `ttl` is for the key that this makes.
---@param key string
---@param by? number 1
---@param initial? number 0
---@param ttl? number seconds
---@return number|nil, string? the sum; "full"
function Dictionary:incr(key, by, initial, ttl)
  if type(key) ~= "string" then
    key = check_key(key, "incr")
  end
  by, initial = check_number(by, 1, 2), check_number(initial, 0, 3)
  ttl = check_ttl(ttl, "incr", 4)
  local dictionary = self[1] or open(self)
  local unwritten = watch and watch.writing(self[3], key, false, 2)
  local outcome = C.perigee_shared_incr(room, dictionary, key, #key, by, initial, ttl)
  if outcome == 0 then
    return room.number
  elseif unwritten then
    unwritten()
  end
  if outcome == NOT_NUMBER then
    error(("'incr' adds to numbers, and '%s' holds something else"):format(key), 2)
  end
  return nil, REASONS[outcome]
end

-- What cas compares and writes: nil stands for no value.
local function plain(value, position)
  if value == nil then
    return NONE, 0, ""
  elseif type(value) == "table" then
    error(("bad argument #%d to 'cas' (tables can't be compared: use update)"):format(position), 3)
  end
  local kind, number, bytes = packed(value)
  if not kind then
    error(("bad argument #%d to 'cas' (%s)"):format(position, number), 3)
  end
  return kind, number, bytes
end

--- Writes `new` where the value is `old`; nil is no value, both ways. The key keeps its ttl.
---@param key string
---@param old string|number|boolean|nil
---@param new string|number|boolean|nil
---@return true|nil, string? "exists": another value; "not found" or "full"
function Dictionary:cas(key, old, new)
  if type(key) ~= "string" then
    key = check_key(key, "cas")
  end
  local dictionary = self[1] or open(self)
  local old_kind, old_number, old_bytes = plain(old, 2)
  local kind, number, bytes = plain(new, 3)
  local unwritten = watch and watch.writing(self[3], key, false, 2)
  return outcome_of(C.perigee_shared_cas(dictionary, key, #key, old_kind, old_number, old_bytes, #old_bytes, kind,
    number, bytes, #bytes), unwritten)
end

local function counted(...)
  return select("#", ...), ...
end

local function call(fn, value)
  return counted(fn(value))
end

local function updated(before, ok, count, value)
  tasks.no_wait = before
  if not ok then
    error(count, 0)
  elseif count == 0 then
    error("the function given to 'update' must return the new value; nil removes the key", 3)
  end
  return value
end

local function compute_update(fn, value)
  local before = tasks.no_wait
  tasks.no_wait = "the function given to 'update' may run again, and must not wait"
  return updated(before, contained(call, fn, value))
end

--- Replaces a value by what `fn` makes of it; `fn` runs again where another writes meanwhile, and may not wait. The
--- key keeps its ttl.
---@param key string
---@param fn fun(value: any): any nil removes the key
---@return any the new value; nil and "full"
function Dictionary:update(key, fn)
  if type(key) ~= "string" then
    key = check_key(key, "update")
  end
  check_function(fn, "update", 2)
  local dictionary = self[1] or open(self)
  for _ = 1, MOST_UPDATES do
    local old_kind, old_number, old_bytes = read_packed(dictionary, key)
    local value = compute_update(fn, unpacked(old_kind, old_number, old_bytes))
    local kind, number, bytes = NONE, 0, ""
    if value ~= nil then
      kind, number, bytes = packed(value)
      if not kind then
        error(("the function given to 'update' returned what can't be kept: %s"):format(number), 2)
      end
    end
    local unwritten = watch and watch.writing(self[3], key, false, 2)
    local outcome = C.perigee_shared_cas(dictionary, key, #key, old_kind, old_number, old_bytes, #old_bytes, kind,
      number, bytes, #bytes)
    if outcome == 0 then
      return value
    elseif unwritten then
      unwritten()
    end
    if outcome == FULL then
      return nil, "full"
    end
  end
  error("'update' gives up: others wrote the key " .. MOST_UPDATES .. " times meanwhile", 2)
end

--- The value; where there is none `fn` computes it, once for all who ask meanwhile, and it is kept for `ttl`.
---@param key string
---@param ttl number|nil seconds
---@param fn fun(): any, string? nil is not kept
---@return any, string?
function Dictionary:fetch(key, ttl, fn)
  if type(key) ~= "string" then
    key = check_key(key, "fetch")
  end
  ttl = check_ttl(ttl, "fetch", 2)
  check_function(fn, "fetch", 3)
  return fetch(self[1] or open(self), self[3], key, ttl, fn)
end

--- Gives a key another ttl from now on; nil takes it away.
---@param key string
---@param ttl? number seconds
---@return true|nil, string? "not found"
function Dictionary:expire(key, ttl)
  if type(key) ~= "string" then
    key = check_key(key, "expire")
  end
  ttl = check_ttl(ttl, "expire", 2)
  return outcome_of(C.perigee_shared_expire(self[1] or open(self), key, #key, ttl))
end

--- The seconds that a key has left; math.huge where it has no ttl.
---@param key string
---@return number|nil, string? "not found"
function Dictionary:ttl(key)
  if type(key) ~= "string" then
    key = check_key(key, "ttl")
  end
  local left = C.perigee_shared_ttl(self[1] or open(self), key, #key)
  if left < 0 then
    return nil, "not found"
  end
  return left
end

--- The keys that begin with `prefix`, in no order; in a large dictionary others have their turn meanwhile.
---@param prefix? string
---@param limit? integer 1000; 100000 at most
---@return string[]
function Dictionary:keys(prefix, limit)
  if prefix ~= nil and type(prefix) ~= "string" then
    error("bad argument #1 to 'keys' (a prefix is a string, got " .. type(prefix) .. ")", 2)
  elseif limit ~= nil and (type(limit) ~= "number" or not (limit >= 1 and limit <= MOST_KEYS)) then
    error("bad argument #2 to 'keys' (a number from 1 to " .. MOST_KEYS .. " expected)", 2)
  end
  local _ = self[1] or open(self)
  local list, position = {}, 0
  while true do
    position = core.shared_keys(self[2], prefix or "", math.floor(limit or USUAL_KEYS), position, list)
    if not position then
      return list
    end
    tasks.sleep(0)
  end
end

--- How many keys there are.
---@return integer
function Dictionary:count()
  return C.perigee_shared_count(self[1] or open(self))
end

--- Forgets every key.
function Dictionary:clear()
  C.perigee_shared_clear(self[1] or open(self))
end

--- The shared dictionary of a name.
---@param name string
---@return perigee.SharedDictionary
function M.shared(name)
  local handle = handles[name]
  if handle then
    return handle
  end
  if type(name) ~= "string" or name == "" or #name > LONGEST_NAME or name:find("%c") then
    error("bad argument #1 to 'shared' (a name of 1 to " .. LONGEST_NAME .. " bytes without control characters)", 2)
  end
  return setmetatable({ false, false, name }, Dictionary)
end

M.Dictionary = Dictionary

return M
