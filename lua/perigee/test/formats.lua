-- How a file of tests wants values shown: formatters and parameters, as luassert has them.

local M = {}

local DEEPEST = 60 -- tables inside one another

local formatters = {} -- in the order in which they came
local parameters = { TableFormatLevel = DEEPEST }

--- Has values shown as fn(value) says where that is a text; the newest is asked first.
---@param fn fun(value: any): string?
function M.add(fn)
  formatters[#formatters + 1] = fn
end

---@param fn function
function M.remove(fn)
  for i = #formatters, 1, -1 do
    if formatters[i] == fn then
      table.remove(formatters, i)
      return
    end
  end
end

--- What a formatter makes of a value; nil where none takes it.
---@return string?
function M.of(value)
  for i = #formatters, 1, -1 do
    local text = formatters[i](value)
    if type(text) == "string" then
      return text
    end
  end
  return nil
end

---@param name string any; of luassert's own, TableFormatLevel alone changes what is shown
function M.set(name, value)
  parameters[name] = value
end

---@param name string
function M.get(name)
  return parameters[name]
end

--- How many tables inside one another are shown: as many as the file asks for, or all that anybody reads.
---@param all? boolean whatever the file asks for
---@return integer
function M.levels(all)
  local level = not all and tonumber(parameters.TableFormatLevel) or -1
  return level >= 0 and math.min(level, DEEPEST) or DEEPEST
end

local function copied(map)
  local copy = {}
  for key, value in pairs(map) do
    copy[key] = value
  end
  return copy
end

--- A function that has all as it is now.
---@return function
function M.snapshot()
  local old_formatters, old_parameters = copied(formatters), copied(parameters)
  return function()
    formatters, parameters = copied(old_formatters), copied(old_parameters)
  end
end

return M
