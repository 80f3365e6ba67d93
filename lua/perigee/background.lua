-- What a background VM does: the jobs of perigee.run, one at a time. It is loaded in an app's place.

local app = require "perigee.app"
local core = require "perigee.core"
local error_text = require "perigee.error_text"
local run = require "perigee.run"

local M = { app = app.new() }

local function function_of(members, module, name)
  if type(members) ~= "table" then
    error(("the module '%s' returns no table of functions, but a %s"):format(module, type(members)), 0)
  elseif type(members[name]) ~= "function" then
    local kind = members[name] == nil and "no" or "a " .. type(members[name]) .. " as"
    error(("the module '%s' has %s function '%s'"):format(module, kind, name), 0)
  end
  return members[name]
end

-- Traceback lines of ours tell the reader nothing.
local function without_frames(trace)
  trace = trace:gsub("\n\t%[C%]: in function 'xpcall'\n\tlua/perigee/background.lua:.*$", "")
  return (trace:gsub("\nstack traceback:$", ""))
end

local function failed(err)
  return "e" .. without_frames(error_text.describe(err))
end

-- What came of a job, as one string: v and the values returned, t and where its time was over, e and the error.
local function outcome(ok, ...)
  local stopped = core.pardon()
  if stopped then
    return "t" .. without_frames(stopped)
  elseif not ok then
    return failed((...))
  end
  local bytes, err = run.pack("result", ...)
  return bytes and "v" .. bytes or "eit returned what can't be passed on: " .. err
end

local function perform(job)
  local module, name, arguments = core.job_given(job)
  local loaded, members = xpcall(require, error_text.traceback, module)
  if not loaded then
    return outcome(false, members)
  end
  local found, fn = pcall(function_of, members, module, name)
  if not found then
    return outcome(false, fn)
  end
  return outcome(xpcall(fn, error_text.traceback, run.unpack(arguments)))
end

--- Runs a job: entries.job.
---@param job userdata
function M.job(job)
  core.job_done(job, perform(job))
end

return M
