-- Spies and stubs: functions that remember how they were called.

local difference = require "perigee.test.difference"

local M = {}

local Spy = {}
Spy.__index = Spy

local replaced = {} -- { table, key, value } of what spy.on and stub took the place of

function Spy:__call(...)
  self.calls[#self.calls + 1] = { count = select("#", ...), ... }
  return self.callback(...)
end

--- Puts back what the spy took the place of.
function Spy:revert()
  if self.target then
    self.target[self.key] = self.original
  end
  return self
end

--- Forgets the calls so far.
function Spy:clear()
  self.calls = {}
  return self
end

-- busted's stub(...).returns(1) is written with a dot, and many write a colon: both will do.
local function either_way(made, method)
  return function(first, ...)
    if first == made then
      method(...)
    else
      method(first, ...)
    end
    return made
  end
end

local function new(callback)
  local made = setmetatable({ calls = {}, callback = callback or function() end }, Spy)
  -- What a stub returns from now on.
  made.returns = either_way(made, function(...)
    local count, values = select("#", ...), { ... }
    made.callback = function() return unpack(values, 1, count) end
  end)
  -- What a stub does from now on.
  made.invokes = either_way(made, function(fn) made.callback = fn end)
  return made
end

local function put(target, key, callback)
  local made = new(callback)
  made.target, made.key, made.original = target, key, target[key]
  target[key] = made
  replaced[#replaced + 1] = made
  return made
end

M.spy = {
  new = new,
  on = function(target, key)
    return put(target, key, target[key])
  end,
}

M.stub = setmetatable({ new = function(target, key) return put(target, key) end }, {
  __call = function(_, target, key, ...)
    local made = put(target, key)
    return select("#", ...) > 0 and made:returns(...) or made
  end,
})

--- Spies on every function of a table.
function M.mock(target, stubbed)
  for key, value in pairs(target) do
    if type(value) == "function" then
      put(target, key, not stubbed and value or nil)
    end
  end
  return target
end

--- Puts back everything: at the end of each test.
function M.restore()
  for i = #replaced, 1, -1 do
    replaced[i]:revert()
    replaced[i] = nil
  end
end

local function called_with(object, ...)
  local wanted = { count = select("#", ...), ... }
  for _, call in ipairs(object.calls) do
    if difference.same(wanted, call) then
      return true
    end
  end
  return false
end

local function listed(calls)
  local lines = {}
  for i, call in ipairs(calls) do
    local arguments = {}
    for j = 1, call.count do
      arguments[j] = difference.show(call[j])
    end
    lines[i] = "  (" .. table.concat(arguments, ", ") .. ")"
  end
  return #lines > 0 and "It was called with:\n" .. table.concat(lines, "\n") or "It was not called at all."
end

local function times(n)
  return n == 1 and "once" or n .. " times"
end

--- assert.spy(object): was_called(times), was_called_with(...), was_not_called(), with dots or underscores.
---@param fail fun(message: string) raises a failure
function M.asserted(object, fail)
  if getmetatable(object) ~= Spy then
    error("assert.spy takes a spy or a stub, got a " .. type(object), 3)
  end
  local words = {}
  function words.called(n)
    if n and #object.calls ~= n or #object.calls == 0 then
      fail(("Expected it to be called%s. %s"):format(n and " " .. times(n) or "", listed(object.calls)))
    end
  end
  function words.called_with(...)
    if not called_with(object, ...) then
      fail("Expected a call with " .. listed({ { count = select("#", ...), ... } }):match("%((.*)%)$") .. ".\n"
        .. listed(object.calls))
    end
  end
  function words.called_at_least(n)
    if #object.calls < n then
      fail(("Expected it to be called at least %s. %s"):format(times(n), listed(object.calls)))
    end
  end
  local negated = {}
  function negated.called()
    if #object.calls > 0 then
      fail("Expected it not to be called. " .. listed(object.calls))
    end
  end
  function negated.called_with(...)
    if called_with(object, ...) then
      fail("Expected no such call. " .. listed(object.calls))
    end
  end
  return {
    was = setmetatable({ ["not"] = negated }, { __index = words }),
    was_not = negated,
    was_called = words.called,
    was_called_with = words.called_with,
    was_called_at_least = words.called_at_least,
    was_not_called = negated.called,
    was_not_called_with = negated.called_with,
    called = words.called,
    called_with = words.called_with,
  }
end

return M
