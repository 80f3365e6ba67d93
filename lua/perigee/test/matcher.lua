-- Matchers: what a value may be, in place of a value.

local M = {}

local Matcher = {}
Matcher.__index = Matcher

--- Whether a value is what the matcher asks for; `itself` is what the value is a copy of.
function Matcher:__call(value, itself)
  return self.holds(value, itself == nil and value or itself)
end

function Matcher:__tostring()
  return self.text
end

--- A matcher; `text` is how it was written.
---@param text string
---@param holds fun(value: any, itself: any): boolean
function M.new(text, holds)
  return setmetatable({ text = text, holds = holds }, Matcher)
end

function M.is(value)
  return getmetatable(value) == Matcher
end

return M
