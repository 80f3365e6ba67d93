-- perigee.socket: TCP, Unix and UDP sockets whose operations suspend the task, never the worker. Times are in seconds.

local core = require "perigee.core"
local tasks = require "perigee.tasks"

local M = {}

local CONNECT, SEND, READ = 10, 30, 30 -- seconds, unless settimeouts() says otherwise
local TLS_FIELDS = {
  server_name = "string", verify = "boolean", alpn = "table", ca_file = "string", cert_file = "string",
  key_file = "string",
}

-- Raises where the method was called: `level` is 3 where the method itself calls this, 4 where a check does.
local function bad(position, method, message, level)
  error(("bad argument #%d to '%s' (%s)"):format(position, method, message), level or 4)
end

-- The number under which profiles know that this peer is waited for.
local function site_of(host, port)
  return core.wait_site("perigee.socket", port > 0 and ("%s:%d"):format(host, port) or host)
end

-- Has one operation at a time use a socket.
local function begin(self, method)
  if self.busy then
    error(("'%s': another task is using the socket, in '%s'"):format(method, self.busy), 3)
  end
  self.busy = method
end

-- Steps an operation to its end. A task that is cancelled meanwhile closes what it was waiting for.
local function finish(self, step, first, second)
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

local function check_seconds(value, position, method)
  if type(value) ~= "number" or not (value >= 0) then
    bad(position, method, "a number of seconds, 0 or more, expected")
  end
  return value
end

local function check_port(port, method)
  if type(port) ~= "number" or port ~= math.floor(port) or port < 1 or port > 65535 then
    bad(2, method, "a port from 1 to 65535 expected")
  end
end

local function check_host(host, method)
  if type(host) ~= "string" or host == "" or host:find("[%c ]") then
    bad(1, method, "a host name or IP address expected")
  end
  return host:match("^%[(.*)%]$") or host
end

local function check_path(path, method)
  if type(path) ~= "string" or path == "" or path:find("%z") then
    bad(1, method, "the path of a Unix socket expected")
  end
  return path:find("^unix:") and path or "unix:" .. path
end

local function is_alpn(list)
  for i = 1, #list do
    local protocol = list[i]
    if type(protocol) ~= "string" or #protocol < 1 or #protocol > 255 then
      return false
    end
  end
  return #list > 0 or next(list) == nil
end

-- TLS options as the engine reads them.
local function check_tls(options, host, method)
  if options == true then
    options = {}
  elseif type(options) ~= "table" then
    error(("'%s': TLS options are a table or true"):format(method), 3)
  end
  local checked = { server_name = host }
  for name, value in pairs(options) do
    if type(value) ~= TLS_FIELDS[name] then
      error(TLS_FIELDS[name] and ("'%s': the TLS option '%s' is a %s"):format(method, name, TLS_FIELDS[name])
        or ("'%s': there is no TLS option '%s'"):format(method, tostring(name)), 3)
    end
    checked[name] = value
  end
  if checked.server_name:find("%c") then
    error(("'%s': server_name is no host name"):format(method), 3)
  elseif checked.alpn and not is_alpn(checked.alpn) then
    error(("'%s': the TLS option 'alpn' is a list of names of protocols"):format(method), 3)
  end
  return checked
end

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
    host, port, options = check_path(host, "connect"), 0, port
  else
    host = check_host(host, "connect")
    check_port(port, "connect")
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
  local tls = options.tls and check_tls(options.tls, not host:find("^unix:") and host or "", "connect") or nil
  begin(self, "connect")
  self.host, self.peer = host, port == 0 and host or host .. ":" .. port
  self.site = site_of(host, port)
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
  local tls = check_tls(options == nil or options, self.host or "", "sslhandshake")
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

--- Sets all three times that operations may take.
---@param seconds number
function Socket:settimeout(seconds)
  check_seconds(seconds, 1, "settimeout")
  self.connect_timeout, self.send_timeout, self.read_timeout = seconds, seconds, seconds
end

--- Sets the times that connecting, sending and receiving may take; nil leaves one as it is.
---@param connect? number seconds
---@param send? number seconds
---@param read? number seconds
function Socket:settimeouts(connect, send, read)
  self.connect_timeout = connect and check_seconds(connect, 1, "settimeouts") or self.connect_timeout
  self.send_timeout = send and check_seconds(send, 2, "settimeouts") or self.send_timeout
  self.read_timeout = read and check_seconds(read, 3, "settimeouts") or self.read_timeout
end

--- Puts the connection into its pool for the next connect() to the same.
---@param idle? number seconds
---@param most? integer connections of this pool
---@return true|nil, string?
function Socket:setkeepalive(idle, most)
  if idle ~= nil then
    check_seconds(idle, 1, "setkeepalive")
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

---@class perigee.Datagram
local Datagram = {}
Datagram.__index = Datagram

--- Says who the peer is.
---@param host string a name, an IP address or "unix:PATH"
---@param port? integer
---@return true|nil, string?
function Datagram:connect(host, port)
  if type(host) == "string" and host:find("^unix:") then
    host, port = check_path(host, "connect"), 0
  else
    host = check_host(host, "connect")
    check_port(port, "connect")
  end
  begin(self, "connect")
  self.site = site_of(host, port)
  core.datagram_begin_connect(self.handle, host, port, self.connect_timeout)
  local done, err = finish(self, core.datagram_connect)
  if not done then
    return nil, err
  end
  return true
end

Datagram.setpeername = Datagram.connect

--- Sends one datagram.
---@param data string|number|table
---@return true|nil, string?
function Datagram:send(data)
  if not core.datagram_connected(self.handle) then
    return nil, "closed"
  end
  local ok, done, err = pcall(core.datagram_send, self.handle, data)
  if not ok then
    error(done, 2)
  elseif not done then
    return nil, err
  end
  return true
end

--- Receives one datagram; what is over `most` bytes is lost.
---@param most? integer 65536
---@return string|nil, string?
function Datagram:receive(most)
  if most ~= nil and (type(most) ~= "number" or not (most >= 1)) then
    error("bad argument #1 to 'receive' (a number of bytes, 1 or more, expected)", 2)
  elseif not core.datagram_connected(self.handle) then
    return nil, "closed"
  end
  begin(self, "receive")
  core.datagram_begin(self.handle, self.read_timeout)
  local done, data = finish(self, core.datagram_receive, most or 65536)
  if not done then
    return nil, data
  end
  return data
end

Datagram.settimeout = Socket.settimeout
Datagram.settimeouts = Socket.settimeouts

--- Closes the socket.
---@return true|nil, string?
function Datagram:close()
  if not core.datagram_connected(self.handle) then
    return nil, "closed"
  end
  begin(self, "close")
  self.busy = nil
  core.datagram_close(self.handle)
  return true
end

local function new(class, handle, close_handle, unix)
  return setmetatable({
    handle = handle, close_handle = close_handle, unix = unix, busy = nil, host = nil,
    connect_timeout = CONNECT, send_timeout = SEND, read_timeout = READ,
  }, class)
end

--- A TCP socket.
---@return perigee.Socket
function M.tcp()
  tasks.current "perigee.socket.tcp"
  return new(Socket, core.socket_new(), core.socket_close, false)
end

--- A Unix stream socket.
---@return perigee.Socket
function M.unix()
  tasks.current "perigee.socket.unix"
  return new(Socket, core.socket_new(), core.socket_close, true)
end

--- A UDP socket.
---@return perigee.Datagram
function M.udp()
  tasks.current "perigee.socket.udp"
  return new(Datagram, core.datagram_new(), core.datagram_close, false)
end

M.Socket, M.Datagram = Socket, Datagram
M.check_tls = check_tls

return M
