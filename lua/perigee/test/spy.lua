-- Spies and stubs: functions that remember how they were called, and what they returned. spy_assertions.lua asks them.

local difference = require "perigee.test.difference"
local matcher = require "perigee.test.matcher"

local M = {}

local Spy = {}
Spy.__index = Spy

local replaced = {} -- the spies that took the place of something, in order

-- A value as it is now: plain tables may change before they are compared, objects are themselves.
local function kept(value, seen)
  if type(value) ~= "table" or getmetatable(value) ~= nil then
    return value
  elseif seen[value] then
    return seen[value]
  end
  local copy = {}
  seen[value] = copy
  for key, member in pairs(value) do
    copy[key] = kept(member, seen)
  end
  return copy
end

-- Values with their number: as they are now, and themselves.
local function record(...)
  local seen, list = {}, { count = select("#", ...), themselves = { ... } }
  for i = 1, list.count do
    list[i] = kept(list.themselves[i], seen)
  end
  return list
end

-- Whether values are the wanted ones. A matcher may ask for the very table.
local function fits(wanted, list)
  if wanted.count ~= list.count then
    return false
  end
  for i = 1, wanted.count do
    local one = wanted[i]
    local holds
    if matcher.is(one) then
      holds = one(list[i], list.themselves[i])
    else
      holds = difference.same(one, list[i])
    end
    if not holds then
      return false
    end
  end
  return true
end

--- Whether one of the lists, which have their numbers of values as `count`, is the wanted one.
---@param wanted table
---@param lists table[] a spy's calls, or what it returned
---@return boolean
function M.found(wanted, lists)
  for _, list in ipairs(lists) do
    if fits(wanted, list) then
      return true
    end
  end
  return false
end

-- What a call with those values does: the newest of on_call_with() that fits, else what is usual.
local function callback_for(made, call)
  for i = #made.cases, 1, -1 do
    if fits(made.cases[i].wanted, call) then
      return made.cases[i].callback
    end
  end
  return made.callback
end

function Spy:__call(...)
  local call = record(...)
  self.calls[#self.calls + 1] = call
  local function passed(...)
    self.returned[#self.returned + 1] = record(...)
    return ...
  end
  return passed(callback_for(self, call)(...))
end

--- Puts back what the spy took the place of, once: what is there afterwards is not the spy's.
function Spy:revert()
  if self.target then
    self.target[self.key] = self.original
    self.target = nil
  end
  return self
end

--- Forgets the calls so far.
function Spy:clear()
  self.calls, self.returned = {}, {}
  return self
end

-- busted's stub(...).returns(1) is written with a dot, and many write a colon: both will do.
local function either_way(object, made, method)
  return function(first, ...)
    if first == made or first == object then
      method(...)
    else
      method(first, ...)
    end
    return made
  end
end

-- Gives an object returns(...) and invokes(fn), which set what calls do by `set`.
local function settable(object, made, set)
  object.returns = either_way(object, made, function(...)
    local count, values = select("#", ...), { ... }
    set(function() return unpack(values, 1, count) end)
  end)
  object.invokes = either_way(object, made, set)
  return object
end

local function new(callback)
  local made = setmetatable({ calls = {}, returned = {}, cases = {} }, Spy)
  made.callback = callback or function() end
  local function set(fn) made.callback = fn end
  settable(made, made, set)
  made.by_default = settable({}, made, set)
  -- What calls with certain values do, returns or invokes: matchers may stand for values.
  made.on_call_with = function(...)
    local case = { wanted = { count = select("#", ...), ... }, callback = function() end }
    made.cases[#made.cases + 1] = case
    return settable({}, made, function(fn) case.callback = fn end)
  end
  return made
end

local function put(target, key, callback)
  local made = new(callback)
  made.target, made.key, made.original = target, key, target[key]
  target[key] = made
  replaced[#replaced + 1] = made
  return made
end

local function is_spy(object)
  return getmetatable(object) == Spy
end

local function call_new(_, callback)
  return new(callback)
end

M.spy = setmetatable({
  new = new,
  on = function(target, key)
    return put(target, key, target[key])
  end,
  is_spy = is_spy,
}, { __call = call_new })

M.stub = setmetatable({ new = function(target, key) return put(target, key) end, is_stub = is_spy }, {
  __call = function(_, target, key, ...)
    local made = put(target, key)
    return select("#", ...) > 0 and made:returns(...) or made
  end,
})

-- Calls fn(table, key, value) for every member that is a function or a spy, in tables below, too.
local function each_function(target, fn, seen)
  seen[target] = true
  local members = {}
  for key, value in pairs(target) do
    members[key] = value
  end
  for key, value in pairs(members) do
    if type(value) == "function" or is_spy(value) then
      fn(target, key, value)
    elseif type(value) == "table" and not seen[value] then
      each_function(value, fn, seen)
    end
  end
  return target
end

-- Calls a method of every spy in a table.
local function for_spies(method)
  return function(target)
    return each_function(target, function(_, _, value)
      if is_spy(value) then
        value[method](value)
      end
    end, {})
  end
end

--- Spies on every function of a table; stubs it where `stubbed`.
M.mock = setmetatable({ revert = for_spies("revert"), clear = for_spies("clear") }, {
  __call = function(_, target, stubbed)
    return each_function(target, function(object, key, value)
      if not is_spy(value) then
        put(object, key, not stubbed and value or nil)
      end
    end, {})
  end,
})

-- All of them, also where a table does not take one back; then that is raised.
local function restore_down_to(count)
  local failed
  for i = #replaced, count + 1, -1 do
    local object = replaced[i]
    replaced[i] = nil
    local ok, err = pcall(object.revert, object)
    failed = failed or not ok and { err }
  end
  if failed then
    error(failed[1], 0)
  end
end

--- Puts back everything: at the end of each test.
function M.restore()
  restore_down_to(0)
end

--- What is put in place from here on goes by revert().
function M.snapshot()
  local count = #replaced
  return { revert = function() restore_down_to(count) end }
end

return M
