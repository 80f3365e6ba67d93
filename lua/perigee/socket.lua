-- perigee.socket: TCP, Unix and UDP sockets whose operations suspend the task, never the worker. Times are in seconds.

local base = require "perigee.socket_base"
local checks = require "perigee.socket_checks"
local core = require "perigee.core"
local Datagram = require "perigee.datagram"
local tasks = require "perigee.tasks"

local M = {}

local bad, begin, finish = checks.bad, base.begin, base.finish

---@class perigee.Socket
local Socket = {}
Socket.__index = Socket

local function connected(self)
  return (core.socket_state(self.handle))
end

-- No connection came about: the error desk counts it by whom it was for.
local function fail(self, err)
  core.note_failure(self.peer or "", err)
  return nil, err
end

--- Connects, or takes a connection out of the pool.
---@param host string a name, an IP address or "unix:PATH"
---@param port? integer
---@param options? table
---@return true|nil, string?
function Socket:connect(host, port, options)
  if self.unix or type(host) == "string" and host:find("^unix:") then
    host, port, options = checks.path(host, "connect"), 0, port
  else
    host = checks.host(host, "connect")
    checks.port(port, "connect")
  end
  options = options or {}
  if type(options) ~= "table" then
    bad(port == 0 and 2 or 3, "connect", "a table of options expected", 3)
  end
  for name in pairs(options) do
    if name ~= "pool" and name ~= "tls" then
      error(("'connect': there is no option '%s'"):format(tostring(name)), 2)
    end
  end
  if options.pool ~= nil and (type(options.pool) ~= "string" or options.pool == "") then
    error("'connect': the option 'pool' is a string", 2)
  end
  local tls = options.tls and checks.tls(options.tls, not host:find("^unix:") and host or "", "connect") or nil
  begin(self, "connect")
  self.host, self.peer = host, port == 0 and host or host .. ":" .. port
  self.site = base.site_of(host, port)
  core.socket_begin_connect(self.handle, host, port, options.pool or "", self.connect_timeout, tls)
  local done, err = finish(self, core.socket_connect)
  if not done then
    return fail(self, err)
  end
  local _, _, secure = core.socket_state(self.handle)
  if tls and not secure then
    return self:sslhandshake(tls)
  end
  return true
end

--- Puts the connection under TLS.
---@param options? table|true
---@return true|nil, string? the error, or the protocol that ALPN chose
function Socket:sslhandshake(options)
  local tls = checks.tls(options == nil or options, self.host or "", "sslhandshake")
  local open, _, secure = core.socket_state(self.handle)
  if not open then
    return nil, "closed"
  elseif secure then
    error("'sslhandshake': the connection is under TLS already", 2)
  end
  begin(self, "sslhandshake")
  core.socket_begin_handshake(self.handle, self.connect_timeout, tls)
  local done, protocol = finish(self, core.socket_handshake)
  if not done then
    return fail(self, protocol)
  end
  return true, protocol ~= "" and protocol or nil
end

--- Sends all of it.
---@param data string|number|table lists may hold lists
---@return integer|nil, string? the bytes sent
function Socket:send(data)
  if not connected(self) then
    return nil, "closed"
  end
  begin(self, "send")
  local ok, size = pcall(core.socket_begin_send, self.handle, self.send_timeout, data)
  if not ok then
    self.busy = nil
    error(size, 2)
  end
  local done, err = finish(self, core.socket_send)
  if not done then
    return nil, err
  end
  return size
end

local function received(done, data, partial)
  if done then
    return data
  end
  return nil, data, partial
end

local function receive(self, method, step, first, second)
  if not connected(self) then
    return false, "closed", ""
  end
  begin(self, method)
  core.socket_begin_receive(self.handle, self.read_timeout)
  return finish(self, step, first, second)
end

--- Receives a line ("*l", the default) without its end, everything until the peer ends ("*a"), or so many bytes.
---@param what? string|integer
---@return string|nil, string?, string? what had come
function Socket:receive(what)
  if what == nil or what == "*l" or what == "l" then
    return received(receive(self, "receive", core.socket_receive_line))
  elseif what == "*a" or what == "a" then
    return received(receive(self, "receive", core.socket_receive_all))
  elseif type(what) ~= "number" or what < 0 or what ~= math.floor(what) then
    error("bad argument #1 to 'receive' (\"*l\", \"*a\" or a number of bytes expected)", 2)
  end
  return received(receive(self, "receive", core.socket_receive_exactly, what))
end

--- Receives whatever comes next.
---@param most integer bytes
---@return string|nil, string?
function Socket:receiveany(most)
  if type(most) ~= "number" or not (most >= 1) then
    error("bad argument #1 to 'receiveany' (a number of bytes, 1 or more, expected)", 2)
  end
  return received(receive(self, "receiveany", core.socket_receive_some, most))
end

--- An iterator over what stands before each `mark`; called with a size it gives it in parts of that size at most, and
--- nil at the mark.
---@param mark string
---@param options? table
---@return fun(size?: integer): string|nil, string?, string?
function Socket:receiveuntil(mark, options)
  if type(mark) ~= "string" or mark == "" then
    error("bad argument #1 to 'receiveuntil' (a string that is not empty expected)", 2)
  elseif options ~= nil and type(options) ~= "table" then
    bad(2, "receiveuntil", "a table of options expected", 3)
  end
  for name in pairs(options or {}) do
    if name ~= "inclusive" then
      error(("'receiveuntil': there is no option '%s'"):format(tostring(name)), 2)
    end
  end
  local tail = options and options.inclusive and mark or ""
  local at_mark = false
  return function(size)
    if size ~= nil and (type(size) ~= "number" or not (size >= 1)) then
      error("bad argument #1 to the iterator of 'receiveuntil' (a number of bytes, 1 or more, expected)", 2)
    end
    if at_mark then
      at_mark = false
      return nil
    end
    local done, data, rest = receive(self, "receiveuntil", core.socket_receive_until, mark, size or 0)
    if not done then
      return nil, data, rest
    elseif rest and size then
      data = data .. tail
      at_mark = data ~= ""
      return at_mark and data or nil
    end
    return rest and data .. tail or data
  end
end

Socket.settimeout = base.settimeout
Socket.settimeouts = base.settimeouts

--- Puts the connection into its pool for the next connect() to the same.
---@param idle? number seconds
---@param most? integer connections of this pool
---@return true|nil, string?
function Socket:setkeepalive(idle, most)
  if idle ~= nil then
    checks.seconds(idle, 1, "setkeepalive")
  end
  if most ~= nil and (type(most) ~= "number" or not (most >= 1)) then
    bad(2, "setkeepalive", "a number of connections, 1 or more, expected", 3)
  end
  if not connected(self) then
    return nil, "closed"
  end
  begin(self, "setkeepalive")
  self.busy = nil
  local done, err = core.socket_keep(self.handle, idle, most)
  if not done then
    return nil, err
  end
  return true
end

--- How often the connection had been used before; 0 for a fresh one.
---@return integer
function Socket:getreusedtimes()
  local _, uses = core.socket_state(self.handle)
  return uses
end

--- Closes the connection.
---@return true|nil, string?
function Socket:close()
  if not connected(self) then
    return nil, "closed"
  end
  begin(self, "close")
  self.busy = nil
  core.socket_close(self.handle)
  return true
end

--- A TCP socket.
---@return perigee.Socket
function M.tcp()
  tasks.current "perigee.socket.tcp"
  return base.new(Socket, core.socket_new(), core.socket_close, false)
end

--- A Unix stream socket.
---@return perigee.Socket
function M.unix()
  tasks.current "perigee.socket.unix"
  return base.new(Socket, core.socket_new(), core.socket_close, true)
end

--- A UDP socket.
---@return perigee.Datagram
function M.udp()
  tasks.current "perigee.socket.udp"
  return base.new(Datagram, core.datagram_new(), core.datagram_close, false)
end

M.Socket, M.Datagram = Socket, Datagram

return M
