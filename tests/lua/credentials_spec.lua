-- Names and passwords of Authorization fields.

local credentials = require "perigee.credentials"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("credentials", function()
  it("are a name and a password in base64", function()
    local name, password = credentials.basic("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    equal("Aladdin", name)
    equal("open sesame", password)
    name, password = credentials.basic("bASIC  Onh5Og== ")
    equal("", name)
    equal("xy:", password)
  end)

  it("are nothing where the field is anything else", function()
    for _, field in ipairs { "", "Basic", "Basic ", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic QWxhZGRpbg==",
      "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", "Basic !!!!", "Basic Ojo=x", "Basic Oh8=", "Basic " .. ("A"):rep(5000) } do
      equal(nil, (credentials.basic(field)), field)
    end
    equal(nil, (credentials.basic(nil)))
  end)
end)
