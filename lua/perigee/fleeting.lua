-- What stands for `req.params`, `req.query`, `req.cookies` and `req.session` where a handler's bytecode proves that it
-- reads them only as `req.query.name`, so that nobody can hold or look into the table itself: one constant
-- object a VM whose fields are read straight from the running request. A handler runs in its own request's task and
-- nowhere else.

local ffi = require "ffi"
local native = require "perigee.native"
local request = require "perigee.request"
local session = require "perigee.session"

local C, fstr, vm = native.C, native.string, native.vm
local NULL = ffi.cast("void*", 0)

local M = {}

-- An object with the fields that `read(name)` gives.
local function object(read)
  return setmetatable({}, { __index = read })
end

M.query = object(function(_, name)
  local task = vm.current
  local slice = C.perigee_query_value(task, name, #name)
  if slice == NULL then
    return nil
  end
  if slice.data == NULL then -- so long that its fields have to be counted
    return request.query(task)[name]
  end
  local value = fstr(slice.data, slice.size)
  return value
end)

M.cookies = object(function(_, name)
  local slice = C.perigee_cookie(vm.current, name, #name)
  if slice == NULL then
    return nil
  end
  local value = fstr(slice.data, slice.size)
  return value
end)

M.session = object(function(_, name)
  local value = session.peek(name)
  return value
end)

--- An object for a route's parameters.
---@param read function of the object and a parameter's name
function M.params(read)
  return object(read)
end

--- The metatable of a request that hands out these objects; where one is false the request makes its own table.
function M.request(params, query, cookies, session_object)
  local index = request.Request.__index
  return {
    __newindex = request.Request.__newindex,
    __tostring = request.Request.__tostring,
    __index = function(req, key)
      if key == "params" and params then
        return params
      elseif key == "query" and query then
        return query
      elseif key == "cookies" and cookies then
        return cookies
      elseif key == "session" and session_object then
        return session_object
      end
      local value = index(req, key)
      return value
    end,
  }
end

return M
