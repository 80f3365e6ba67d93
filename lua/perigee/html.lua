-- HTML: escaping, values that go in as they are, and templates that are one string with {names} in it.

local ffi = require "ffi"
local native = require "perigee.native"

local C, fstr = native.C, native.string
local gsub, tonumber = string.gsub, tonumber

local M = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

---@class perigee.Raw
local Raw = {}
Raw.__index = Raw
Raw.__name = "perigee.Raw"

function Raw.__tostring(raw)
  return raw[1]
end

--- A text that is HTML already: it goes into a page as it is.
---@param text string|number
---@return perigee.Raw
function M.raw(text)
  if getmetatable(text) == Raw then
    return text
  end
  local kind = type(text)
  if kind ~= "string" and kind ~= "number" then
    error("bad argument #1 to 'raw' (string expected, got " .. kind .. ")", 2)
  end
  return setmetatable({ tostring(text) }, Raw)
end

local AT_ONCE = 4096 -- bytes
local room = ffi.new("char[?]", AT_ONCE * 6)

local function escape_text(text)
  if #text > AT_ONCE then
    return (gsub(text, "[&<>\"']", ENTITIES))
  end
  local size = tonumber(C.perigee_html_escape(text, #text, room))
  if size == 0 then
    return text
  end
  local escaped = fstr(room, size)
  return escaped
end

-- Values that are neither strings nor numbers.
local function escape_other(value, name, level)
  local kind, meta = type(value), getmetatable(value)
  if kind == "boolean" then
    return tostring(value)
  elseif meta == Raw then
    return value[1]
  elseif kind ~= "nil" and type(meta) == "table" and meta.__tostring then
    return escape_text(tostring(value))
  elseif value == nil then
    error(("nothing to show for '%s': it is nil"):format(name), level)
  end
  error(("'%s' is a %s, which a page can't show"):format(name, kind), level)
end

--- The value as text for HTML, in an element or in a quoted attribute. Raises on nil and on what is no text.
---@param value any
---@param name string what a page calls it, for the message
---@param above? integer how many functions stand between the caller and the one that an error is to name
---@return string
function M.escape(value, name, above)
  local kind = type(value)
  if kind == "string" then
    local text = escape_text(value)
    return text
  elseif kind == "number" then
    return tostring(value)
  end
  local text = escape_other(value, name, 3 + (above or 0))
  return text
end

-- A string template compiles into one concatenation; a long one into several, as a function has only so many slots.
local PIECES = 40
local ABOVE = 3 -- who called perigee.html stands that far above the compiled function

local function compile(template)
  local pieces, groups, at = {}, {}, 1
  local function add(piece)
    pieces[#pieces + 1] = piece
    if #pieces == PIECES then
      groups[#groups + 1], pieces = table.concat(pieces, " .. "), {}
    end
  end
  for before, name, after in template:gmatch("(){([%a_][%w_]*)}()") do
    add(("%q"):format(template:sub(at, before - 1)))
    add(("escape(values[%q], %q, %d)"):format(name, name, ABOVE))
    at = after
  end
  add(("%q"):format(template:sub(at)))
  groups[#groups + 1] = #pieces > 0 and table.concat(pieces, " .. ") or '""'
  local source = { "local escape = ... return function(values) local text = ", groups[1] }
  for i = 2, #groups do
    source[#source + 1] = " text = text .. " .. groups[i]
  end
  source[#source + 1] = " return text end"
  return assert(loadstring(table.concat(source), "=(html template)"))(M.escape)
end

-- Compiled templates by their text, in two halves: when the young one is full it becomes the old one, and what the old
-- one held and nobody used since is forgotten.
local KEPT, KEPT_BYTES = 256, 2 ^ 20
local young, old, count, bytes = {}, {}, 0, 0

local function keep(template, render)
  if count == KEPT or bytes + #template > KEPT_BYTES then
    young, old, count, bytes = {}, young, 0, 0
  end
  young[template] = render
  count, bytes = count + 1, bytes + #template
  return render
end

--- Replaces every {name} of a text by the escaped value of that name. Raises on a name without a value.
---@param template string
---@param values table<string, any>
---@return string
function M.fill(template, values)
  local render = young[template]
  if not render then
    render = keep(template, old[template] or compile(template))
  end
  local text = render(values)
  return text
end

return M
