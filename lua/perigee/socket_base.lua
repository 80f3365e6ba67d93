-- What the sockets of perigee.socket have in common: one operation at a time, each stepped to its end by the task that
-- asked for it.

local checks = require "perigee.socket_checks"
local core = require "perigee.core"
local tasks = require "perigee.tasks"

local M = {}

local CONNECT, SEND, READ = 10, 30, 30 -- seconds, unless settimeouts() says otherwise

--- The number under which profiles know that this peer is waited for.
---@param host string
---@param port integer 0 of a Unix socket
---@return integer
function M.site_of(host, port)
  return core.wait_site("perigee.socket", port > 0 and ("%s:%d"):format(host, port) or host)
end

--- Has one operation at a time use a socket.
---@param method string that it is, for who comes too early
function M.begin(self, method)
  if self.busy then
    error(("'%s': another task is using the socket, in '%s'"):format(method, self.busy), 3)
  end
  self.busy = method
end

--- Steps an operation to its end. A task that is cancelled meanwhile closes what it was waiting for.
---@param step fun(handle: userdata, first: any, second: any): boolean?, any, any, any nil: it has to wait
---@return boolean done, any, any, any
function M.finish(self, step, first, second)
  local handle = self.handle
  while true do
    local done, a, b, c = step(handle, first, second)
    if done ~= nil then
      self.busy = nil
      return done, a, b, c
    end
    local ok, err = pcall(tasks.suspend, "perigee.socket", nil, nil, nil, self.site)
    if not ok then
      self.busy = nil
      self.close_handle(handle)
      error(err, 0)
    end
  end
end

--- Sets all three times that operations may take.
---@param seconds number
function M:settimeout(seconds)
  checks.seconds(seconds, 1, "settimeout")
  self.connect_timeout, self.send_timeout, self.read_timeout = seconds, seconds, seconds
end

--- Sets the times that connecting, sending and receiving may take; nil leaves one as it is.
---@param connect? number seconds
---@param send? number seconds
---@param read? number seconds
function M:settimeouts(connect, send, read)
  self.connect_timeout = connect and checks.seconds(connect, 1, "settimeouts") or self.connect_timeout
  self.send_timeout = send and checks.seconds(send, 2, "settimeouts") or self.send_timeout
  self.read_timeout = read and checks.seconds(read, 3, "settimeouts") or self.read_timeout
end

--- A socket around a handle of the engine's.
---@param class table
---@param handle userdata
---@param close_handle fun(handle: userdata)
---@param unix boolean
---@return table
function M.new(class, handle, close_handle, unix)
  return setmetatable({
    handle = handle, close_handle = close_handle, unix = unix, busy = nil, host = nil,
    connect_timeout = CONNECT, send_timeout = SEND, read_timeout = READ,
  }, class)
end

return M
