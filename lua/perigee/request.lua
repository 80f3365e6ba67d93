-- `req`: a fresh table a request in front of the engine's record of it. What is read stays in the table; what was not
-- read before the request ended can't be read any more.

local bodies = require "perigee.bodies"
local core = require "perigee.core"
local ffi = require "ffi"
local native = require "perigee.native"
local nearest = require "perigee.nearest"
local response = require "perigee.response"
local spawned = require "perigee.spawned"
local tasks = require "perigee.tasks"
local session = require "perigee.session"

local C, fstr = native.C, native.string

---@class perigee.Request
local methods = {}
local M = {
  routes = {},
  live = setmetatable({}, { __mode = "v" }), -- serial -> req, where hooks may ask for it again
}

-- A request's array part: slot 1 holds the task's view, slot 2 the serial the view had when this request began, the
-- others what was read of the fields that handlers use most (params, query, cookies, headers, body, ctx); false until
-- then. Slot 9 holds what the route's handler is known to use, slot 10 the other fields by their names.

-- What lua/perigee/routes.lua writes into the constructor for slots 3 and up.
M.slots = "%s, query, cookies, false, false, false, uses, false"

local function view_of(req)
  local task = req[1]
  if not task then
    error("a request's methods are called with a colon: req:header(name)", 3)
  elseif task.serial ~= req[2] then
    error("request has ended", 3)
  end
  return task
end

local function text(slice)
  return fstr(slice.data, slice.size)
end

local getters = {}

local address = ffi.new("char[64]")

function getters.remote_addr(task)
  local size = C.perigee_remote_address(task, address, 64)
  if size < 0 then
    return core.remote_address(task)
  end
  local value = fstr(address, size)
  return value
end

local function too_many()
  error(response.problem(400, "more fields than this server takes (limits.form_fields)"), 0)
end

function getters.method(task) return text(task.request.method_text) end
function getters.path(task) return text(task.request.path) end
function getters.target(task) return text(task.request.target) end
function getters.host(task) return text(task.request.host) end
function getters.body(task) return bodies.whole(task) end
function getters.version(task) return task.request.minor_version == 1 and "1.1" or "1.0" end
function getters.scheme(task) return C.perigee_is_https(task) ~= 0 and "https" or "http" end
function getters.id(task) return core.request_id(task) end
function getters.headers(task) return core.headers(task) end
function getters.session(task) return session.of(task) end

-- A table of the few pairs that most queries and cookies have, without a loop, so that it becomes part of the route's
-- trace. The last pair comes first: of equal names the first counts.
local function table_of(p, count)
  if count < 0 then
    return false
  elseif count == 0 then
    return {}
  elseif count == 1 then
    return { [text(p[0].name)] = text(p[0].value) }
  elseif count == 2 then
    return { [text(p[1].name)] = text(p[1].value), [text(p[0].name)] = text(p[0].value) }
  elseif count == 3 then
    return { [text(p[2].name)] = text(p[2].value), [text(p[1].name)] = text(p[1].value),
      [text(p[0].name)] = text(p[0].value) }
  end
  return { [text(p[3].name)] = text(p[3].value), [text(p[2].name)] = text(p[2].value),
    [text(p[1].name)] = text(p[1].value), [text(p[0].name)] = text(p[0].value) }
end

-- For routes whose handler has read them before: read before the request is made, they need not be stored in it later.
function M.early_query(task)
  return table_of(task.request.pairs, C.perigee_query(task))
end

function M.early_cookies(task)
  return table_of(task.request.pairs, C.perigee_cookies(task))
end

function M.query(task)
  return M.early_query(task) or core.query(task) or too_many()
end

getters.query = M.query

function getters.cookies(task)
  return M.early_cookies(task) or core.cookies(task)
end

function getters.route(task)
  local route = M.routes[task.request.route + 1]
  return route and route.pattern
end

function getters.form(task)
  return bodies.form(task)
end

--- The value of the first header field of that name, in any case; nil without one.
---@param name string
---@return string?
function methods.header(req, name)
  local slice = C.perigee_header(view_of(req), name, #name)
  if slice == nil then
    return nil
  end
  local value = fstr(slice.data, slice.size)
  return value
end

--- Every value of a query parameter, in order.
---@param name string
---@return string[]
function methods.query_all(req, name)
  return setmetatable(core.query_all(view_of(req), name), core.array_mark)
end

--- Every value of a form's field, in order; files are none.
---@param name string
---@return string[]
function methods.form_all(req, name)
  return setmetatable(bodies.form_all(view_of(req), name), core.array_mark)
end

--- The files of a multipart form, in their order.
---@return perigee.File[]
function methods.files(req)
  return setmetatable(bodies.files(view_of(req)), core.array_mark)
end

--- The body as it came.
---@return string
function methods.raw(req)
  local kept = req[10]
  if kept and kept.raw then
    return kept.raw
  elseif req[1].serial ~= req[2] and type(req[7]) == "string" then
    return req[7]
  end
  local raw = bodies.whole(view_of(req))
  M.keep(req, "raw", raw)
  return raw
end

--- The next bytes of a body that nobody has read otherwise, as soon as some are there, also while it still arrives;
--- nil at its end, nil and why when the rest does not come.
---@param n? integer at most so many; default 64 KiB
---@return string? bytes, string? err
function methods.read(req, n)
  if n ~= nil and not (type(n) == "number" and n >= 1) then
    error("bad argument #1 to 'read' (a number of bytes, 1 or more, expected)", 2)
  end
  return bodies.read(view_of(req), n or 65536)
end

--- The body decoded as JSON; nil and why when it is none.
---@return any value, string? err
function methods.json(req)
  return core.decode(methods.raw(req))
end

local COOKIE_OPTIONS = { path = true, domain = true, max_age = true, http_only = true, secure = true, same_site = true }

-- A misspelt option would leave a cookie less guarded than its writer thinks.
local function check_cookie(options)
  for key in pairs(options) do
    if not COOKIE_OPTIONS[key] then
      error(("a cookie has no option '%s'%s"):format(tostring(key), nearest.hint(key, COOKIE_OPTIONS)), 3)
    end
  end
end

--- Sets a cookie on whatever answer is sent.
---@param name string
---@param value string
---@param options? table path, domain, max_age (seconds), http_only, secure, same_site ("strict", "lax" or "none")
function methods.set_cookie(req, name, value, options)
  if type(options) == "table" then
    check_cookie(options)
  end
  core.set_cookie(view_of(req), name, value, options)
end

--- Deletes a cookie; give the path and domain that it was set with.
---@param name string
---@param options? {path?: string, domain?: string, secure?: boolean}
function methods.delete_cookie(req, name, options)
  local task = view_of(req)
  check_cookie(options or {})
  local all = { max_age = 0 }
  for key, value in pairs(options or {}) do
    if key ~= "max_age" then
      all[key] = value
    end
  end
  core.set_cookie(task, name, "", all)
end

--- Runs `fn(...)` as a task of its own that is cancelled when the request ends.
---@param fn function
---@param ... any
---@return perigee.Task
function methods.spawn(req, fn, ...)
  tasks.check_function(fn, "spawn")
  return spawned.spawn_within(view_of(req), fn, ...)
end

local Request = {}
M.Request, M.methods, M.getters = Request, methods, getters

local read_query, read_cookies, read_headers, read_body =
  getters.query, getters.cookies, getters.headers, getters.body

--- Keeps a field's value, also nil or false, as what was read of the request (slot 10).
function M.keep(req, name, value)
  local kept = req[10]
  if not kept then
    kept = {}
    req[10] = kept
  end
  kept[name] = value
  kept["has " .. name] = true
end

local function is_kept(req, name)
  return req[10] and req[10]["has " .. name]
end

local function read_other(req, key)
  local getter = getters[key]
  if not getter then
    return methods[key]
  end
  local kept = req[10]
  if not kept then
    kept = {}
    req[10] = kept
  end
  local value = kept[key]
  if value == nil then
    value = getter(view_of(req))
    kept[key] = value
  end
  return value
end

-- A chain of comparisons and constant slots: in a trace the key is known, so the comparisons vanish, and the whole
-- request with its parameters never has to be made (allocation sinking).
function Request.__index(req, key)
  if key == "params" then
    local kept = req[3]
    if not kept then
      kept = {}
      req[3] = kept
    end
    return kept
  elseif key == "query" then
    local kept = req[4]
    if not kept then
      kept = read_query(view_of(req))
      req[4] = kept
      req[9].query = true
    end
    return kept
  elseif key == "cookies" then
    local kept = req[5]
    if not kept then
      kept = read_cookies(view_of(req))
      req[5] = kept
      req[9].cookies = true
    end
    return kept
  elseif key == "headers" then
    local kept = req[6]
    if not kept then
      kept = read_headers(view_of(req))
      req[6] = kept
    end
    return kept
  elseif key == "body" then
    local kept = req[7]
    if not kept then
      if is_kept(req, "body") then
        return req[10].body
      end
      kept = read_body(view_of(req))
      req[7] = kept
    end
    return kept
  elseif key == "ctx" then
    local kept = req[8]
    if not kept then
      kept = {}
      req[8] = kept
    end
    return kept
  end
  return read_other(req, key)
end

function Request.__newindex(req, key, value)
  if key ~= "ctx" then
    error("req." .. tostring(key) .. " can't be assigned: put it into req.ctx", 2)
  end
  req[8] = value or false
end

function Request.__tostring()
  return "perigee.Request"
end

--- A `req` for a task, where no route made one.
function M.new(task)
  return setmetatable({ task, task.serial, false, false, false, false, false, false, {}, false }, Request)
end

return M
