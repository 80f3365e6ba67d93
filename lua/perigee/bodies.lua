-- A request's body, which may still arrive while its handler runs. It is read in one way: whole, in parts, or as a
-- multipart form; whichever comes first holds.

local core = require "perigee.core"
local native = require "perigee.native"
local response = require "perigee.response"
local tasks = require "perigee.tasks"

local bit = require "bit"
local band, bor = bit.band, bit.bor
local ARRIVING, WHOLE, PARTS, FORM = native.BODY_ARRIVING, native.BODY_WHOLE, native.BODY_PARTS, native.BODY_FORM
local C, fstr = native.C, native.string

local M = {}

local TAKEN = {
  [WHOLE] = "the whole body was read already (req.body, req.form, req:json): req:read can't be used any more",
  [PARTS] = "req:read has taken a part of this body: it can't be had whole any more",
  [FORM] = "the body was read as a multipart form: use req.form and req:files()",
}

-- Raises `message` with the place in the program that asked, however deep in the library that was found out.
local function raise(message)
  local level = 2
  local info = debug.getinfo(level, "Sl")
  while info and (info.what == "C" or info.source:find("^@lua/perigee/")) do
    level = level + 1
    info = debug.getinfo(level, "Sl")
  end
  error(info and ("%s:%d: %s"):format(info.short_src, info.currentline, message) or message, 0)
end

-- Raises where the body was read in another way than the one allowed; notes how it is read now.
local function claim(task, way)
  local request = task.request
  local state = request.body_state
  if band(state, way) ~= 0 then
    return
  end
  for _, other in ipairs { WHOLE, PARTS, FORM } do
    if band(state, other) ~= 0 and not (way == FORM and other == WHOLE) then
      raise(TAKEN[other])
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

--- Whether the request has a body, be it still on its way.
function M.present(task)
  local request = task.request
  return request.body.size > 0 or band(request.body_state, ARRIVING) ~= 0
end

--- Waits until the whole body has come.
function M.await(task)
  local request = task.request
  if request.body_state == 0 then
    request.body_state = WHOLE
  else
    claim(task, WHOLE)
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

-- Forms ------------------------------------------------------------------------------------------------------------

local URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"

-- A form is read where the client says that it sent one: which kind, and the whole Content-Type.
local function kind_of(task)
  local slice = C.perigee_header(task, "content-type", 12)
  if slice == nil then
    return nil
  end
  local value = fstr(slice.data, slice.size)
  return value:lower():match("^%s*([^;%s]*)"), value
end

-- Waits until a multipart form has come, its parts in memory and on disk.
local function await_parts(task, content_type)
  claim(task, FORM)
  core.begin_form(task, content_type)
  await_whole(task, "req.form")
end

--- The first value of every field of a form, of either kind; an empty table where the body is none.
---@return table<string, string>
function M.form(task)
  local kind, content_type = kind_of(task)
  if kind == URLENCODED then
    M.await(task)
    return core.urlencoded(task)
      or error(response.problem(400, "more fields than this server takes (limits.form_fields)"), 0)
  elseif kind == MULTIPART then
    await_parts(task, content_type)
    return core.form_parts(task)
  end
  return {}
end

--- Every value of a form's field.
---@return string[]
function M.form_all(task, name)
  local kind, content_type = kind_of(task)
  if kind == URLENCODED then
    M.await(task)
    return core.urlencoded_values(task, name)
  elseif kind == MULTIPART then
    await_parts(task, content_type)
    return core.form_part_values(task, name)
  end
  return {}
end

-- Files ------------------------------------------------------------------------------------------------------------

-- Slot 1 of a file holds the task's view, slot 2 the serial it had, slot 3 which part of the form the file is.
---@class perigee.File
local File = {}
File.__index = File

local function view_of(file)
  local task = file[1]
  if task.serial ~= file[2] then
    error("request has ended", 3)
  end
  return task
end

--- The next bytes of the file, or all that are left; nil at its end.
---@param n? integer at most so many
---@return string? bytes, string? err
function File:read(n)
  if n ~= nil and not (type(n) == "number" and n >= 1) then
    error("bad argument #1 to 'read' (a number of bytes, 1 or more, expected)", 2)
  end
  return core.file_read(view_of(self), self[3], n)
end

--- Keeps the file beyond its request, as `path`. What is there already stays, unless `options.overwrite` is true.
---@param path string relative to the working directory
---@param options? { overwrite?: boolean }
---@return true? moved, string? err
function File:move(path, options)
  if type(path) ~= "string" or path == "" or path:find("\0", 1, true) then
    error("bad argument #1 to 'move' (a path expected)", 2)
  end
  return core.file_move(view_of(self), self[3], path, options ~= nil and options.overwrite == true)
end

function File:__tostring()
  return ("perigee.File (%s)"):format(self.filename)
end

--- The files of a multipart form; an empty list where the body is none.
---@return perigee.File[]
function M.files(task)
  local kind, content_type = kind_of(task)
  if kind ~= MULTIPART then
    return {}
  end
  await_parts(task, content_type)
  local serial = task.serial
  local files = core.form_files(task)
  for _, file in ipairs(files) do
    file[1], file[2] = task, serial
    setmetatable(file, File)
  end
  return files
end

core.form = M.form

return M
