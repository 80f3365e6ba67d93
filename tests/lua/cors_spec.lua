local cors = require "perigee.middleware.cors"
local faked = require "faked"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local HERE = "https://app.example"

local function simple(given, origin, answer)
  return faked.answer(cors(given), faked.request { headers = { Origin = origin } }, answer)
end

local function preflight(given, origin, more)
  local headers = { Origin = origin, ["Access-Control-Request-Method"] = "PUT" }
  for name, value in pairs(more or {}) do
    headers[name] = value
  end
  return faked.answer(cors(given), faked.request { method = "OPTIONS", headers = headers })
end

describe("cors with a list of origins", function()
  it("lets those read, and says that the answer depends on the origin", function()
    local sent = simple({ origins = { HERE, "http://localhost:3000" } }, HERE)
    equal(HERE, sent.headers["access-control-allow-origin"])
    equal("Origin", sent.headers.vary)
    equal(nil, sent.headers["access-control-allow-credentials"])
    equal("handler", sent.body)
  end)

  it("tells others nothing, but has the handler answer", function()
    for _, origin in ipairs { "https://app.example.evil.example", "https://evil.example", "http://app.example",
      "https://app.example:8443", "null", "https://xapp.example", HERE .. ".", "https://app.example/x" } do
      local sent = simple({ origins = { HERE } }, origin)
      equal(nil, sent.headers["access-control-allow-origin"])
      equal("Origin", sent.headers.vary)
      equal(true, sent.called)
    end
  end)

  it("says so too where a request has no origin", function()
    local sent = simple({ origins = { HERE } }, nil)
    equal("Origin", sent.headers.vary)
    equal(nil, sent.headers["access-control-allow-origin"])
  end)

  it("allows credentials where it is told to", function()
    equal("true", simple({ origins = { HERE }, credentials = true }, HERE).headers["access-control-allow-credentials"])
    equal(nil, simple({ origins = { HERE }, credentials = true }, "https://evil.example")
      .headers["access-control-allow-credentials"])
  end)

  it("adds to a Vary that is there", function()
    for before, after in pairs { ["Accept"] = "Accept, Origin", ["accept, origin"] = "accept, origin", ["*"] = "*" } do
      equal(after, simple({ origins = { HERE } }, HERE, { 200, "x", { Vary = before } }).headers.vary)
    end
  end)

  it("may name null, as for sandboxed pages", function()
    equal("null", simple({ origins = { "null" } }, "null").headers["access-control-allow-origin"])
  end)
end)

describe("cors for everybody", function()
  it("says * and depends on nothing", function()
    local sent = simple({ origins = "*", expose = { "X-Total", "X-Page" } }, "https://any.example")
    equal("*", sent.headers["access-control-allow-origin"])
    equal("X-Total, X-Page", sent.headers["access-control-expose-headers"])
    equal(nil, sent.headers.vary)
  end)

  it("never goes with credentials", function()
    raises("credentials can't be allowed to every origin", cors, { origins = "*", credentials = true })
  end)
end)

describe("cors by a function", function()
  it("asks it with the origin and the request", function()
    local function ends_well(origin, req) return req.path == "/" and origin:match("^https://%w+%.example$") ~= nil end
    equal(HERE, simple({ origins = ends_well }, HERE).headers["access-control-allow-origin"])
    equal(nil, simple({ origins = ends_well }, "https://a.b.example").headers["access-control-allow-origin"])
  end)
end)

describe("a preflight", function()
  it("is answered without the handler", function()
    local sent = preflight({ origins = { HERE }, credentials = true }, HERE,
      { ["Access-Control-Request-Headers"] = "content-type, x-a" })
    equal(false, sent.called)
    equal(204, sent.status)
    equal(HERE, sent.headers["access-control-allow-origin"])
    equal("true", sent.headers["access-control-allow-credentials"])
    equal("GET, HEAD, POST, PUT, PATCH, DELETE", sent.headers["access-control-allow-methods"])
    equal("content-type, x-a", sent.headers["access-control-allow-headers"])
    equal("600", sent.headers["access-control-max-age"])
    equal("Origin, Access-Control-Request-Method, Access-Control-Request-Headers", sent.headers.vary)
    equal(nil, sent.headers["access-control-allow-private-network"])
  end)

  it("of another origin is told nothing", function()
    local sent = preflight({ origins = { HERE } }, "https://evil.example")
    equal(false, sent.called)
    equal(204, sent.status)
    equal(nil, sent.headers["access-control-allow-origin"])
    equal(nil, sent.headers["access-control-allow-methods"])
  end)

  it("is told the methods, headers and time that are set", function()
    local sent = preflight({ origins = "*", methods = { "GET" }, headers = { "X-A" }, max_age = 5 }, HERE)
    equal("GET", sent.headers["access-control-allow-methods"])
    equal("X-A", sent.headers["access-control-allow-headers"])
    equal("5", sent.headers["access-control-max-age"])
    equal("*", sent.headers["access-control-allow-origin"])
  end)

  it("that asks for what is no list of headers is allowed none", function()
    local sent = preflight({ origins = { HERE } }, HERE, { ["Access-Control-Request-Headers"] = "x-a, b c" })
    equal(nil, sent.headers["access-control-allow-headers"])
  end)

  it("to a private network is allowed only where that is set", function()
    local ask = { ["Access-Control-Request-Private-Network"] = "true" }
    equal(nil, preflight({ origins = { HERE } }, HERE, ask).headers["access-control-allow-private-network"])
    equal("true", preflight({ origins = { HERE }, private_network = true }, HERE, ask)
      .headers["access-control-allow-private-network"])
    equal(nil, preflight({ origins = { HERE }, private_network = true }, HERE)
      .headers["access-control-allow-private-network"])
  end)

  it("is no OPTIONS without a method to ask for, nor another method", function()
    local middleware = cors { origins = { HERE } }
    equal(true, faked.answer(middleware, faked.request { method = "OPTIONS", headers = { Origin = HERE } }).called)
    equal(true, faked.answer(middleware, faked.request { method = "GET",
      headers = { Origin = HERE, ["Access-Control-Request-Method"] = "GET" } }).called)
  end)
end)

describe("cors settings", function()
  it("are refused where they can't be meant", function()
    raises("origins is missing", cors, {})
    raises("origins is missing", cors, nil)
    for _, origin in ipairs { "example.com", "https://a.example/", "https://a.example/x", "https://*.example", "*" } do
      raises("is no origin", cors, { origins = { origin } })
    end
    raises("is no origin", cors, { origins = "a.example" })
    raises("an origin is a string, got number", cors, { origins = { 7 } })
    raises("methods[1] is no name of a method", cors, { origins = "*", methods = { "GET\r\n" } })
    raises("headers[2] is no name of a header", cors, { origins = "*", headers = { "a", "b c" } })
    raises("expose[1] is no name of a header", cors, { origins = "*", expose = { 1 } })
    raises("max_age is a number of seconds", cors, { origins = "*", max_age = -1 })
  end)
end)
