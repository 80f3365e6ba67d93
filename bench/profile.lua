-- Planted faults whose true share the handlers measure themselves: what bench/profile.py holds profiles against. Each
-- fault's line is marked.
local perigee = require "perigee"
local ffi = require "ffi"
ffi.cdef "int system(const char*);"
local app = perigee.app()

local function compiled(n)
  local x = 0
  for i = 1, n do
    x = (x + i * 3) % 1000003 -- LINE compiled
  end
  return x
end

local function interpreted(n)
  local x = 0
  for i = 1, n do
    x = (x + i * 3) % 1000003 -- LINE interpreted
  end
  return x
end
jit.off(interpreted)

local TEXT = ("abc "):rep(20000)
local function native()
  local replaced = TEXT:gsub("[xyz]", "q") -- LINE native
  return #replaced
end

local function garbage(n)
  local kept
  for i = 1, n do
    kept = { i, { i }, tostring(i) } -- LINE garbage
  end
  return #kept
end
jit.off(garbage)

local function block()
  ffi.C.system("sleep 0.08") -- LINE block
  return 0
end

local function wait()
  perigee.sleep(0.02) -- LINE wait
  return 0
end

local function rest(n)
  local x = 0
  for i = 1, n do
    x = (x + i * 7) % 1000003
  end
  return x
end

local WORK = {
  compiled = function() return compiled(2e6) end, interpreted = function() return interpreted(3e5) end, native = native,
  garbage = function() return garbage(2e4) end, block = block, wait = wait,
}

-- Seconds that the planted work and the rest took so far, on this worker's clock of its own CPU time or the wall's.
local clocks = { block = perigee.monotonic, wait = perigee.monotonic }
local truth = {}

app:get("/busy/{name}", function(req)
  local name = req.params.name
  local clock, sum = clocks[name] or os.clock, truth[name] or { planted = 0, rest = 0 }
  truth[name] = sum
  -- At any moment of the request: the kernel's clock ticks when it wakes threads, too.
  local before = math.random(0, 4e5)
  local times = { clock() }
  rest(before)
  times[2] = clock()
  WORK[name]()
  times[3] = clock()
  rest(4e5 - before)
  times[4] = clock()
  sum.planted = sum.planted + times[3] - times[2]
  sum.rest = sum.rest + times[2] - times[1] + times[4] - times[3]
  return "done"
end)

app:get("/truth", function() return truth end)
app:get("/forget", function() truth = {} end)
app:get("/", function() return "Hello, World!" end)

return app
