-- Lua patterns as regular expressions of ECMA-262, which JSON schemas are written in.

local M = {}

-- What a class takes (in the C locale), inside brackets.
local CLASSES = {
  a = "A-Za-z", c = "\\x00-\\x1f\\x7f", d = "0-9", l = "a-z", p = "!-\\/:-@\\[-`{-~", s = "\\t-\\r ", u = "A-Z",
  w = "A-Za-z0-9", x = "A-Fa-f0-9", z = "\\x00",
}
local SPECIAL = "^[%^%$%\\%.%*%+%?%(%)%[%]%{%}%|%/%-]$"

local function escaped(letter)
  return letter:find(SPECIAL) and "\\" .. letter or letter
end

-- What stands behind a "%": a class as a set, or the letter itself; nil for what no regular expression can say.
local function behind_percent(letter)
  local class = CLASSES[letter:lower()]
  if class then
    return (letter:find("%u") and "[^" or "[") .. class .. "]"
  elseif letter:find("%w") or letter == "" then
    return nil -- %b, %f and back references
  end
  return escaped(letter)
end

-- The set that begins at `at`, and where it ends; nil for what can't be said.
local function set(pattern, at)
  local out = { "[" }
  at = at + 1
  if pattern:sub(at, at) == "^" then
    out[#out + 1] = "^"
    at = at + 1
  end
  local first = true
  while first or pattern:sub(at, at) ~= "]" do
    local letter = pattern:sub(at, at)
    if letter == "" then
      return nil
    elseif letter == "%" then
      at = at + 1
      letter = pattern:sub(at, at)
      local class = CLASSES[letter:lower()]
      if class and letter:find("%u") or letter == "" then
        return nil -- a class's complement within a set
      end
      out[#out + 1] = class or escaped(letter)
    elseif letter == "-" and not first and pattern:sub(at + 1, at + 1) ~= "]" then
      out[#out + 1] = "-"
    else
      out[#out + 1] = escaped(letter)
    end
    first = false
    at = at + 1
  end
  return table.concat(out) .. "]", at
end

--- The regular expression that finds what a Lua pattern finds in a text of ASCII; nil where there is none.
---@param pattern string
---@return string?
function M.to_ecma(pattern)
  local out, at = {}, 1
  while at <= #pattern do
    local letter = pattern:sub(at, at)
    local item = letter
    if letter == "%" then
      at = at + 1
      item = behind_percent(pattern:sub(at, at))
    elseif letter == "[" then
      item, at = set(pattern, at)
    elseif letter == "-" and #out > 0 then
      item = "*?"
    elseif letter == "^" and at > 1 or letter == "$" and at < #pattern or letter:find("[{}|\\/]") then
      item = "\\" .. letter
    elseif letter == "." then
      item = "[^]"
    elseif letter == "(" and pattern:sub(at + 1, at + 1) == ")" then
      return nil -- a position capture
    end
    if not item then
      return nil
    end
    out[#out + 1] = item
    at = at + 1
  end
  return table.concat(out)
end

return M
