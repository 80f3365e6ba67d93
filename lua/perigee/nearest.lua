-- What a misspelt name was meant to be.

local M = {}

-- How many letters have to be changed, put in, left out or swapped with their neighbour to make one word the other.
local function distance(a, b)
  local rows = { [-1] = {}, [0] = {} }
  for j = 0, #b do
    rows[0][j] = j
  end
  for i = 1, #a do
    rows[i] = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local least = math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        least = math.min(least, rows[i - 2][j - 2] + 1)
      end
      rows[i][j] = least
    end
  end
  return rows[#a][#b]
end

--- ", did you mean 'query'?" for a word that is a letter from a name, a long word two letters, or that begins one; ""
--- for any other.
---@param word any
---@param names table<string, any> its keys are the names
---@return string
function M.hint(word, names)
  if type(word) ~= "string" or #word > 32 then
    return ""
  end
  local best, least = nil, math.min(#word, #word > 4 and 3 or 2)
  for name in pairs(names) do
    local begins = type(name) == "string" and #word > 2 and name:sub(1, #word) == word
    local unlike = begins and 1 or type(name) == "string" and distance(word, name) or least
    if unlike < least or best and unlike == least and name < best then
      best, least = name, unlike
    end
  end
  return best and (", did you mean '%s'?"):format(best) or ""
end

return M
