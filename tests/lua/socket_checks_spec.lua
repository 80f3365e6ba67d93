local checks = require "perigee.socket_checks"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("options of TLS", function()
  it("name the host where they name nobody", function()
    equal("host", checks.tls(true, "host", "connect").server_name)
    equal("other", checks.tls({ server_name = "other" }, "host", "connect").server_name)
    raises("server_name is no host name", checks.tls, { server_name = "a\0b" }, "host", "connect")
  end)

  it("name files by paths without a NUL", function()
    equal("a.pem", checks.tls({ cert_file = "a.pem" }, "host", "connect").cert_file)
    for _, name in ipairs { "ca_file", "cert_file", "key_file" } do
      raises("'connect': the TLS option '" .. name .. "' is the path of a file", checks.tls, { [name] = "a.pem\0b" },
        "host", "connect")
    end
  end)
end)
