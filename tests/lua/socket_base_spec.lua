local base = require "perigee.socket_base"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("every socket", function()
  it("is used by one task at a time", function()
    local sock = base.new({}, nil, nil, false)
    base.begin(sock, "send")
    raises("'receive': another task is using the socket, in 'send'", base.begin, sock, "receive")
  end)

  it("is free once an operation has come to its end", function()
    local sock, steps = base.new({}, "handle", nil, false), 0
    base.begin(sock, "send")
    local done, what = base.finish(sock, function(handle, first)
      steps = steps + 1
      return true, handle .. first
    end, " stepped")
    equal(true, done)
    equal("handle stepped", what)
    equal(1, steps)
    equal(nil, sock.busy)
  end)

  it("takes times of 0 and more", function()
    local sock = base.new({ __index = base }, nil, nil, false)
    sock:settimeouts(1, nil, 0)
    equal(1, sock.connect_timeout)
    equal(30, sock.send_timeout)
    equal(0, sock.read_timeout)
    sock:settimeout(5)
    equal(5, sock.read_timeout)
    raises("a number of seconds, 0 or more, expected", sock.settimeout, sock, -1)
    raises("a number of seconds, 0 or more, expected", sock.settimeouts, sock, 1, 0 / 0)
  end)
end)
