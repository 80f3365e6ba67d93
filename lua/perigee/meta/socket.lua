---@meta _
-- Annotations of sockets for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

---@class perigee
---@field socket perigee.socket

--- Sockets that suspend the task and never the worker. Times are in seconds.
---@class perigee.socket
local socket = {}

--- A TCP socket.
---@return perigee.Socket
function socket.tcp() end

--- A Unix stream socket.
---@return perigee.Socket
function socket.unix() end

--- A UDP socket.
---@return perigee.Datagram
function socket.udp() end

---@class perigee.TlsOptions
---@field server_name? string who must be there: SNI, and what the certificate must be for; the host
---@field verify? boolean false takes any certificate
---@field alpn? string[] protocols to offer, best first
---@field ca_file? string trusted certificates (PEM), in place of those configured
---@field cert_file? string the certificate to show
---@field key_file? string its key, where it is not in cert_file

--- A stream socket. One task uses it at a time. Errors begin with a word: timeout, refused, closed, reset, dns, tls,
--- too_large or full.
---@class perigee.Socket
local Socket = {}

--- Connects, or takes a connection out of the pool.
---@param host string a name, an IP address or "unix:PATH"; of a Unix socket the path
---@param port? integer not for Unix sockets: their options stand here
---@param options? { pool?: string, tls?: true|perigee.TlsOptions }
---@return true|nil, string? err
function Socket:connect(host, port, options) end

--- Puts the connection under TLS.
---@param options? true|perigee.TlsOptions
---@return true|nil, string? err or the protocol that ALPN chose
function Socket:sslhandshake(options) end

--- Sends all of it.
---@param data string|number|table a list may hold lists
---@return integer|nil, string? err the bytes sent; or nil and the error
function Socket:send(data) end

--- Receives a line without its end ("*l"), everything until the other side ends ("*a") or so many bytes.
---@param what? "*l"|"*a"|integer "*l"
---@return string|nil, string? err, string? partial what had come
function Socket:receive(what) end

--- Receives whatever comes next.
---@param most integer bytes
---@return string|nil, string? err
function Socket:receiveany(most) end

--- A function that returns what stands before the next mark; with a size in parts, and nil at the mark.
---@param mark string
---@param options? { inclusive?: boolean }
---@return fun(size?: integer): string|nil, string?, string?
function Socket:receiveuntil(mark, options) end

--- Sets the time that each operation may take.
---@param seconds number
function Socket:settimeout(seconds) end

--- Sets the times that connecting, sending and receiving may take; nil leaves one as it is.
---@param connect? number seconds: 10
---@param send? number seconds: 30
---@param read? number seconds: 30
function Socket:settimeouts(connect, send, read) end

--- Puts the connection into its pool. Nothing may be unread.
---@param idle? number seconds that it is kept: client.pool_idle
---@param most? integer connections of the pool: client.pool_size
---@return true|nil, string? err
function Socket:setkeepalive(idle, most) end

--- How often the connection had been used before; 0 for a fresh one.
---@return integer
function Socket:getreusedtimes() end

--- Closes the connection.
---@return true|nil, string? err
function Socket:close() end

--- A datagram socket with one peer.
---@class perigee.Datagram
local Datagram = {}

--- Says who the peer is.
---@param host string a name, an IP address or "unix:PATH"
---@param port? integer
---@return true|nil, string? err
function Datagram:connect(host, port) end

--- The same as connect.
---@param host string
---@param port? integer
---@return true|nil, string? err
function Datagram:setpeername(host, port) end

--- Sends one datagram.
---@param data string|number|table
---@return true|nil, string? err
function Datagram:send(data) end

--- Receives one datagram.
---@param most? integer bytes; what is over them is lost
---@return string|nil, string? err
function Datagram:receive(most) end

--- Sets the time that each operation may take.
---@param seconds number
function Datagram:settimeout(seconds) end

--- Sets the times that connecting and receiving may take.
---@param connect? number seconds: 10
---@param send? number seconds
---@param read? number seconds: 30
function Datagram:settimeouts(connect, send, read) end

--- Closes the socket.
---@return true|nil, string? err
function Datagram:close() end
