-- say as luassert's extensions use it: texts by names, with places for values.

local texts = {}

local Say = {}

--- say:set("assertion.even.positive", "Expected an even number, got %s"); a language before them is passed over.
function Say:set(...)
  local key, text = select(select("#", ...) - 1, ...)
  texts[key] = text
  return self
end

function Say:set_namespace()
  return self
end
Say.set_fallback = Say.set_namespace

-- The text of that name with the values in it; nil where there is none.
local function said(key, values)
  local text = texts[key]
  if not text then
    return nil
  end
  local at = 0
  return (text:gsub("%%(.)", function(form)
    if form == "%" then
      return "%"
    end
    at = at + 1
    return tostring(values and values[at])
  end))
end

return setmetatable(Say, { __call = function(_, key, values) return said(key, values) end })
