-- The error desk as a table of text.

local core = require "perigee.core"

local shown = core.shown -- of what comes from clients and programs nothing ends a line or drives a terminal
local M = {}

local FORMAT = "%9s  %-19s  %-19s  %s"

local function time_of(seconds)
  return os.date("!%Y-%m-%d %H:%M:%S", seconds)
end

-- Names with their counts, the most frequent first.
local function listed(counts)
  local names = {}
  for name in pairs(counts) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return counts[a] ~= counts[b] and counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  for i, name in ipairs(names) do
    names[i] = ("%s (%d)"):format(name, counts[name])
  end
  return table.concat(names, ", ")
end

--- The text for what core.errors() says, decoded.
---@param desk { errors: perigee.ErrorKind[], total: integer, ignored: integer, forgotten_kinds: integer }
---@return string
function M.text(desk)
  local lines = { FORMAT:format("COUNT", "FIRST (UTC)", "LAST (UTC)", "ERROR") }
  local function indented(what, text)
    if text ~= "" then
      lines[#lines + 1] = (" "):rep(53) .. what .. shown(text)
    end
  end
  for _, kind in ipairs(desk.errors) do
    lines[#lines + 1] = FORMAT:format(kind.count, time_of(kind.first_seen), time_of(kind.last_seen),
      shown(kind.signature))
    indented("in ", listed(kind.routes))
    indented("to ", listed(kind.hosts))
    indented("as in ", kind.sample)
  end
  lines[#lines + 1] = ("%d errors, %d ignored, %d kinds forgotten"):format(desk.total, desk.ignored,
    desk.forgotten_kinds)
  return table.concat(lines, "\n") .. "\n"
end

return M
