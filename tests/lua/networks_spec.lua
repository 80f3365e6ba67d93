local networks = require "perigee.networks"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("the network of an address", function()
  it("is an IPv4 address itself", function()
    equal("192.0.2.7", networks.of("192.0.2.7"))
    equal("unix", networks.of("unix"))
  end)

  it("is the first 64 bits of an IPv6 address", function()
    for address, network in pairs {
      ["2001:db8:1:2:3:4:5:6"] = "2001:db8:1:2::/64",
      ["2001:db8:1:2::"] = "2001:db8:1:2::/64",
      ["2001:db8:1:2::6"] = "2001:db8:1:2::/64",
      ["2001:db8::1"] = "2001:db8:0:0::/64",
      ["2001:db8::2:3:4:5:6"] = "2001:db8:0:2::/64",
      ["::1"] = "0:0:0:0::/64",
      ["::"] = "0:0:0:0::/64",
      ["::2:3:4:5:6:7:8"] = "0:2:3:4::/64",
      ["fe80::1:2:3:4"] = "fe80:0:0:0::/64",
    } do
      equal(network, networks.of(address))
    end
  end)
end)
