local csrf = require "perigee.middleware.csrf"
local faked = require "faked"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function status(given, fields)
  local method = fields.method or "POST"
  fields.method = method
  return faked.answer(csrf(given), faked.request(fields)).status
end

-- A token, and the cookies of the browser it was made for.
local function token_of(middleware, fields)
  local req = faked.request(fields or {})
  faked.answer(middleware, req)
  local token = req.ctx.csrf_token()
  return token, req.set, req
end

describe("csrf", function()
  it("passes what only reads", function()
    for _, method in ipairs { "GET", "HEAD", "OPTIONS", "TRACE" } do
      equal(200, status(nil, { method = method, headers = { Origin = "https://evil.example", Cookie = "a=b",
        ["Sec-Fetch-Site"] = "cross-site" } }))
    end
  end)

  it("believes what browsers say of where a request comes from", function()
    for site, expected in pairs { ["same-origin"] = 200, none = 200, ["same-site"] = 403, ["cross-site"] = 403,
      nonsense = 403 } do
      equal(expected, status(nil, { headers = { ["Sec-Fetch-Site"] = site, Cookie = "a=b" } }))
      equal(expected, status(nil, { method = "DELETE", headers = { ["Sec-Fetch-Site"] = site } }))
    end
  end)

  it("compares the origin where a browser says no more", function()
    for origin, expected in pairs { ["http://example.com"] = 200, ["HTTP://EXAMPLE.COM"] = 200,
      ["https://example.com"] = 403, ["http://example.com:8080"] = 403, ["http://example.com.evil.example"] = 403,
      ["http://evil.example"] = 403, null = 403, [""] = 403 } do
      equal(expected, status(nil, { headers = { Origin = origin, Cookie = "a=b" } }))
    end
  end)

  it("trusts the origins that it is told", function()
    local given = { trusted_origins = { "https://admin.example.com" } }
    equal(200, status(given, { headers = { Origin = "https://admin.example.com", ["Sec-Fetch-Site"] = "same-site" } }))
    equal(403, status(given, { headers = { Origin = "https://other.example.com", ["Sec-Fetch-Site"] = "same-site" } }))
  end)

  it("passes clients that are no browsers and have no credentials of one", function()
    equal(200, status(nil, {}))
    equal(200, status(nil, { headers = { Authorization = "Bearer abc" } }))
    equal(403, status(nil, { headers = { Authorization = "Basic abc" } }))
    equal(403, status(nil, { headers = { Cookie = "a=b" } }))
  end)

  it("skips what it is told to", function()
    equal(200, status({ skip = function(req) return req.path == "/" end }, { headers = { Cookie = "a=b" } }))
  end)
end)

describe("a csrf token", function()
  it("lets a request pass in a form or a header, beside its cookie", function()
    local middleware = csrf { token = "always" }
    local token, cookies, made = token_of(middleware)
    equal(true, made.options.http_only)
    equal("lax", made.options.same_site)
    local function answer(fields)
      fields.method = "POST"
      fields.cookies = fields.cookies or cookies
      return faked.answer(middleware, faked.request(fields)).status
    end
    equal(200, answer { form = { csrf_token = token } })
    equal(200, answer { headers = { ["X-CSRF-Token"] = token } })
    equal(403, answer {})
    equal(403, answer { form = { csrf_token = token }, cookies = {} })
    equal(403, answer { form = { csrf_token = token }, cookies = { csrf = ("0"):rep(32) } })
    for _, forged in ipairs { "", ".", "x", token .. "0", token:sub(2), token:upper() .. "g",
      "00." .. token:match("%.(.*)"), token:match("^%x+") .. "." .. ("0"):rep(64), ("a"):rep(100000) } do
      equal(403, answer { form = { csrf_token = forged } })
    end
    equal(403, answer { form = { csrf_token = token }, headers = { ["Sec-Fetch-Site"] = "cross-site" } })
  end)

  it("is another every time, and all of them hold", function()
    local middleware = csrf { token = "always" }
    local _, cookies, req = token_of(middleware)
    local one, two = req.ctx.csrf_token(), req.ctx.csrf_token()
    equal(false, one == two)
    for _, token in ipairs { one, two } do
      equal(200, faked.answer(middleware, faked.request { method = "POST", cookies = cookies,
        form = { csrf_token = token } }).status)
    end
  end)

  it("keeps the id that a browser has", function()
    local middleware = csrf()
    local id = ("ab"):rep(16)
    local _, cookies = token_of(middleware, { cookies = { csrf = id } })
    equal(nil, next(cookies))
    _, cookies = token_of(middleware, { cookies = { csrf = "not one" } })
    equal(32, #cookies.csrf)
  end)

  it("has a cookie of this host alone over HTTPS", function()
    local _, cookies, req = token_of(csrf(), { scheme = "https" })
    equal(32, #cookies["__Host-csrf"])
    equal(true, req.options.secure)
  end)

  it("may be bound to a session", function()
    local session = "one"
    local middleware = csrf { token = "always", bind = function() return session end }
    local token, cookies = token_of(middleware)
    local function answer()
      return faked.answer(middleware, faked.request { method = "POST", cookies = cookies,
        form = { csrf_token = token } }).status
    end
    equal(200, answer())
    session = "two"
    equal(403, answer())
  end)

  it("of one secret is none of another", function()
    local token, cookies = token_of(csrf { secret = ("a"):rep(32) })
    for secret, expected in pairs { [("a"):rep(32)] = 200, [("b"):rep(32)] = 403 } do
      local given = { token = "always", secret = secret }
      equal(expected, status(given, { cookies = cookies, form = { csrf_token = token } }))
    end
  end)
end)

describe("csrf settings", function()
  it("are refused where they can't be meant", function()
    raises("token is \"fallback\" or \"always\"", csrf, { token = "never" })
    raises("secret has at least 32 bytes", csrf, { secret = "short" })
    raises("is no origin", csrf, { trusted_origins = { "example.com" } })
    raises("is no origin", csrf, { trusted_origins = { "https://a.example/" } })
  end)
end)
