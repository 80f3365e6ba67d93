-- perigee.socket without a network: what it takes, and what it says of a socket that is not connected. The rest is held
-- by tests/system/test_client_sockets.py.

local socket = require "perigee.socket"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("a socket", function()
  it("that is not connected says closed", function()
    local sock = socket.tcp()
    for _, call in ipairs {
      { sock.send, "x" }, { sock.receive }, { sock.receive, 1 }, { sock.receiveany, 1 }, { sock.close },
      { sock.setkeepalive }, { sock.sslhandshake },
    } do
      local value, err = call[1](sock, call[2])
      equal(nil, value)
      equal("closed", err)
    end
    equal(0, sock:getreusedtimes())
    local value, err, partial = sock:receiveuntil("x")()
    equal(nil, value)
    equal("closed", err)
    equal("", partial)
  end)

  it("wants a host and a port", function()
    local sock = socket.tcp()
    raises("a host name or IP address expected", sock.connect, sock, "", 1)
    raises("a host name or IP address expected", sock.connect, sock, "a\nb", 1)
    raises("a host name or IP address expected", sock.connect, sock, nil, 1)
    for _, port in ipairs { 0, 65536, 1.5, "80" } do
      raises("a port from 1 to 65535 expected", sock.connect, sock, "host", port)
    end
    raises("the path of a Unix socket expected", socket.unix().connect, socket.unix(), "")
  end)

  it("knows its options by name and type", function()
    local sock = socket.tcp()
    raises("there is no option 'pol'", sock.connect, sock, "host", 1, { pol = "x" })
    raises("the option 'pool' is a string", sock.connect, sock, "host", 1, { pool = 7 })
    raises("TLS options are a table or true", sock.connect, sock, "host", 1, { tls = "yes" })
    raises("there is no TLS option 'sni'", sock.connect, sock, "host", 1, { tls = { sni = "x" } })
    raises("the TLS option 'alpn' is a table", sock.connect, sock, "host", 1, { tls = { alpn = "h2" } })
    for _, alpn in ipairs { { "" }, { 7 }, { ("x"):rep(256) }, { h2 = true } } do
      raises("the TLS option 'alpn' is a list of names", sock.connect, sock, "host", 1, { tls = { alpn = alpn } })
    end
  end)

  it("receives lines, counts and everything", function()
    local sock = socket.tcp()
    for _, what in ipairs { "*x", -1, 1.5, true } do
      raises("\"*l\", \"*a\" or a number of bytes expected", sock.receive, sock, what)
    end
    raises("a string that is not empty expected", sock.receiveuntil, sock, "")
    for _, count in ipairs { 0, 0 / 0, "1" } do
      raises("1 or more, expected", sock.receiveany, sock, count)
      raises("1 or more, expected", sock:receiveuntil("x"), count)
      raises("bad argument #2 to 'setkeepalive'", sock.setkeepalive, sock, 1, count)
    end
    raises("bad argument #2 to 'receiveuntil' (a table", sock.receiveuntil, sock, "x", true)
    raises("'receiveuntil': there is no option 'inclusiv'", sock.receiveuntil, sock, "x", { inclusiv = true })
  end)
end)
