local core = require "perigee.core"
local response = require "perigee.response"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("a response value", function()
  it("has writable status, headers and body", function()
    local made = response.text("body")
    equal(true, response.is_response(made))
    equal("text", made.kind)
    equal("body", made.body)
    equal(nil, made.status)
    equal(nil, next(made.headers))
    made.status, made.body, made.headers.x = 201, "other", "y"
    equal(201, made.status)
  end)

  it("shares its headers with no other", function()
    response.text("a").headers.x = "y"
    equal(nil, response.text("b").headers.x)
  end)

  it("is not any table", function()
    for _, value in ipairs { {}, "text", 7, true, setmetatable({}, { __index = response.text("x") }) } do
      equal(false, response.is_response(value))
    end
    equal(false, response.is_response(nil))
  end)
end)

describe("perigee.text", function()
  it("shows any value", function()
    equal("7", response.text(7).body)
    equal("nil", response.text(nil).body)
  end)
end)

describe("perigee.json", function()
  it("keeps its value, and has null for nil", function()
    equal("s", response.json("s").body)
    equal(false, response.json(false).body)
    equal(core.null, response.json(nil).body)
    equal("json", response.json({}).kind)
  end)
end)

describe("perigee.bytes", function()
  it("has the type given, or that of any bytes", function()
    equal("image/png", response.bytes("x", "image/png").type)
    equal("application/octet-stream", response.bytes("x").type)
    raises("bad argument #1 to 'bytes' (string expected, got table)", response.bytes, {})
    raises("bad argument #1 to 'bytes' (string expected, got nil)", response.bytes)
  end)
end)

describe("perigee.redirect", function()
  it("names the place, and a status from 300 to 399 or none", function()
    equal("/to", response.redirect("/to").headers.location)
    equal(nil, response.redirect("/to").status)
    equal(301, response.redirect("/to", 301).status)
    equal(399, response.redirect("/to", 399).status)
    for _, status in ipairs { 299, 400, 301.5, "301", true } do
      raises("bad argument #2 to 'redirect' (an integer from 300 to 399 expected)", response.redirect, "/to", status)
    end
    raises("bad argument #1 to 'redirect' (string expected, got nil)", response.redirect)
  end)
end)

describe("perigee.problem", function()
  it("is a document with title, status and detail", function()
    local made = response.problem(404, "no such user")
    equal("problem", made.kind)
    equal(404, made.status)
    equal("Not Found", made.body.title)
    equal(404, made.body.status)
    equal("no such user", made.body.detail)
  end)

  it("takes more members and headers, its own members winning", function()
    local extra = { user = 7, status = 1, title = "mine" }
    local made = response.problem(409, nil, extra, { ["retry-after"] = "3" })
    equal(7, made.body.user)
    equal(409, made.body.status)
    equal("Conflict", made.body.title)
    equal("3", made.headers["retry-after"])
    equal(1, extra.status)
  end)

  it("has a status from 400 to 599", function()
    equal(400, response.problem(400).status)
    equal(599, response.problem(599).status)
    for _, status in ipairs { 399, 600, 404.5, "404", 0 / 0 } do
      raises("bad argument #1 to 'problem' (an integer from 400 to 599 expected)", response.problem, status)
    end
  end)
end)

describe("perigee.stream", function()
  it("has a function, and the type given", function()
    local function write() end
    equal(write, response.stream(write).body)
    equal("text/csv", response.stream(write, "text/csv").type)
    raises("bad argument #1 to 'stream' (function expected, got string)", response.stream, "no")
  end)
end)
