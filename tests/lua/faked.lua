-- Requests and answers for specs of middleware: what a middleware reads of a request, and an `inner` that counts.

local result = require "perigee.result"
local spec = require "spec"

local M = {}

--- A request with these fields. Headers are found in any case.
function M.request(fields)
  local headers = {}
  for name, value in pairs(fields.headers or {}) do
    headers[name:lower()] = value
  end
  local req = { spec.req[1], method = "GET", scheme = "http", host = "example.com", path = "/",
    remote_addr = "192.0.2.7", cookies = {}, form = {}, ctx = {}, set = {} }
  for key, value in pairs(fields) do
    req[key] = value
  end
  req.headers = headers
  function req:header(name) -- luacheck: ignore 212
    return headers[name:lower()]
  end
  function req:set_cookie(name, value, options)
    self.set[name], self.options = value, options
  end
  return req
end

--- What a middleware answers: status, body, headers in lower case, whether inner was called.
---@param answer? table what the handler returns: { status, body, headers }
function M.answer(middleware, req, answer)
  local called = false
  local function inner()
    called = true
    return (assert(result.of_returned(spec.req, 200, unpack(answer or { "handler" }, 1, 3))))
  end
  local first, second, third = middleware(req, inner)
  local res = first
  if not result.is_result(first) then
    res = assert(result.of_returned(spec.req, 200, first, second, third))
  end
  return { status = res.status, body = res.body, headers = res.headers, called = called }
end

return M
