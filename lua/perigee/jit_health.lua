-- What the JIT compiler has made of the app: which loops and functions it gave up for good, and what in them is beyond
-- it. Read off the bytecode, where LuaJIT marks it, when somebody asks: nothing is attached to the compiler, whose own
-- events end the process when a trace is given up while a C function is all that a coroutine's stack holds.

local hints = require "perigee.jit_hints"
local util = require "jit.util"
local found, vmdef = pcall(require, "jit.vmdef") -- names of bytecodes; part of LuaJIT's Lua files

local M = {}

local MOST_VALUES = 50000 -- that are looked at for functions
local MOST_OF_A_TABLE = 1000
local MOST_TRACES = 65535
local LIBRARY = "@lua/perigee"

local names = {} -- number of a bytecode -> its name
if found then
  for name in vmdef.bcnames:gmatch("......") do
    names[#names + 1] = name:match("^%S+")
  end
end

local function name_of(instruction)
  return names[instruction % 256 + 1]
end

-- Instructions that begin what may be compiled: given up for good, compiled, or neither yet.
local GIVEN_UP = { IFORL = "loop", IITERL = "loop", ILOOP = "loop", IFUNCF = "function", IFUNCV = "function" }
local COMPILED = { JFORL = true, JITERL = true, JLOOP = true, JFUNCF = true, JFUNCV = true }

local function place(info)
  local file = info.source and info.source:match("^[@=](.*)")
  return file and file .. ":" .. info.currentline or info.loc or "?"
end

-- The first and the last instruction of a loop or function that was given up.
local function range_of(proto, pc, name)
  if GIVEN_UP[name] == "function" then
    return 1, util.funcinfo(proto).bytecodes - 1
  end
  local instruction = util.funcbc(proto, pc)
  local target = pc + 1 + math.floor(instruction / 65536) % 65536 - 32768
  return math.min(pc, target), math.max(pc, target)
end

-- What in that range is beyond the compiler: its name and its line, or nil.
local function culprit(proto, first, last)
  for pc = first, last do
    local instruction = util.funcbc(proto, pc)
    local name = instruction and name_of(instruction)
    if name and hints.BY_BYTECODE[name] then
      return name, place(util.funcinfo(proto, pc))
    end
  end
end

local function describe(proto, pc, name)
  local first, last = range_of(proto, pc, name)
  local detail, at = culprit(proto, first, last)
  local kind = GIVEN_UP[name]
  local begins = util.funcinfo(proto, kind == "loop" and pc or 1)
  return {
    kind = kind, began = place(begins), at = at or place(begins), detail = detail or "",
    defined = place { source = begins.source, currentline = begins.linedefined },
    hint = detail and hints.BY_BYTECODE[detail] or hints.UNKNOWN[kind],
  }
end

-- Looks at one function's code, and at that of the functions inside of it.
local function read_code(proto, report, seen)
  local info = util.funcinfo(proto)
  local key = ("%s:%d:%d:%d"):format(tostring(info.source), info.linedefined or 0, info.lastlinedefined or 0,
    info.bytecodes or 0)
  if not info.bytecodes or seen[key] then
    return
  end
  seen[key] = true
  for pc = 0, info.bytecodes - 1 do
    local name = name_of((util.funcbc(proto, pc)))
    if GIVEN_UP[name] then
      report.rows[#report.rows + 1] = describe(proto, pc, name)
    elseif COMPILED[name] then
      report.compiled = report.compiled + 1
    end
  end
  for i = -1, -(info.gcconsts or 0), -1 do
    local constant = util.funck(proto, i)
    if type(constant) == "proto" then
      read_code(constant, report, seen)
    end
  end
end

-- Every Lua function that can be reached from `roots`, each once.
local function each_function(roots, visit)
  local seen, queue, head = {}, {}, 1
  local function add(value)
    local kind = type(value)
    if (kind == "function" or kind == "table") and not seen[value] and #queue < MOST_VALUES then
      seen[value] = true
      queue[#queue + 1] = value
    end
  end
  for _, root in ipairs(roots) do
    add(root)
  end
  while queue[head] ~= nil do
    local value = queue[head]
    head = head + 1
    if type(value) == "function" then
      local i = 1
      while true do
        local name, up = debug.getupvalue(value, i)
        if name == nil then
          break
        end
        add(up)
        i = i + 1
      end
      if not util.funcinfo(value).addr then
        visit(value)
      end
    else
      local key, member = next(value)
      for _ = 1, MOST_OF_A_TABLE do
        if key == nil then
          break
        end
        add(member)
        key, member = next(value, key)
      end
    end
  end
end

-- How many traces live, and how they end. LuaJIT uses low numbers first.
local function count_traces(report)
  local misses = 0
  for number = 1, MOST_TRACES do
    local info = util.traceinfo(number)
    if info then
      misses = 0
      report.traces = report.traces + 1
      report.links[info.linktype] = (report.links[info.linktype] or 0) + 1
    else
      misses = misses + 1
      if misses > 500 then
        return
      end
    end
  end
end

--- What has become of everything that the app's routes can reach.
---@param routes { method: string, pattern: string, place: string, enter: function }[]
---@return { traces: integer, compiled: integer, links: table, rows: table[] }
function M.report(routes)
  local report = { traces = 0, compiled = 0, links = {}, rows = {} }
  count_traces(report)
  if not found then
    return report
  end
  local roots, by_place = {}, {}
  for i, route in ipairs(routes) do
    roots[i] = route.enter
    by_place[route.place] = route.method .. " " .. route.pattern
  end
  local seen = {}
  each_function(roots, function(fn)
    read_code(fn, report, seen)
  end)
  for _, row in ipairs(report.rows) do
    row.route = by_place[row.defined] or ""
    row.library = row.began:sub(1, #LIBRARY - 1) == LIBRARY:sub(2)
  end
  return report
end

-- Adds a function of the program's, and those inside of it, to `places`.
local function add_places(proto, places)
  local info = util.funcinfo(proto)
  local source = tostring(info.source)
  local name = ("%s\t%d"):format(source, info.linedefined or 0)
  if not info.bytecodes or places[name] or source:sub(1, #LIBRARY) == LIBRARY or source:sub(1, 1) == "=" then
    return
  end
  places[name] = true
  places[#places + 1] = name
  for i = -1, -(info.gcconsts or 0), -1 do
    local constant = util.funck(proto, i)
    if type(constant) == "proto" then
      add_places(constant, places)
    end
  end
end

--- The functions of the program that the routes can reach, but for main chunks: source, a tab and the line where it
--- begins, each.
---@param routes { enter: function }[]
---@return string[]
function M.functions(routes)
  local roots, places = {}, {}
  for i, route in ipairs(routes) do
    roots[i] = route.enter
  end
  each_function(roots, function(fn)
    add_places(fn, places)
  end)
  return places
end

return M
