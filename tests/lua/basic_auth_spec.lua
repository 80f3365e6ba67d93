local basic_auth = require "perigee.middleware.basic_auth"
local faked = require "faked"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local USERS = { users = { Aladdin = "open sesame", ["tëst"] = "123£", empty = "" } }

local function sent(given, field)
  local req = faked.request { headers = { Authorization = field } }
  local answer = faked.answer(basic_auth(given), req)
  answer.user = req.ctx.user
  return answer
end

describe("basic_auth", function()
  it("lets in who has the name and the password", function()
    local answer = sent(USERS, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") -- the example of RFC 7617 section 2
    equal(200, answer.status)
    equal("Aladdin", answer.user)
    equal(200, sent(USERS, "basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ==").status)
    equal("tëst", sent(USERS, "Basic dMOrc3Q6MTIzwqM=").user)
    equal("empty", sent(USERS, "Basic ZW1wdHk6").user)
  end)

  it("asks all others for it", function()
    for _, field in ipairs { "", "Basic", "Basic ", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
      "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ===", "Basic QWxhZGRpbjp4",
      "Basic bm9ib2R5Om9wZW4gc2VzYW1l", "Basic QWxhZGRpbg==", "Basic !!!!", "Basic QWxh=GRp", "Basic ====",
      "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== x", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==",
      "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQA=", "Basic Og==", "Basic " .. ("QUFB"):rep(10000) } do
      local answer = sent(USERS, field)
      equal(401, answer.status)
      equal(false, answer.called)
      equal(nil, answer.user)
      equal('Basic realm="restricted", charset="UTF-8"', answer.headers["www-authenticate"])
    end
    equal(401, sent(USERS, nil).status)
  end)

  it("knows a password with colons, and a name without one", function()
    local answer = sent({ users = { a = "b:c:" } }, "Basic YTpiOmM6")
    equal("a", answer.user)
  end)

  it("asks a function", function()
    local function verify(name, password, req)
      return name == "a" and password == "b" and req.path == "/" and { name = "Ada" }
    end
    equal("Ada", sent({ verify = verify }, "Basic YTpi").user.name)
    equal(401, sent({ verify = verify }, "Basic YTpj").status)
    equal("a", sent({ verify = function() return true end }, "Basic YTpi").user)
    raises("broken", sent, { verify = function() error("broken") end }, "Basic YTpi")
  end)

  it("quotes its realm", function()
    equal('Basic realm="a \\"b\\" \\\\", charset="UTF-8"', sent({ users = {}, realm = 'a "b" \\' }, nil)
      .headers["www-authenticate"])
  end)

  it("refuses settings that let in nobody knows whom", function()
    raises("users or verify, one of the two", basic_auth, {})
    raises("users or verify, one of the two", basic_auth, nil)
    raises("users or verify, one of the two", basic_auth, { users = {}, verify = print })
    raises("name is a string without a colon", basic_auth, { users = { ["a:b"] = "x" } })
    raises("name is a string without a colon", basic_auth, { users = { "x" } })
    raises("the password of 'a' is a number, not a string", basic_auth, { users = { a = 1 } })
    raises("realm holds a control byte", basic_auth, { users = {}, realm = "a\r\nb" })
  end)
end)
