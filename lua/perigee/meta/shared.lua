---@meta _
-- Annotations of shared dictionaries for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

---@class perigee
local perigee = {}

--- The dictionary of a name: seen by all workers, kept over reloads, bounded in bytes.
---
--- ```lua
--- local n = perigee.shared("visitors"):incr("total")
--- ```
---@param name string 1 to 100 bytes; not from clients
---@return perigee.SharedDictionary
function perigee.shared(name) end

--- What perigee.shared returns. Values are strings, numbers, booleans and tables, which are copied in and out.
---@class perigee.SharedDictionary
local Dictionary = {}

--- A copy of the value, or nil.
---@param key string
---@return any
function Dictionary:get(key) end

--- Writes a value.
---@param key string
---@param value string|number|boolean|table
---@param ttl? number seconds; without it the key stays
---@return true|nil, string? err "full"
function Dictionary:set(key, value, ttl) end

--- Writes a value where there is none.
---@param key string
---@param value string|number|boolean|table
---@param ttl? number seconds; without it the key stays
---@return true|nil, string? err "exists" or "full"
function Dictionary:add(key, value, ttl) end

--- Writes a value where there is one.
---@param key string
---@param value string|number|boolean|table
---@param ttl? number seconds; without it the key stays
---@return true|nil, string? err "not found" or "full"
function Dictionary:replace(key, value, ttl) end

--- Removes a key.
---@param key string
---@return true|nil, string? err "not found"
function Dictionary:delete(key) end

--- Adds to a number. What is no number raises.
---@param key string
---@param by? number 1
---@param initial? number what is added to where there is no value: 0
---@param ttl? number seconds, for a key that this makes
---@return number|nil, string? err the sum; or nil and "full"
function Dictionary:incr(key, by, initial, ttl) end

--- Writes `new` where the value is `old`; nil is no value, both ways. The key keeps its ttl.
---@param key string
---@param old string|number|boolean|nil
---@param new string|number|boolean|nil
---@return true|nil, string? err "exists" (another value), "not found" or "full"
function Dictionary:cas(key, old, new) end

--- Replaces a value by what `fn` makes of it. `fn` runs again where another wrote meanwhile, and may not wait.
---@param key string
---@param fn fun(value: any): any an explicit nil removes the key
---@return any, string? err the new value; or nil and "full"
function Dictionary:update(key, fn) end

--- The value; where there is none one caller computes it while all others, on every worker, wait for it. An error is
--- given to all of them and not kept.
---@param key string
---@param ttl number|nil seconds that it is kept
---@param fn fun(): any, string? nil is not kept; may wait
---@return any, string? err
function Dictionary:fetch(key, ttl, fn) end

--- Gives a key another ttl, from now on.
---@param key string
---@param ttl? number seconds; without it the key stays
---@return true|nil, string? err "not found"
function Dictionary:expire(key, ttl) end

--- The seconds that a key has left; math.huge where it stays.
---@param key string
---@return number|nil, string? err "not found"
function Dictionary:ttl(key) end

--- The keys that begin with `prefix`, in no order. In a large dictionary it waits now and then.
---@param prefix? string
---@param limit? integer 1000; 100000 at most
---@return string[]
function Dictionary:keys(prefix, limit) end

--- How many keys there are.
---@return integer
function Dictionary:count() end

--- Forgets every key.
function Dictionary:clear() end
