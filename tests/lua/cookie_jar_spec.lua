-- perigee.test.cookie_jar: what a client keeps and sends back.

local cookie_jar = require "perigee.test.cookie_jar"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("cookie jar", function()
  it("keeps what is set and forgets what is taken back", function()
    local jar = cookie_jar.new()
    equal(true, jar:empty())
    equal(nil, jar:header("/"))
    jar:take("Server: x\r\nSet-Cookie: b=2; Path=/; HttpOnly\r\nset-cookie: a=1; Path=/\r\n", "/")
    equal("a=1; b=2", jar:header("/any?x=1"))
    equal("2", jar:get("b"))
    jar:take("Set-Cookie: a=; Max-Age=0; Path=/\r\n", "/")
    jar:take("Set-Cookie: b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/\r\n", "/")
    equal(true, jar:empty())
  end)

  it("sends a cookie where its path says", function()
    local jar = cookie_jar.new()
    jar:take("Set-Cookie: a=1; Path=/shop\r\n", "/")
    jar:take("Set-Cookie: b=2\r\n", "/deep/page?x")
    equal("a=1", jar:header("/shop/cart"))
    equal("a=1", jar:header("/shop"))
    equal(nil, jar:header("/shopping"))
    equal("b=2", jar:header("/deep/other"))
  end)

  it("takes cookies of one request, and of the test's own", function()
    local jar = cookie_jar.new()
    jar:set("a", 1)
    equal("a=2; b=3", jar:header("/", { a = 2, b = 3 }))
    equal("a=1", jar:header("/"))
    jar:clear()
    equal(true, jar:empty())
  end)
end)
