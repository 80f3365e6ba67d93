-- A request's body, which may still arrive while its handler runs. It is read in one way: whole, in parts, or as a
-- multipart form; whichever comes first holds.

local core = require "perigee.core"
local native = require "perigee.native"
local response = require "perigee.response"
local tasks = require "perigee.tasks"

local bit = require "bit"
local band, bor = bit.band, bit.bor
local ARRIVING, WHOLE, PARTS, FORM = native.BODY_ARRIVING, native.BODY_WHOLE, native.BODY_PARTS, native.BODY_FORM
local fstr = native.string

local M = {}

local TAKEN = {
  [WHOLE] = "the whole body was read already (req.body, req.form, req:json): req:read can't be used any more",
  [PARTS] = "req:read has taken a part of this body: it can't be had whole any more",
  [FORM] = "the body was read as a multipart form: use req.form and req:files()",
}

-- Raises where the body was read in another way than the one allowed; notes how it is read now.
local function claim(task, way, level)
  local request = task.request
  local state = request.body_state
  if band(state, way) ~= 0 then
    return
  end
  for _, other in ipairs { WHOLE, PARTS, FORM } do
    if band(state, other) ~= 0 and not (way == FORM and other == WHOLE) then
      error(TAKEN[other], level or 4)
    end
  end
  request.body_state = bor(state, way)
end

-- Has the running task wait for more of the body. Raises when the request ends meanwhile.
local function wait(task, serial, what, whole)
  local running = tasks.current(what)
  core.await_body(task, whole)
  running.wants_body = 1
  local ok, err = pcall(tasks.suspend, what)
  running.wants_body = 0
  if not ok then
    error(err, 0)
  elseif task.serial ~= serial then
    error("request has ended", 0)
  end
end

-- Waits until the body is whole; the problem that its failure is is raised.
local function await_whole(task, what)
  local serial = task.serial
  while true do
    local whole, _, detail, status = core.take_whole(task)
    if whole then
      return
    elseif whole == nil then
      error(response.problem(status, detail), 0)
    end
    wait(task, serial, what, true)
  end
end

--- Waits until the whole body has come.
function M.await(task)
  local request = task.request
  if request.body_state == 0 then
    request.body_state = WHOLE
  else
    claim(task, WHOLE, 5)
    if band(request.body_state, ARRIVING) ~= 0 then
      await_whole(task, "req.body")
    end
  end
end

--- The whole body, once it has come.
---@return string
function M.whole(task)
  M.await(task)
  local slice = task.request.body
  return fstr(slice.data, slice.size)
end

--- The next bytes of the body: nil at its end; nil and why when the rest does not come.
---@param n integer at most so many
---@return string? bytes, string? err
function M.read(task, n)
  claim(task, PARTS)
  local serial = task.serial
  while true do
    local bytes, word, detail = core.take_part(task, n)
    if bytes then
      return bytes
    elseif bytes == nil then
      return nil, word and word .. ": " .. detail
    end
    local ok, err = pcall(wait, task, serial, "req:read", false)
    if not ok then
      if task.serial == serial and task.cancelled == native.CLIENT_GONE then
        return nil, "closed: the client has gone"
      end
      error(err, 0)
    end
  end
end

return M
