-- What a developer wants to know of an error: its frames with source and locals, taken before the stack is gone.

local error_text = require "perigee.error_text"
local values = require "perigee.dev_values"

local M = {}

local FRAMES, LOCALS = 30, 30
local AROUND = 5 -- lines before and after
local READ = 2 ^ 20 -- bytes of a source file

---@class perigee.Frame
---@field place string file:line
---@field name? string the function's
---@field library boolean whether it is Perigee's own
---@field locals { name: string, value: string }[]
---@field lines { number: integer, text: string, current: boolean }[]

--- The lines around a line of a file; none where it can't be read.
---@param path string
---@param line integer
function M.lines(path, line)
  local file = io.open(path, "rb")
  local text = file and file:read(READ)
  if file then
    file:close()
  end
  local found, number = {}, 0
  for one in (text and text .. "\n" or ""):gmatch("([^\n]*)\n") do
    number = number + 1
    if number > line + AROUND then
      break
    elseif number >= line - AROUND then
      found[#found + 1] = { number = number, text = values.utf8(one:gsub("\r$", "")), current = number == line }
    end
  end
  if found[#found] and found[#found].text == "" and not found[#found].current then
    found[#found] = nil
  end
  return found
end

-- Whether a chunk is one that the binary carries, or that was made for a route.
local function is_library(source)
  local path = source:match("^@lua/(.*)%.lua$")
  return source:sub(1, 1) ~= "@" or path ~= nil and package.preload[path:gsub("/", ".")] ~= nil
end

-- A template has functions of Lua's among its locals.
local function is_builtin(value)
  return type(value) == "function" and debug.getinfo(value, "S").what == "C"
end

-- The locals at `level`, which counts from whoever calls this.
local function locals_of(level)
  local found = {}
  for i = 1, LOCALS do
    local name, value = debug.getlocal(level + 1, i)
    if not name then
      break
    elseif name ~= "_" and not name:find("^%(") and not name:find("^__") and not is_builtin(value) then
      found[#found + 1] = { name = name, value = values.show(name, value) }
    end
  end
  return found
end

local function frame_of(info, locals)
  local library = is_library(info.source)
  local path = info.source:sub(2)
  return {
    place = ("%s:%d"):format(path, info.currentline),
    name = path:find("%.lua$") and (info.name or info.what == "main" and "the file itself") or nil,
    library = library,
    locals = library and {} or locals,
    lines = library and {} or M.lines(path, info.currentline),
  }
end

--- An error and where it was raised, for a message handler of xpcall to call.
---@param err any
---@param level integer where the frames that count begin: 1 is whoever calls this
---@return { message: string, frames: perigee.Frame[] }
function M.take(err, level)
  local frames = {}
  for at = level + 1, level + FRAMES do
    local info = debug.getinfo(at, "Sln")
    if not info then
      break
    elseif info.what ~= "C" then
      frames[#frames + 1] = frame_of(info, locals_of(at))
    end
  end
  return { message = values.utf8(error_text.describe(err)), frames = frames }
end

--- A frame of a place alone, "app.lua:12", where nothing is left of a stack.
---@param place string
---@return perigee.Frame?
function M.frame_at(place)
  local path, line = place:match("^(.-):(%d+)")
  local lines = path and M.lines(path, tonumber(line)) or {}
  if #lines == 0 then
    return nil
  end
  return { place = path .. ":" .. line, library = false, locals = {}, lines = lines }
end

return M
