-- req.session and perigee.sessions: what a client's session holds (engine/state/session_store.h). A request sees its
-- session as it was when it first looked; what it changes is collected here and written whole before its answer goes
-- out: M.save, which the engine calls where a task's `session` says so.

local core = require "perigee.core"
local digits = require "perigee.digits"
local ffi = require "ffi"
local native = require "perigee.native"
local tasks = require "perigee.tasks"

local C, fstr, vm = native.C, native.string, native.vm

local NONE, STRING, NUMBER, TRUE, TABLE = 0, 1, 2, 4, 5 -- ValueKind
local SITE = core.wait_site("session", "")
local GONE = core.null -- in place of a value: the key is to go
local LONGEST_KEY, LONGEST_USER = 255, 255 -- bytes
local KEPT = { string = true, number = true, boolean = true, table = true }

local M = {
  --- What the app wants done with a session that is being made: function of the session and the task's view.
  made = nil,
}

local STATE = {} -- the key of its state in a session as programs see it

---@class perigee.SessionState
---@field view table the task's view
---@field serial number of the request
---@field changes table<string, any> what was written
---@field handed table<string, table> tables that were read, which may have been changed since
---@field fresh boolean it was destroyed, and is empty
---@field rotate boolean
---@field ended boolean it is to be destroyed
---@field object perigee.Session

local states = {} -- where a task is -> the state of its request's session, or of one before

---@class perigee.Session
local methods = {}
local Session = {}

local function check(session, level)
  local state = type(session) == "table" and rawget(session, STATE)
  if not state then
    error("a session's methods are called with a colon: req.session:id()", (level or 1) + 2)
  elseif state.view.serial ~= state.serial then
    error("request has ended, and its session can't be used any more", (level or 1) + 2)
  end
  return state
end

local function mark(state)
  state.view.session = 1
end

-- What the session held when it was first looked at.
local function read(view, key)
  local kind = C.perigee_session_read(view, key, #key)
  if kind == STRING then
    local value = fstr(view.request.found.data, view.request.found.size)
    return value
  elseif kind == NUMBER then
    return view.request.number
  elseif kind == NONE then
    return nil
  elseif kind == TABLE then
    return core.shared_unpack(fstr(view.request.found.data, view.request.found.size))
  end
  return kind == TRUE
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b or a ~= a and b ~= b
  elseif getmetatable(a) ~= getmetatable(b) then
    return false
  end
  for key, value in pairs(a) do
    if not same(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

-- A table that was read and is another now counts as written. One that holds itself is left to what packs it.
local function note_changed_tables(state)
  for key, value in pairs(state.handed) do
    local ok, unchanged = pcall(same, value, read(state.view, key))
    if not (ok and unchanged) then
      state.changes[key] = value
    end
  end
end

-- Waits until what was written is safe; returns why it is not. A task that was told to stop waits for nothing.
local function wait(view, outcome)
  while outcome == "waiting" and view.cancelled == 0 do
    local err = core.session_told()
    if err then
      return err ~= "" and err or nil
    end
    core.wait(SITE)
  end
end

local function fail(view, err)
  core.session_forget(view)
  error("the session can't be written: " .. err, 0)
end

local function end_session(view)
  if C.perigee_session_exists(view) == 0 then
    return
  end
  local err = wait(view, (core.session_destroy(view)))
  if err then
    fail(view, err)
  end
  if C.perigee_session_late(view) == 0 then
    core.session_cookie(view, nil)
  end
end

local function holds_something(changes)
  for _, value in pairs(changes) do
    if value ~= GONE then
      return true
    end
  end
  return false
end

local function write(view, changes, rotate)
  local outcome, token = core.session_save(view, changes, rotate)
  if outcome == "too large" then
    error("the session can't be written: it would be larger than session.size allows", 0)
  end
  local err = wait(view, outcome)
  if err then
    fail(view, err)
  elseif token and outcome ~= "gone" then
    core.session_cookie(view, token)
  end
end

-- Where the client has gone nobody would have the cookie of a session that is made now.
local function store(state)
  local view = state.view
  note_changed_tables(state)
  local changes, rotate, ended = state.changes, state.rotate, state.ended
  state.changes, state.handed, state.rotate, state.ended, state.fresh = {}, {}, false, false, false
  if ended then
    end_session(view)
  end
  if C.perigee_session_exists(view) == 0 then
    if view.cancelled == native.CLIENT_GONE or not holds_something(changes) then
      return
    end
    if M.made then
      state.changes = changes -- for what the hooks write
      M.made(state.object, view)
      note_changed_tables(state)
      changes, rotate = state.changes, false
      state.changes, state.handed, state.rotate = {}, {}, false
    end
  end
  if rotate or next(changes) ~= nil then
    write(view, changes, rotate)
  end
end

--- entries.save: writes what the request changed in its session. What else it is given it returns.
function M.save(view, ...)
  local state = states[tonumber(ffi.cast("uintptr_t", view.owner))]
  view.session = 0
  if state and state.serial == view.serial then
    store(state)
    view.session = 0
  end
  return ...
end

-- After the head no cookie can go out any more; what is written to a session that is there is written at once.
local function check_late(state)
  local late = C.perigee_session_late(state.view) ~= 0
  if late and (state.fresh or C.perigee_session_exists(state.view) == 0) then
    error("a session can't begin once the head of the answer is sent: write to req.session before", 3)
  end
  return late
end

local function settle(state, late)
  mark(state)
  if late then
    M.save(state.view)
  end
end

--- The id of the session: no secret, and the same for as long as it lives; nil where there is none yet.
---@return string?
function methods.id(session)
  local state = check(session)
  if state.fresh then
    return nil
  end
  return (core.session_id(state.view))
end

--- Makes the session the user's: its key `user` says so, and the client gets another token.
---@param user string|number
function methods.login(session, user)
  local state = check(session)
  local fits = type(user) == "string" and user ~= "" and #user <= LONGEST_USER
  if not fits and (type(user) ~= "number" or user ~= user) then
    error("bad argument #1 to 'login' (a user is a string of 1 to " .. LONGEST_USER .. " bytes, or a number)", 2)
  elseif C.perigee_session_late(state.view) ~= 0 then
    error("login comes before the head of the answer is sent", 2)
  end
  session.user = user
  state.rotate = true
end

--- Gives the client another token; the one before is worth nothing from then on.
function methods.rotate(session)
  local state = check(session)
  if C.perigee_session_late(state.view) ~= 0 then
    error("rotate comes before the head of the answer is sent", 2)
  end
  if not state.fresh and C.perigee_session_exists(state.view) ~= 0 then
    state.rotate = true
    mark(state)
  end
end

--- Ends the session, with the streams that belong to it. What is written after it makes another.
function methods.destroy(session)
  local state = check(session)
  state.changes, state.handed, state.rotate = {}, {}, false
  state.fresh, state.ended = true, true
  settle(state, C.perigee_session_late(state.view) ~= 0)
end

--- The session is used, as by reading it: its idle timeout begins anew.
function methods.touch(session)
  C.perigee_session_touch(check(session).view)
end

--- A copy of all keys and values, this request's changes included.
---@return table<string, any>
function methods.all(session)
  local state = check(session)
  local all = state.fresh and {} or core.session_all(state.view)
  for key, value in pairs(state.handed) do
    all[key] = core.shared_unpack(assert(core.shared_pack(value)))
  end
  for key, value in pairs(state.changes) do
    if value == GONE then
      all[key] = nil
    elseif type(value) == "table" then
      all[key] = core.shared_unpack(assert(core.shared_pack(value)))
    else
      all[key] = value
    end
  end
  return all
end

function Session.__index(session, key)
  local method = methods[key]
  if method then
    return method
  end
  local state = check(session)
  local value = state.changes[key]
  if value == GONE then
    return nil
  elseif value ~= nil then
    return value
  elseif state.fresh or type(key) ~= "string" then
    return nil
  end
  value = state.handed[key]
  if value == nil then
    value = read(state.view, key)
    if type(value) == "table" then
      state.handed[key] = value
      mark(state)
    end
  end
  return value
end

function Session.__newindex(session, key, value)
  local state = check(session)
  if methods[key] then
    error(("req.session.%s is a method, and can't be a key"):format(key), 2)
  elseif type(key) ~= "string" or key == "" or #key > LONGEST_KEY then
    error(("a session's key is a string of 1 to %d bytes"):format(LONGEST_KEY), 2)
  elseif value ~= nil and not KEPT[type(value)] then
    local kind = value == core.null and "perigee.null" or type(value)
    error(("req.session.%s: a session keeps strings, numbers, booleans and tables, not %s"):format(key, kind), 2)
  end
  local late = check_late(state)
  state.handed[key] = nil
  if value == nil then
    value = GONE
  end
  state.changes[key] = value
  settle(state, late)
end

function Session.__tostring()
  return "perigee.Session"
end

--- The session of a request.
---@param view table the view of its task
---@return perigee.Session
function M.of(view)
  local place, serial = tonumber(ffi.cast("uintptr_t", view.owner)), view.serial
  local state = states[place]
  if not state or state.serial ~= serial then
    state = { view = view, serial = serial, changes = {}, handed = {}, fresh = false, rotate = false, ended = false }
    state.object = setmetatable({ [STATE] = state }, Session)
    states[place] = state
  end
  return state.object
end

--- The value of a key of the running request's session, where nobody can hold the session itself.
---@param name string
function M.peek(name)
  local view = vm.current
  if view.session == 0 then
    local kind = C.perigee_session_read(view, name, #name)
    if kind == STRING then
      local value = fstr(view.request.found.data, view.request.found.size)
      return value
    elseif kind == NUMBER then
      return view.request.number
    end
  end
  return M.of(view)[name]
end

---@class perigee.sessions
local sessions = {}
M.sessions = sessions

local function user_text(user, name)
  if vm.current == nil then
    error("sessions can't be used at the top level of a file: put it in app:start", 3)
  elseif type(user) == "number" then
    return digits(user)
  elseif type(user) ~= "string" then
    error(("bad argument #1 to '%s' (a user is a string or a number, got %s)"):format(name, type(user)), 3)
  end
  return user
end

--- The sessions of a user: those whose key `user` says so.
---@param user string|number
---@return { id: string, created: number, used: number, values: table<string, any> }[]
function sessions.of(user)
  return setmetatable(core.sessions_of(user_text(user, "of")), core.array_mark)
end

--- Ends the sessions of a user, or the one with that id, and the streams that belong to them.
---@param user string|number
---@param id? string
---@return integer count
function sessions.destroy(user, id)
  user = user_text(user, "destroy")
  if id ~= nil and type(id) ~= "string" then
    error("bad argument #2 to 'destroy' (a session's id is a string, got " .. type(id) .. ")", 2)
  end
  local count, outcome = core.sessions_destroy(user, id)
  while outcome == "waiting" do
    local err = core.session_told()
    if err and err ~= "" then
      error("the sessions' end can't be written: " .. err, 2)
    elseif err then
      break
    end
    tasks.suspend("sessions.destroy")
  end
  return count
end

M.methods = methods

return M
