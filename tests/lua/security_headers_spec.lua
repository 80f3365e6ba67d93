local faked = require "faked"
local security_headers = require "perigee.middleware.security_headers"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function headers_of(given, fields, answer)
  return faked.answer(security_headers(given), faked.request(fields or {}), answer).headers
end

describe("security_headers", function()
  it("has careful defaults", function()
    local headers = headers_of()
    equal("nosniff", headers["x-content-type-options"])
    equal("SAMEORIGIN", headers["x-frame-options"])
    equal("frame-ancestors 'self'", headers["content-security-policy"])
    equal("strict-origin-when-cross-origin", headers["referrer-policy"])
    equal("same-origin", headers["cross-origin-opener-policy"])
    equal("same-origin", headers["cross-origin-resource-policy"])
    equal(nil, headers["permissions-policy"])
    equal(nil, headers["strict-transport-security"])
  end)

  it("speaks of HTTPS only over HTTPS", function()
    local https = { scheme = "https" }
    equal("max-age=31536000", headers_of(nil, https)["strict-transport-security"])
    equal("max-age=60; includeSubDomains", headers_of({ hsts = 60, hsts_subdomains = true }, https)
      ["strict-transport-security"])
    equal("max-age=63072000; includeSubDomains; preload", headers_of({ hsts = 63072000, hsts_subdomains = true,
      hsts_preload = true }, https)["strict-transport-security"])
    equal(nil, headers_of({ hsts = false }, https)["strict-transport-security"])
  end)

  it("leaves out what is false and says what it is told", function()
    local headers = headers_of { frame = false, opener_policy = false, referrer_policy = "no-referrer",
      permissions_policy = "camera=()" }
    equal(nil, headers["x-frame-options"])
    equal(nil, headers["content-security-policy"])
    equal(nil, headers["cross-origin-opener-policy"])
    equal("no-referrer", headers["referrer-policy"])
    equal("camera=()", headers["permissions-policy"])
  end)

  it("joins frame-ancestors to a policy that does not have it", function()
    equal("default-src 'self'; frame-ancestors 'none'",
      headers_of { frame = "deny", content_security_policy = "default-src 'self';" }["content-security-policy"])
    equal("Frame-Ancestors https://a.example",
      headers_of { content_security_policy = "Frame-Ancestors https://a.example" }["content-security-policy"])
  end)

  it("leaves what the handler set", function()
    local headers = headers_of(nil, nil, { 200, "x", { ["X-Frame-Options"] = "DENY", ["Referrer-Policy"] = "origin" } })
    equal("DENY", headers["x-frame-options"])
    equal("origin", headers["referrer-policy"])
    equal("nosniff", headers["x-content-type-options"])
  end)

  it("refuses settings that make no sense", function()
    raises("frame is \"deny\"", security_headers, { frame = "same" })
    raises("hsts is a number of seconds", security_headers, { hsts = -1 })
    raises("hsts is a number of seconds", security_headers, { hsts = 1.5 })
    raises("hsts_preload wants", security_headers, { hsts_preload = true })
    raises("hsts_preload wants", security_headers, { hsts_preload = true, hsts_subdomains = true, hsts = 60 })
    raises("referrer_policy is what the header says, or false", security_headers, { referrer_policy = true })
    raises("holds a control byte", security_headers, { permissions_policy = "a\r\nb" })
    raises("security_headers has no setting 'csp'", security_headers, { csp = "x" })
  end)
end)
