-- Busted's vocabulary: describe and it collect what a file tests, run() has it tested.

local core = require "perigee.core"
local assertions = require "perigee.test.assertions"
local describe = require("perigee.error_text").describe
local match = require "perigee.test.match"
local place = require "perigee.test.place"
local say = require "perigee.test.say"
local spy = require "perigee.test.spy"

local M = {}

local Pending = {} -- raised by pending() inside a test

local function new_block(name, parent)
  return { name = name, parent = parent, children = {}, before_each = {}, after_each = {}, setup = {}, teardown = {} }
end

local function place_of(level)
  local info = debug.getinfo(level + 1, "Sl")
  return ("%s:%d"):format(info.source:gsub("^[@=]", ""), info.currentline)
end

local function full_name(node)
  if node.full_name == nil then
    local above = node.parent and full_name(node.parent) or ""
    node.full_name = above == "" and (node.name or "") or above .. " " .. node.name
  end
  return node.full_name
end

-- What busted 1 had for tests that wait.
local function no_async()
  place.raise("async() and done() are busted 1's: here a test waits where it has to, in perigee.sleep or client:get, "
    .. "and ends when its function returns")
end

local function no_settimeout()
  place.raise("settimeout() is busted 1's: `perigee test --timeout SECONDS` says how long a test may take")
end

-- The words of a file of tests; `state.block` is the describe that runs, `state.finally` what the test wants done.
local function vocabulary(state)
  local words = {}
  local function check(word, kind, name, fn, optional)
    if state.running then
      error(word .. " can't be used inside a test", 3)
    elseif kind and type(name) ~= "string" then
      error(("bad argument #1 to '%s' (a name expected, got %s)"):format(word, type(name)), 3)
    elseif type(fn) ~= "function" and not (optional and fn == nil) then
      error(("bad argument #%d to '%s' (function expected, got %s)"):format(kind and 2 or 1, word, type(fn)), 3)
    end
  end
  function words.describe(name, fn)
    check("describe", true, name, fn)
    local outer = state.block
    state.block = new_block(name, outer)
    outer.children[#outer.children + 1] = state.block
    fn()
    state.block = outer
  end
  function words.it(name, fn)
    check("it", true, name, fn, true)
    local block = state.block
    block.children[#block.children + 1] = { name = name, parent = block, fn = fn, pending = fn == nil,
      place = place_of(2) }
  end
  function words.pending(name, fn)
    if state.running then
      error(setmetatable({ message = type(name) == "string" and name or "" }, Pending), 0)
    end
    check("pending", true, name, fn, true)
    local block = state.block
    block.children[#block.children + 1] = { name = name, parent = block, pending = true, place = place_of(2) }
  end
  for _, word in ipairs { "before_each", "after_each", "setup", "teardown" } do
    words[word] = function(fn)
      check(word, false, nil, fn)
      table.insert(state.block[word], fn)
    end
  end
  function words.finally(fn)
    if not state.running then
      error("finally can only be used inside a test", 2)
    elseif type(fn) ~= "function" then
      error(("bad argument #1 to 'finally' (function expected, got %s)"):format(type(fn)), 2)
    end
    table.insert(state.finally, fn)
  end
  -- Whether the tests of the block run in random order, as they do without it.
  function words.randomize(on)
    state.block.in_order = on == false
  end
  words.context, words.insulate, words.expose = words.describe, words.describe, words.describe
  words.spec, words.test = words.it, words.it
  words.lazy_setup, words.strict_setup = words.setup, words.setup
  words.lazy_teardown, words.strict_teardown = words.teardown, words.teardown
  words.spy, words.stub, words.mock = spy.spy, spy.stub, spy.mock
  words.assert, words.match = assertions.assert, match
  words.async, words.settimeout = no_async, no_settimeout
  return words
end

-- What files written for busted require by name.
local function offer_modules(words)
  local modules = { busted = words, ["busted.runner"] = function() end, luassert = assertions.assert,
    ["luassert.assert"] = assertions.assert, ["luassert.match"] = match, ["luassert.spy"] = spy.spy,
    ["luassert.stub"] = spy.stub, ["luassert.mock"] = spy.mock, say = say }
  for name, value in pairs(modules) do
    package.preload[name] = function() return value end
  end
end

-- Frames that tell the writer of a test nothing: ours, and all that is below the test.
local function trimmed(trace)
  local lines = {}
  for line in trace:gmatch("[^\n]+") do
    if line:find("^\tlua/perigee/test/suite%.lua:") then
      break
    elseif not line:find("^\tlua/perigee/") and not line:find("%[C%]: in function 'xpcall'") then
      lines[#lines + 1] = line
    end
  end
  return table.concat(lines, "\n")
end

local OVER = "cancelled: over the time limit" -- what a wait raises

-- What was raised as a status and a text.
local function told(err, trace)
  local meta = type(err) == "table" and getmetatable(err)
  if meta == assertions.Failure then
    return { status = "failure", message = err.message }
  elseif meta == Pending then
    return { status = "pending", message = err.message }
  end
  local text = describe(err)
  if text:sub(-#OVER) == OVER then
    text = text .. " that a test has (--timeout)"
  end
  return { status = "error", message = trimmed(text .. (trace or debug.traceback("", 2))) }
end

-- Calls a function of the file: the problem, if there was one. What is over its CPU time has been caught here at the
-- latest: the rest has its time anew.
local function problem_of(fn)
  local ok, problem = xpcall(fn, told, no_async)
  local stopped = core.pardon()
  if stopped then
    return { status = "error", message = trimmed(stopped) }
  end
  if ok then
    return nil
  elseif type(problem) == "table" then
    return problem
  end
  return { status = "error", message = describe(problem) } -- there was no memory, or no stack, to tell more
end

-- Runs functions in order; the first that fails ends it, unless all are to run. The failure, if there was one.
local function call_all(functions, all)
  local failure
  for _, fn in ipairs(functions) do
    local problem = problem_of(fn)
    failure = failure or problem
    if problem and not all then
      break
    end
  end
  return failure
end

local function outer_to_inner(block, word)
  local list = block.parent and outer_to_inner(block.parent, word) or {}
  for _, fn in ipairs(block[word]) do
    list[#list + 1] = fn
  end
  return list
end

local function inner_to_outer(block, word)
  local list = {}
  while block do
    for _, fn in ipairs(block[word]) do
      list[#list + 1] = fn
    end
    block = block.parent
  end
  return list
end

-- What went wrong beside a test, in what it stands in for: it says more than what the test saw of it.
local function late_failure(options)
  local problem = options.late_problem and options.late_problem()
  return problem and told(problem.err, problem.trace) or nil
end

local function run_test(test, state, options)
  state.running, state.finally = true, {}
  local failure = call_all(outer_to_inner(test.parent, "before_each"))
  if not failure then
    failure = problem_of(test.fn)
    if failure and options.renew then
      options.renew() -- to clean up has its time anew
    end
  end
  local finally = call_all(state.finally, true)
  local after = call_all(inner_to_outer(test.parent, "after_each"), true)
  local restored = problem_of(spy.restore)
  state.running = false
  return late_failure(options) or failure or finally or after or restored
end

local function shuffle(list, random)
  for i = #list, 2, -1 do
    local j = random(i)
    list[i], list[j] = list[j], list[i]
  end
end

-- Whether a name has one of the tags: "#slow" in it, and no letter behind that.
local function has_tag(name, tags)
  for _, tag in ipairs(tags) do
    local _, last = name:find("#" .. tag, 1, true)
    while last do
      if not name:find("^[%w_\128-\255]", last + 1) then
        return true
      end
      _, last = name:find("#" .. tag, last + 1, true)
    end
  end
  return false
end

local function matches(name, pattern, option)
  local valid, at = pcall(string.find, name, pattern)
  if not valid then
    error(("%s is no Lua pattern: %s"):format(option, at), 0)
  end
  return at ~= nil
end

local function is_chosen(name, options)
  return (not options.filter or matches(name, options.filter, "--filter"))
    and not (options.filter_out and matches(name, options.filter_out, "--filter-out"))
    and (#options.tags == 0 or has_tag(name, options.tags)) and not has_tag(name, options.exclude_tags)
end

-- Marks the tests that are to run, and each block with how many are below it.
local function choose(block, options)
  block.count = 0
  for _, child in ipairs(block.children) do
    if child.children then
      block.count = block.count + choose(child, options)
    else
      child.chosen = is_chosen(full_name(child), options)
      block.count = block.count + (child.chosen and 1 or 0)
    end
  end
  return block.count
end

local function fail_all(block, options, failure)
  for _, child in ipairs(block.children) do
    if child.children then
      fail_all(child, options, failure)
    elseif child.chosen then
      options.begin(full_name(child), child.place)
      options.finish(failure.status, full_name(child), child.place, "in setup: " .. failure.message)
    end
  end
end

local function run_block(block, state, options)
  if block.count == 0 then
    return
  end
  local failure = call_all(block.setup)
  if failure then
    fail_all(block, options, failure)
  else
    if not block.in_order then
      shuffle(block.children, options.random)
    end
    for _, child in ipairs(block.children) do
      if child.children then
        run_block(child, state, options)
      elseif child.chosen then
        local name = full_name(child)
        options.begin(name, child.place)
        local outcome = child.pending and { status = "pending", message = "" } or run_test(child, state, options)
          or { status = "success", message = "" }
        options.finish(outcome.status, name, child.place, outcome.message)
      end
    end
  end
  failure = call_all(block.teardown, true)
  if failure then
    local name = (full_name(block) .. " teardown"):gsub("^ ", "")
    options.begin(name, state.file)
    options.finish("error", name, state.file, failure.message)
  end
end

-- An error of the file outside of its tests.
local function report(options, file, message)
  options.begin("the file as a whole", file)
  options.finish("error", "the file as a whole", file, message)
end

--- Loads a file of tests and runs what it holds. The filters are Lua patterns of names, the tags go without their "#".
---@param file string
---@param options table { filter?, filter_out?, tags, exclude_tags, random, begin(name, place),
--- finish(status, name, place, message), late_problem?(), renew?() }
function M.run(file, options)
  local chunk, err = loadfile(file)
  if not chunk then
    return report(options, file, err)
  end
  local root = new_block(nil, nil)
  local state = { block = root, running = false, finally = {}, file = file }
  local words = vocabulary(state)
  for word, value in pairs(words) do
    _G[word] = value
  end
  offer_modules(words)
  local problem = problem_of(chunk)
  if problem then
    return report(options, file, problem.message)
  end
  local chosen, why = pcall(choose, root, options)
  if not chosen then
    return report(options, file, why)
  end
  run_block(root, state, options)
end

return M
