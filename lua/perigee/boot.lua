-- What every VM does before anything else runs in it: the JIT's room, the collector's pace, and globals of our own
-- where the stock ones would block a worker, break a wait or load what is not text.

require("jit").opt.start("maxtrace=8000", "maxrecord=16000", "maxmcode=16384", "maxside=1000", "sizemcode=128",
  "hotloop=5", "hotexit=2")
collectgarbage("setpause", 300)
collectgarbage("setstepmul", 400)

local core = require "perigee.core"
local native = require "perigee.native"

core.keep("view_of_task", native.view_of_task)

require "perigee.finalizers"
require "perigee.coroutines"
require "perigee.modules"
require "perigee.twin"

local function text_of(...)
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = tostring((select(i, ...)))
  end
  return table.concat(parts, "\t")
end

function print(...)
  core.log("info", text_of(...))
end

function os.exit() -- luacheck: ignore 122
  error("os.exit would end every worker: stop the server by a signal", 2)
end

-- The beta versions of LuaJIT 2.1, Debian 12's among them, may end the process where somebody listens to this and an
-- attempt to compile is given up (docs/jit.md). jit.v and jit.dump do.
if jit.version:find("beta", 1, true) then
  local attach = jit.attach
  jit.attach = function(listener, event) -- luacheck: ignore 122
    if event == "trace" then
      error("this LuaJIT can crash while somebody listens to what it compiles, as jit.v and jit.dump do: "
        .. "/jit on the admin port tells what was compiled", 2)
    end
    return attach(listener, event)
  end
end

-- Bytecode can crash a VM: Lua is loaded as text only.
local raw_load, raw_loadfile = load, loadfile

-- What a function gives piece by piece. The stock load would call it from C, where nothing can wait, and would hand its
-- errors to the handler of whatever xpcall is around it.
local function pieces_of(reader)
  local pieces = {}
  while true do
    local piece = reader()
    if piece == nil or piece == "" then
      return table.concat(pieces)
    elseif type(piece) ~= "string" then
      error("reader function must return a string", 0)
    end
    pieces[#pieces + 1] = piece
  end
end

function load(source, name, _, ...)
  if type(source) == "function" then
    local ok, text = pcall(pieces_of, source)
    if not ok then
      return nil, text
    end
    source, name = text, name or "=(load)"
  end
  return raw_load(source, name, "t", ...)
end

function loadstring(source, name)
  return raw_load(source, name or source, "t")
end

function loadfile(path, _, ...)
  return raw_loadfile(path, "t", ...)
end

function dofile(path)
  return assert(raw_loadfile(path, "t"))()
end
