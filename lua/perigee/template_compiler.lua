-- Makes Lua functions of a template's nodes. Each line of the template is the same line of the Lua code, under the
-- template's name, so that whatever goes wrong names the place in the template.

local parser = require "perigee.template_parser"

local M = {}

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch("%a+") do
  KEYWORDS[word] = true
end

local MOST_NAMES = 150 -- a Lua function has 200 locals

-- Adds the names in a piece of Lua code that may be values: words that are neither keywords nor fields.
local function add_names(bare, names)
  local code = bare:gsub("%.%.%.?", " ")
  for before, word in code:gmatch("([.:]?)%s*([%w_]+)") do
    if before == "" and word:find("^[%a_]") and not word:find("^__") and not KEYWORDS[word] and not names[word] then
      names[word] = true
      names[#names + 1] = word
    end
  end
end

-- What stands before the first line: every name a template uses is a local with the value of that name, or with one of
-- the functions that all templates have.
local function prelude(nodes, safe, chunk)
  local names = {}
  for _, node in ipairs(nodes) do
    if node.kind == "show" or node.kind == "code" or node.kind == "include" then
      add_names(node.bare, names)
    end
  end
  if #names > MOST_NAMES then
    parser.fail(chunk, 1, "uses %d names, more than %d: split it up by include", #names, MOST_NAMES)
  end
  local lines = { "local __out, __values, __blocks, __depth, __level = ... " }
  for _, name in ipairs(names) do
    lines[#lines + 1] = ("local %s = __values.%s "):format(name, name)
    if safe[name] ~= nil then
      lines[#lines + 1] = ("if %s == nil then %s = __safe.%s end "):format(name, name, name)
    end
  end
  return table.concat(lines)
end

-- What messages call an expression.
local function title(code)
  local text = code:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  return #text > 60 and text:sub(1, 57) .. "..." or text
end

local EMIT = {}

function EMIT.text(node)
  return ("__out:put(%s) "):format((("%q"):format(node.text):gsub("\\\n", "\\n")))
end

function EMIT.show(node)
  return ("__out:put(__escape((%s), %q)) "):format(node.text, title(node.text))
end

-- What is left open must not go on in the text that follows: the message would name that line.
function EMIT.code(node)
  return node.text .. " do end "
end

function EMIT.include(node)
  return ("__include(__out, __values, __depth, %s) "):format(node.text)
end

function EMIT.block(node)
  return ("__block(__out, __values, __blocks, __depth, %q, 1) "):format(node.text)
end

function EMIT.super(node)
  return ("__block(__out, __values, __blocks, __depth, %q, __level + 1) "):format(node.text)
end

local OPENS = { ["if"] = "then", ["elseif"] = "then", ["for"] = "do", ["while"] = "do" }

-- What writers of other templates are used to. `while x` alone would even compile, and loop for ever.
local function check_habits(node, chunk)
  local text = node.text:match("^%s*(.-)%s*$")
  local word = text:match("^[%a_]+")
  local wants = OPENS[word]
  if wants and not text:find("%f[%w_]" .. wants .. "%f[^%w_]") then
    error(("%s:%d: '%s' expected: {%% %s %s %%}"):format(chunk, node.line, wants, text, wants), 0)
  elseif word == text and text:find("^end%a+$") then
    error(("%s:%d: {%% end %%} ends every block of Lua, there is no '%s'"):format(chunk, node.line, text), 0)
  end
end

-- A function of (buffer, values, blocks, depth, level): the chunk itself, so that Lua's own messages about an `end` too
-- many or too few speak of the template only.
local function make(nodes, environment, chunk)
  local parts, line = { prelude(nodes, environment.__safe, chunk) }, 1
  for _, node in ipairs(nodes) do
    if node.line > line then
      parts[#parts + 1] = ("\n"):rep(node.line - line)
      line = node.line
    end
    if node.kind == "code" then
      check_habits(node, chunk)
    end
    local code = EMIT[node.kind](node)
    local _, lines = code:gsub("\n", "")
    parts[#parts + 1], line = code, line + lines
  end
  local fn, err = loadstring(table.concat(parts), "@" .. chunk)
  if not fn then
    error(err, 0)
  end
  return setfenv(fn, environment)
end

-- A page that extends another consists of blocks.
local function check_outside(nodes, parent, chunk)
  for _, node in ipairs(nodes) do
    if not (node.kind == "block" or node.kind == "text" and not node.text:find("%S")) then
      parser.fail(chunk, node.line, "only blocks may stand in a template that extends '%s'", parent)
    end
  end
end

-- Sorts nodes into the template's own and those of its blocks.
local function sort(all, chunk)
  local main, blocks, includes, open = {}, {}, {}, {}
  local into, parent = main, nil
  for _, node in ipairs(all) do
    if node.kind == "extends" then
      if parent or open[1] or #blocks > 0 then
        parser.fail(chunk, node.line, "extends stands once, and before everything else")
      end
      parent = node.text
    elseif node.kind == "endblock" then
      local ended = table.remove(open) or parser.fail(chunk, node.line, "there is no block to end here")
      into = ended.outer
    else
      if node.kind == "super" then
        local block = open[#open] or parser.fail(chunk, node.line, "super stands in a block")
        node.text = block.name
      end
      into[#into + 1] = node
      if node.kind == "include" then
        local quoted = node.text:match("^%s*\"([^\"\\]+)\"%s*%f[,%z]") or node.text:match("^%s*'([^'\\]+)'%s*%f[,%z]")
        includes[#includes + 1] = quoted and { name = quoted, line = node.line }
      elseif node.kind == "block" then
        if blocks[node.text] then
          parser.fail(chunk, node.line, "the block '%s' was there already, in line %d", node.text,
            blocks[node.text].line)
        end
        local block = { name = node.text, line = node.line, nodes = {}, outer = into }
        blocks[node.text], blocks[#blocks + 1], open[#open + 1], into = block, block, block, block.nodes
      end
    end
  end
  if open[1] then
    parser.fail(chunk, open[#open].line, "block '%s' is never closed by {%% endblock %%}", open[#open].name)
  end
  return main, blocks, includes, parent
end

---@class perigee.CompiledTemplate
---@field main function
---@field blocks table<string, function>
---@field parent? string the template that it extends
---@field includes { name: string, line: integer }[] those whose names stand in the text

--- Compiles a template's text. Raises with the template's name and line.
---@param source string
---@param chunk string what messages and tracebacks call it
---@param environment table what the functions find beside their values
---@return perigee.CompiledTemplate
function M.compile(source, chunk, environment)
  local main, blocks, includes, parent = sort(parser.parse(source, chunk), chunk)
  if parent then
    check_outside(main, parent, chunk)
  end
  local compiled = { main = make(main, environment, chunk), blocks = {}, parent = parent, includes = includes }
  for _, block in ipairs(blocks) do
    compiled.blocks[block.name] = make(block.nodes, environment, chunk)
  end
  return compiled
end

return M
