-- UDP sockets without a network. The rest is held by tests/system/test_client_sockets.py.

local socket = require "perigee.socket"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("a datagram socket", function()
  it("that is not connected says closed", function()
    local udp = socket.udp()
    equal("closed", select(2, udp:send("x")))
    equal("closed", select(2, udp:receive()))
    equal("closed", select(2, udp:close()))
    raises("1 or more, expected", udp.receive, udp, 0)
    raises("1 or more, expected", udp.receive, udp, 0 / 0)
    raises("a port from 1 to 65535 expected", udp.connect, udp, "host")
  end)
end)
