-- The Vary field: which request headers an answer depends on.

--- Adds names to an answer's Vary (RFC 9110 section 12.5.5).
---@param headers table by names in lower case
---@param names string separated by commas
return function(headers, names)
  local present = headers.vary
  if type(present) == "table" then
    present = table.concat(present, ", ")
  end
  if present == nil or present == "" then
    headers.vary = names
    return
  end
  local known = ("," .. present:lower():gsub("%s", "") .. ",")
  if known:find(",*,", 1, true) then
    return
  end
  for name in names:gmatch("[^, ]+") do
    if not known:find("," .. name:lower() .. ",", 1, true) then
      present = present .. ", " .. name
    end
  end
  headers.vary = present
end
