local subscriptions = require "perigee.subscriptions"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("perigee.subscribe", function()
  it("wants a topic and a function", function()
    raises("bad argument #1 to 'subscribe' (a topic's name expected, got nil)", perigee.subscribe)
    raises("bad argument #1 to 'subscribe' (a topic's name is not empty)", perigee.subscribe, "", print)
    raises("bad argument #1 to 'subscribe' (a topic's name holds no control bytes: byte 2 is 0x0a)", perigee.subscribe,
      "a\n", print)
    raises("bad argument #1 to 'subscribe' (a topic's name has at most 255 bytes)", perigee.subscribe,
      ("x"):rep(256), print)
    raises("bad argument #2 to 'subscribe' (function expected, got nil)", perigee.subscribe, "t")
  end)

  it("returns a handle that can be closed, also twice", function()
    local handle = perigee.subscribe("t", function() end)
    handle:close()
    handle:close()
  end)
end)

describe("a subscription", function()
  it("gives nothing once it is closed", function()
    local listening = subscriptions.listen("t", "subscribe")
    subscriptions.close(listening)
    equal(nil, subscriptions.next(listening, "a test"))
  end)
end)
