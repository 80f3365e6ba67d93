-- Reads a template's text into nodes: text, {{ expressions }}, {% statements %} and {# comments #}.

local M = {}

---@class perigee.TemplateNode
---@field kind "text"|"show"|"code"|"include"|"extends"|"block"|"endblock"|"super"
---@field line integer where it begins
---@field text string what it holds: text, Lua code, or a name
---@field bare? string the tag's Lua code without strings and comments

--- Raises at a line of a template.
function M.fail(chunk, line, message, ...)
  error(("%s:%d: %s"):format(chunk, line, message:format(...)), 0)
end

local function count_lines(text)
  local _, count = text:gsub("\n", "")
  return count
end

-- Where the string, long string or comment that begins at `at` ends; nil where none begins or it does not end.
local function end_of_string(source, at, close)
  local quote = source:sub(at, at)
  if quote == '"' or quote == "'" then
    local from = at + 1
    while true do
      local found = source:find("[\\\n" .. quote .. "]", from)
      if not found or source:sub(found, found) == "\n" then
        return nil
      elseif source:sub(found, found) == quote then
        return found
      end
      from = found + 2
    end
  end
  local equals = source:match("^%[(=*)%[", at)
  if equals then
    return (select(2, source:find("]" .. equals .. "]", at, true)))
  end
  local line_end = source:find("\n", at, true) or #source + 1
  local tag_end = source:find(close, at, true) or line_end
  return math.min(line_end, tag_end) - 1
end

-- The Lua code from `at` up to `close` without its comments, the same without its strings, and where the tag ends; nil
-- without an end.
local function read_code(source, at, close)
  local parts, bare, from, depth = {}, {}, at, 0
  local function take(to)
    parts[#parts + 1] = source:sub(from, to)
    bare[#bare + 1] = source:sub(from, to)
  end
  while true do
    local found, _, mark = source:find("([%-'\"%[{}%%])", at)
    if not found then
      return nil
    end
    local pair = source:sub(found, found + 1)
    if pair == close and (depth == 0 or close == "%}") then
      take(found - 1)
      return table.concat(parts), table.concat(bare), found + 1
    elseif mark == "{" or mark == "}" then
      depth, at = depth + (mark == "{" and 1 or -1), found + 1
    elseif pair == "--" then
      local long = source:match("^%[=*%[", found + 2)
      local last = end_of_string(source, long and found + 2 or found, close)
      if not last then
        return nil
      end
      take(found - 1)
      parts[#parts + 1] = " " .. source:sub(found, last):gsub("[^\n]", "")
      from, at = last + 1, last + 1
    elseif mark == "'" or mark == '"' or source:find("^%[=*%[", found) then
      local last = end_of_string(source, found, close)
      if not last then
        return nil
      end
      take(found - 1)
      parts[#parts + 1], bare[#bare + 1] = source:sub(found, last), " "
      from, at = last + 1, last + 1
    else
      at = found + 1
    end
  end
end

-- What stands in {% %}: one of our own words, or Lua.
local function statement(code, line, chunk)
  local name = code:match("^%s*block%s+([%a_][%w_]*)%s*$") or code:match("^%s*block%s+([\"'].*)$")
  if name then
    name = name:match("^[\"']([%a_][%w_]*)[\"']%s*$") or name
    if not name:find("^[%a_]") then
      M.fail(chunk, line, "a block's name is a word: {%% block title %%}")
    end
    return { kind = "block", line = line, text = name }
  end
  local word, rest = code:match("^%s*(%a+)(.*)$")
  if word == "include" and rest:find("^%s*[^%s=.:%[,]") then
    return { kind = "include", line = line, text = rest }
  elseif word == "extends" and rest:find("^%s*[\"']") then
    local parent = rest:match("^%s*\"([^\"]+)\"%s*$") or rest:match("^%s*'([^']+)'%s*$")
    if not parent then
      M.fail(chunk, line, "extends takes one name in quotes: {%% extends \"layout.html\" %%}")
    end
    return { kind = "extends", line = line, text = parent }
  elseif (word == "endblock" or word == "super") and not rest:find("%S") then
    return { kind = word, line = line, text = "" }
  end
  return { kind = "code", line = line, text = code }
end

local CLOSE = { ["{{"] = "}}", ["{%"] = "%}", ["{#"] = "#}" }

-- The tag at `at`: a node, or nothing for a comment; and where it ends.
local function read_tag(source, at, line, chunk)
  local open = source:sub(at, at + 1)
  local close = CLOSE[open]
  if open == "{#" then
    local _, last = source:find(close, at + 2, true)
    return nil, last or M.fail(chunk, line, "'%s' is never closed by '%s'", open, close)
  end
  local code, bare, last = read_code(source, at + 2, close)
  if not code then
    M.fail(chunk, line, "'%s' is never closed by '%s'", open, close)
  elseif not code:find("%S") then
    M.fail(chunk, line, "'%s %s' is empty", open, close)
  end
  local node = open == "{{" and { kind = "show", line = line, text = code } or statement(code, line, chunk)
  node.bare = bare
  return node, last
end

-- A statement or comment alone on its line takes the line with it: where the line's text begins and its end stands.
local function whole_line(source, at, last)
  local before = at
  while source:find("^[ \t]", before - 1) and before > 1 do
    before = before - 1
  end
  local _, after = source:find("^[ \t]*\r?\n", last + 1)
  after = after or select(2, source:find("^[ \t]*$", last + 1))
  if after and (before == 1 or source:sub(before - 1, before - 1) == "\n") then
    return before, after
  end
  return at, last
end

--- The nodes of a template. Raises, with `chunk` and the line, on a tag that is none.
---@param source string
---@param chunk string what messages call the template
---@return perigee.TemplateNode[]
function M.parse(source, chunk)
  local nodes, at, line = {}, 1, 1
  local function add_text(to)
    if to >= at then
      nodes[#nodes + 1] = { kind = "text", line = line, text = source:sub(at, to) }
    end
  end
  while true do
    local open = source:find("{[{%%#]", at)
    if not open then
      break
    end
    local tag_line = line + count_lines(source:sub(at, open - 1))
    local node, last = read_tag(source, open, tag_line, chunk)
    local first, past = open, last
    if not node or node.kind ~= "show" then
      first, past = whole_line(source, open, last)
      first = math.max(first, at)
    end
    add_text(first - 1)
    nodes[#nodes + 1] = node
    line = tag_line + count_lines(source:sub(open, past))
    at = past + 1
  end
  add_text(#source)
  return nodes
end

return M
