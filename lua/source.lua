-- The text of app.lua as the front page shows it: a list of lines, each a list of pieces with what they are.

local M = {}

local FILE = debug.getinfo(1, "S").source:match("^@(.*)source%.lua$") .. "app.lua"

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function if in local nil not or repeat return then true until
  while]]):gmatch("%a+") do
  KEYWORDS[word] = true
end

-- What may begin where: a pattern, and what it is.
local PIECES = {
  { "^%-%-.*", "comment" },
  { '^"[^"]*"', "string" },
  { "^%d+", "number" },
  { "^[%a_][%w_]*", "word" },
  { "^[^%w_\"%-]+", "plain" },
  { "^.", "plain" },
}

local function piece_at(line, from)
  for _, rule in ipairs(PIECES) do
    local _, last = line:find(rule[1], from)
    if last then
      local text, kind = line:sub(from, last), rule[2]
      if kind == "word" then
        kind = KEYWORDS[text] and "keyword" or "plain"
      end
      return { text = text, kind = kind }, last
    end
  end
end

local function pieces_of(line)
  local pieces, from = {}, 1
  while from <= #line do
    local piece, last = piece_at(line, from)
    pieces[#pieces + 1], from = piece, last + 1
  end
  return pieces
end

local function read()
  local lines = {}
  for line in io.lines(FILE) do
    lines[#lines + 1] = pieces_of(line)
  end
  return lines
end

local lines = read()

--- The lines of app.lua as this version of the app was loaded.
---@return { text: string, kind: "comment"|"string"|"number"|"keyword"|"plain" }[][]
function M.lines()
  return lines
end

return M
