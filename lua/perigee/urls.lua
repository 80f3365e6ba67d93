-- app:url: the way back from a route's name to a path.

local core = require "perigee.core"

local M = { names = nil }

local function encode(text)
  return (text:gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

-- A path may hold more as it is (RFC 3986 section 3.3).
local function encode_segment(text)
  return (text:gsub("[^%w%-._~!$&'()*+,;=:@]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

-- A string, number or boolean as a URL shows it; nil for anything else.
local function text_of(value)
  local kind = type(value)
  if kind == "number" and value % 1 == 0 and math.abs(value) <= 2 ^ 53 then
    return ("%d"):format(value)
  elseif kind == "number" then
    return core.encode(value)
  elseif kind == "boolean" then
    return tostring(value)
  end
  return kind == "string" and value or nil
end

-- Why a text can't stand in a path: the server would read it as something else, or refuse it.
local function misread(text)
  if text:find("[\\%z]") then
    return "holds a backslash or a NUL, which no path may"
  end
  for segment in text:gmatch("[^/]+") do
    if segment == "." or segment == ".." then
      return ("has a segment '%s', which a path does not keep"):format(segment)
    end
  end
end

-- A value of a parameter as text. Nil and why where it can't stand there.
local function checked(parameter, value)
  local text = parameter.kind == "json" and core.encode(value) or text_of(value)
  if not text then
    return nil, ("is a %s"):format(type(value))
  elseif text == "" then
    return nil, "is empty"
  elseif not parameter.rest and text:find("/", 1, true) then
    return nil, "holds a slash, which only a rest parameter takes"
  end
  local fits, expected = core.fits_path_type(parameter.kind, text)
  if not fits then
    return nil, ("is %s, not %s"):format(text, expected)
  end
  local why = misread(text)
  return not why and text or nil, why
end

local function read_parameter(segment)
  local name, kind, star = segment:match("^{([%w_]+):?([%w_]*)(%*?)}$")
  return name and { name = name, kind = kind ~= "" and kind or "string", rest = star == "*" }
end

local function fill(route, params, level)
  local parts, used = {}, {}
  for segment in route.pattern:gmatch("/([^/]*)") do
    local parameter = read_parameter(segment)
    if parameter then
      local value = params[parameter.name]
      if value == nil then
        error(("route '%s' (%s) wants the parameter '%s'"):format(route.name, route.pattern, parameter.name), level + 1)
      end
      local text, why = checked(parameter, value)
      if not text then
        error(("route '%s' (%s): the parameter '%s' %s"):format(route.name, route.pattern, parameter.name, why),
          level + 1)
      end
      used[parameter.name] = true
      segment = parameter.rest and text:gsub("[^/]+", encode_segment) or encode_segment(text)
    else
      segment = encode_segment(segment)
    end
    parts[#parts + 1] = "/" .. segment
  end
  for name in pairs(params) do
    if not used[name] then
      error(("route '%s' (%s) has no parameter '%s'"):format(route.name, route.pattern, tostring(name)), level + 1)
    end
  end
  local path = table.concat(parts)
  if path:find("^//") then
    error(("route '%s' (%s): '%s' would name another host"):format(route.name, route.pattern, path), level + 1)
  end
  return path
end

local function sorted_keys(query, level)
  local keys = {}
  for key in pairs(query) do
    if type(key) ~= "string" then
      error("a query's names are strings, got " .. type(key), level + 1)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function encode_query(query, level)
  local pairs_of = {}
  for _, key in ipairs(sorted_keys(query, level + 1)) do
    local values = query[key]
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      local text = text_of(value)
      if not text then
        error(("'%s' in a query is a %s"):format(key, type(value)), level + 1)
      end
      pairs_of[#pairs_of + 1] = encode(key) .. "=" .. encode(text)
    end
  end
  return table.concat(pairs_of, "&")
end

--- App:url.
function M.url(name, params, query)
  if not M.names then
    error("app:url knows the routes once the whole file has run: use it in a handler or a hook", 3)
  end
  local route = M.names[name]
  if not route then
    error(("no route is called '%s'"):format(tostring(name)), 3)
  end
  local path = fill(route, params or {}, 3)
  local text = query and encode_query(query, 3) or ""
  return text == "" and path or path .. "?" .. text
end

return M
