-- UDP sockets, which perigee.socket makes.

local base = require "perigee.socket_base"
local checks = require "perigee.socket_checks"
local core = require "perigee.core"

local begin, finish = base.begin, base.finish

---@class perigee.Datagram
local Datagram = {}
Datagram.__index = Datagram

--- Says who the peer is.
---@param host string a name, an IP address or "unix:PATH"
---@param port? integer
---@return true|nil, string?
function Datagram:connect(host, port)
  if type(host) == "string" and host:find("^unix:") then
    host, port = checks.path(host, "connect"), 0
  else
    host = checks.host(host, "connect")
    checks.port(port, "connect")
  end
  begin(self, "connect")
  self.site = base.site_of(host, port)
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

Datagram.settimeout = base.settimeout
Datagram.settimeouts = base.settimeouts

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

return Datagram
