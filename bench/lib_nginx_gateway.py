"""examples/gateway for nginx and its Lua module, over cosockets: what Perigee is compared with in gateway.py."""

from lib_nginx import NginxLua

# The same questions, the same checks of their answers, the same memory. A pool takes what all connections need.
HTTP = """
  lua_shared_dict gateway 10m;
  lua_socket_log_errors off;
  init_by_lua_block {{
    local cjson = require "cjson"
    local PORT = {upstream}
    local services = {{ weather = PORT, news = PORT, trains = PORT }}
    local memory = ngx.shared.gateway

    local function read_head(sock)
      local line, err = sock:receive()
      if not line then
        return nil, err
      end
      local status, headers = tonumber(line:match("^HTTP/1%.%d (%d%d%d)")), {{}}
      while true do
        line, err = sock:receive()
        if not line then
          return nil, err
        elseif line == "" then
          return status, headers
        end
        local name, value = line:match("^([^:]+):%s*(.*)$")
        headers[name:lower()] = value
      end
    end

    local function ask(port, city)
      local sock = ngx.socket.tcp()
      sock:settimeouts(1000, 1000, 1000)
      local ok, err = sock:connect("127.0.0.1", port)
      if not ok then
        return nil, err
      end
      ok, err = sock:send {{ "GET /", city, " HTTP/1.1\\r\\nHost: 127.0.0.1:", port,
        "\\r\\nUser-Agent: nginx\\r\\nAccept: */*\\r\\n\\r\\n" }}
      if not ok then
        return nil, err
      end
      local status, headers = read_head(sock)
      if not status then
        return nil, headers
      end
      local body
      body, err = sock:receive(tonumber(headers["content-length"]))
      if not body then
        return nil, err
      end
      sock:setkeepalive(60000, {pool})
      if status ~= 200 then
        return nil, "status " .. status
      end
      return cjson.decode(body)
    end

    local function recall(name, port, city)
      local key = name .. "/" .. city
      local text = memory:get(key)
      if text then
        return cjson.decode(text)
      end
      local value, err = ask(port, city)
      if value then
        memory:set(key, cjson.encode(value), 10)
      end
      return value, err
    end

    function gateway()
      local city = ngx.var[1]
      local fresh = ngx.var.http_cache_control == "no-cache"
      local threads, page, missing = {{}}, {{}}, {{}}
      for name, port in pairs(services) do
        threads[name] = ngx.thread.spawn(function()
          if fresh then
            return ask(port, city)
          end
          return recall(name, port, city)
        end)
      end
      for name, thread in pairs(threads) do
        local ok, value, err = ngx.thread.wait(thread)
        page[name], missing[name] = value, err
      end
      if not next(page) then
        return ngx.exit(502)
      end
      page.missing = next(missing) and missing
      local body = cjson.encode(page)
      ngx.header["Content-Type"] = "application/json"
      ngx.header["Content-Length"] = #body
      ngx.print(body)
    end
  }}
"""
LOCATION = """
    location ~ "^/cities/([a-z0-9-]+)$" {
      content_by_lua_block { gateway() }
    }
"""


class NginxGateway(NginxLua):
    """nginx, one process, with the gateway."""

    file = "gateway.conf"

    def __init__(self, upstream, pool):
        self.http = HTTP.format(upstream=upstream, pool=pool)

    def configuration(self):
        text = super().configuration().replace("  server {\n", self.http + "  server {\n", 1)
        return text.replace("    location = /", LOCATION + "    location = /", 1)
