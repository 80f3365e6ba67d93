local checks = require "perigee.socket_checks"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("options of TLS", function()
  it("name the host where they name nobody", function()
    equal("host", checks.tls(true, "host", "connect").server_name)
    equal("other", checks.tls({ server_name = "other" }, "host", "connect").server_name)
    raises("server_name is no host name", checks.tls, { server_name = "a\0b" }, "host", "connect")
  end)
end)
