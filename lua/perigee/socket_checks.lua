-- The arguments of perigee.socket: each check raises where the method was called, or returns what the engine takes.

local M = {}

local TLS_FIELDS = {
  server_name = "string", verify = "boolean", alpn = "table", ca_file = "string", cert_file = "string",
  key_file = "string",
}

--- Raises where the method was called: `level` is 3 where the method itself calls this, 4 where a check does.
---@param position integer of the argument
---@param method string
---@param message string
---@param level? integer 4
function M.bad(position, method, message, level)
  error(("bad argument #%d to '%s' (%s)"):format(position, method, message), level or 4)
end

---@param value any
---@param position integer
---@param method string
---@return number
function M.seconds(value, position, method)
  if type(value) ~= "number" or not (value >= 0) then
    M.bad(position, method, "a number of seconds, 0 or more, expected")
  end
  return value
end

---@param port any
---@param method string
function M.port(port, method)
  if type(port) ~= "number" or port ~= math.floor(port) or port < 1 or port > 65535 then
    M.bad(2, method, "a port from 1 to 65535 expected")
  end
end

---@param host any
---@param method string
---@return string # without the brackets of an IPv6 address
function M.host(host, method)
  if type(host) ~= "string" or host == "" or host:find("[%c ]") then
    M.bad(1, method, "a host name or IP address expected")
  end
  return host:match("^%[(.*)%]$") or host
end

---@param path any
---@param method string
---@return string # "unix:PATH"
function M.path(path, method)
  if type(path) ~= "string" or path == "" or path:find("%z") then
    M.bad(1, method, "the path of a Unix socket expected")
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

--- TLS options as the engine reads them.
---@param options table|true
---@param host string that is asked for by name, unless they name another; "" for none
---@param method string
---@return table
function M.tls(options, host, method)
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
    if name:find("_file$") and value:find("%z") then
      error(("'%s': the TLS option '%s' is the path of a file"):format(method, name), 3)
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

return M
