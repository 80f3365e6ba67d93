-- Templates: files in the folder `templates` beside the app, each compiled once a VM.

local buffer = require "string.buffer"
local compiler = require "perigee.template_compiler"
local core = require "perigee.core"
local html = require "perigee.html"
local parser = require "perigee.template_parser"
local response = require "perigee.response"

local M = { folder = nil }

local MOST_DEPTH = 50 -- how deep templates include each other
local KEPT_BUFFERS, KEPT_BYTES = 16, 2 ^ 16

---@class perigee.Template
---@field name string
local Template = {}
Template.__index = Template
Template.__name = "perigee.Template"

local loaded = {} -- name -> Template

-- A value as JSON that may stand in a script element.
local UNSAFE = { ["<"] = "\\u003c", [">"] = "\\u003e", ["&"] = "\\u0026", ["'"] = "\\u0027" }

local function json(value)
  if value == nil then
    value = core.null
  end
  local text = core.encode(value):gsub("[<>&']", UNSAFE):gsub("\226\128([\168\169])", function(last)
    return last == "\168" and "\\u2028" or "\\u2029"
  end)
  return html.raw(text)
end

-- A text as a part of a URL's path or query.
local function url(value)
  return (tostring(value):gsub("[^%w%-._~]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

-- What every template has beside its values.
local SAFE = {
  ipairs = ipairs, next = next, pairs = pairs, select = select, tonumber = tonumber, tostring = tostring, type = type,
  unpack = unpack, string = string, table = table, math = math, date = os.date,
  raw = html.raw, json = json, url = url,
}

local function path_of(name)
  return M.folder .. "/" .. name
end

--- The text of a template, or nil and why there is none. A name stays within the folder.
---@param name string
function M.read(name)
  if name:find("[%z\\]") or ("/" .. name .. "/"):find("/%.?%.?/") then
    return nil, "a template's name is a path within the folder, without . and .."
  elseif not M.folder then
    return nil, "there is no folder of templates: the app has no file"
  end
  local file, err = io.open(path_of(name), "rb")
  local text = file and file:read("*a")
  if file then
    file:close()
    err = path_of(name) .. " can't be read"
  end
  return text, err
end

-- Who includes or extends whom is settled here: `blocks` has for each name its functions, the page's own first.
local function inherit(template, parent)
  template.root = parent and parent.root or template.main
  local chains = {}
  for name, block in pairs(template.own) do
    chains[name] = { block }
  end
  for name, chain in pairs(parent and parent.blocks or {}) do
    local own = chains[name] or {}
    chains[name] = own
    for _, block in ipairs(chain) do
      own[#own + 1] = block
    end
  end
  template.blocks = chains
end

local load -- below, as it and load_relatives call each other

local function load_relative(name, chunk, line)
  local template, err = load(name)
  return template or parser.fail(chunk, line, "no template '%s': %s", name, err)
end

local function load_relatives(template, compiled, chunk)
  local parent = compiled.parent and load_relative(compiled.parent, chunk, 1)
  if parent and not parent.blocks then
    parser.fail(chunk, 1, "templates extend each other in a circle: '%s' extends '%s'", template.name, parent.name)
  end
  inherit(template, parent)
  for _, include in ipairs(compiled.includes) do
    load_relative(include.name, chunk, include.line)
  end
end

local environment = { __safe = SAFE, __escape = html.escape }

local function made(name, compiled)
  return setmetatable({ name = name, main = compiled.main, own = compiled.blocks }, Template)
end

--- A template of a text that is no file; it stands alone.
---@param source string
---@param name string what messages call it
---@return perigee.Template
function M.compile(source, name)
  local template = made(name, compiler.compile(source, name, environment))
  inherit(template)
  return template
end

-- A template, compiled when it is first asked for; or nil and why there is no such file. Raises on mistakes in it.
function load(name)
  if loaded[name] then
    return loaded[name]
  end
  local source, err = M.read(name)
  if not source then
    return nil, err
  end
  local chunk = M.folder and path_of(name) or name
  local compiled = compiler.compile(source, chunk, environment)
  local template = made(name, compiled)
  loaded[name] = template
  local ok, mistake = pcall(load_relatives, template, compiled, chunk)
  if not ok then
    loaded[name] = nil
    error(mistake, 0)
  end
  return template
end

-- The values of an included template: those given to it, and behind them the page's.
local function overlay(values, given)
  return setmetatable({}, { __index = function(_, key)
    local value = given[key]
    if value == nil then
      return values[key]
    end
    return value
  end })
end

function environment.__include(out, values, depth, name, given)
  if type(name) ~= "string" then
    error(("include takes the name of a template, got a %s"):format(type(name)), 2)
  elseif given ~= nil and type(given) ~= "table" then
    error(("include takes its values as a table, got a %s"):format(type(given)), 2)
  elseif depth >= MOST_DEPTH then
    error(("templates include each other more than %d deep"):format(MOST_DEPTH), 2)
  end
  local template, err = load(name)
  if not template then
    error(("no template '%s': %s"):format(name, err), 2)
  end
  template.root(out, given and overlay(values, given) or values, template.blocks, depth + 1, 0)
end

function environment.__block(out, values, blocks, depth, name, level)
  local block = blocks[name][level]
  if block then
    block(out, values, blocks, depth, level)
  end
end

local free = {}

--- The page as a string. Raises, with the template's name and line, on what fails in it.
---@param values? table<string, any>
---@return string
function Template:render(values)
  if values == nil then
    values = {}
  elseif type(values) ~= "table" then
    error("bad argument #1 to 'render' (table expected, got " .. type(values) .. ")", 2)
  end
  local count = #free
  local out = free[count] or buffer.new()
  free[count] = nil
  self.root(out, values, self.blocks, 1, 0) -- what raises takes its buffer along
  local text = out:get()
  if #text <= KEPT_BYTES and #free < KEPT_BUFFERS then
    free[#free + 1] = out
  end
  return text
end

--- The page as an answer: `return page { user = "Ada" }`.
---@param values? table<string, any>
---@return perigee.Response
function Template:__call(values)
  local answer = response.html(self, values)
  return answer
end

function Template:__tostring()
  return "perigee.Template '" .. self.name .. "'"
end

--- The template of that name in the folder `templates` beside the app. Raises when there is none, and with name and
--- line when it or what it includes is wrong.
---@param name string a path within the folder
---@return perigee.Template
function M.template(name)
  if type(name) ~= "string" then
    error("bad argument #1 to 'template' (string expected, got " .. type(name) .. ")", 2)
  end
  local template, err = load(name)
  if not template then
    error(("no template '%s': %s"):format(name, err), 2)
  end
  return template
end

--- Forgets what was loaded; for specs.
function M.forget()
  loaded = {}
end

return M
