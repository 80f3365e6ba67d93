-- Paths as groups, mounts and middleware speak of them: prefixes of whole segments.

local M = {}

--- Reads a prefix: a path without a slash at its end ("" is the root). Nil and why where it is none.
---@param text any
---@return string? prefix, string? err
function M.prefix(text)
  if type(text) ~= "string" then
    return nil, "a prefix is a string, got " .. type(text)
  elseif text == "" or text == "/" then
    return ""
  elseif text:sub(1, 1) ~= "/" then
    return nil, ("the prefix '%s' does not begin with a slash"):format(text)
  elseif text:find("*}", 1, true) then
    return nil, ("the prefix '%s' has a rest parameter, behind which nothing can stand"):format(text)
  end
  return (text:gsub("/$", ""))
end

--- The pattern of a route below a prefix. "/" below "/users" is "/users" itself.
---@return string
function M.join(prefix, pattern)
  if prefix ~= "" and (pattern == "/" or pattern == "") then
    return prefix
  end
  return prefix .. pattern
end

local function segments_of(path)
  local list = {}
  for segment in path:gmatch("/([^/]*)") do
    list[#list + 1] = segment
  end
  return list
end

local function is_parameter(segment)
  return segment:sub(1, 1) == "{"
end

--- Whether the paths that a pattern takes lie below a prefix: "always", "never", or "perhaps", which only the path of a
--- request tells.
---@return "always"|"never"|"perhaps"
function M.covers(prefix, pattern)
  local wanted, taken, answer = segments_of(prefix), segments_of(pattern), "always"
  for i, segment in ipairs(wanted) do
    local other = taken[i]
    if other and other:find("*}", 1, true) then
      return "perhaps"
    elseif not other or (not is_parameter(segment) and not is_parameter(other) and segment ~= other) then
      return "never"
    elseif not is_parameter(segment) and is_parameter(other) then
      answer = "perhaps"
    end
  end
  return answer
end

--- A function that tells whether a request's path lies below the prefix; a parameter in it takes any segment.
---@return fun(path: string): boolean
function M.matcher(prefix)
  local wanted = segments_of(prefix)
  return function(path)
    local at = 1
    for i = 1, #wanted do
      local stop = path:find("/", at + 1, true) or #path + 1
      if path:sub(at, at) ~= "/" then
        return false
      end
      local segment = path:sub(at + 1, stop - 1)
      if is_parameter(wanted[i]) then
        if segment == "" then
          return false
        end
      elseif segment ~= wanted[i] then
        return false
      end
      at = stop
    end
    return true
  end
end

return M
