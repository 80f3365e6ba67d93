local core = require "perigee.core"
local response = require "perigee.response"
local result = require "perigee.result"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function of(...)
  return result.of_returned(spec.req, 200, ...)
end

describe("what is returned becomes a result", function()
  it("of text, tables, statuses and nothing", function()
    for _, case in ipairs {
      { of("hi"), 200, "hi" }, { of(201, "made"), 201, "made" }, { of(204), 204, nil }, { of(), 204, nil },
      { of(nil), 204, nil }, { of(200, nil, { a = "b" }), 200, nil },
    } do
      equal(case[2], case[1].status)
      equal(case[3], case[1].body)
    end
    local list = { 1 }
    equal(list, of(list).body)
    equal("v", of(200, "x", { ["X-A"] = "v" }).headers["x-a"])
  end)

  it("of a lone error status with the standard problem", function()
    local res = of(404)
    equal(404, res.status)
    equal("Not Found", res.body.title)
    equal("id-1", res.body.request_id)
  end)

  it("of response values, whose status and headers give way to outer ones", function()
    local value = response.text("t")
    value.headers["X-A"], value.headers["x-b"] = "inner", "b"
    local res = of(202, value, { ["x-a"] = "outer" })
    equal(202, res.status)
    equal("t", res.body)
    equal("outer", res.headers["x-a"])
    equal("b", res.headers["X-B"])
    equal(418, of(response.problem(418)).status)
    equal(303, of(response.redirect("/x")).status) -- the request that runs this file is a POST
    equal("/x", of(response.redirect("/x")).headers.location)
    equal(410, of(410, response.problem(404)).body.status)
    equal("Gone", of(410, response.problem(404)).body.title)
  end)

  it("and leaves the value that was returned as it was", function()
    local value = response.problem(404)
    local res = of(value)
    res.headers["x-a"], res.body.more = "1", true
    equal(nil, value.headers["x-a"])
    equal(nil, value.body.more)
    equal(nil, value.body.request_id)
  end)

  it("of another result with a status and headers of its own", function()
    local inner = of(200, "x", { a = "1" })
    local outer = of(203, inner, { b = "2" })
    equal(203, outer.status)
    equal("x", outer.body)
    equal("12", outer.headers.a .. outer.headers.b)
    equal(200, inner.status)
    equal(nil, inner.headers.b)
  end)

  it("unless it is no answer", function()
    for _, case in ipairs {
      { { true }, "returned a boolean as a body" }, { { 99, "x" }, "returned a status that is no integer" },
      { { 200.5, "x" }, "no integer" }, { { 0 / 0 }, "no integer" }, { { 600 }, "no integer" },
      { { 200, "x", "y" }, "returned headers that are a string" }, { { "x", "y" }, "a status comes first" },
      { { 200, print }, "returned a function as a body" },
    } do
      local res, err = of(unpack(case[1], 1, 3))
      equal(nil, res)
      equal(true, err:find(case[2], 1, true) ~= nil)
    end
  end)
end)

describe("a result", function()
  it("takes a status, a body and headers, and nothing else", function()
    local res = of("x")
    res.status, res.body, res.headers = 201, { a = 1 }, { ["X-Y"] = "z" }
    equal(201, res.status)
    equal(1, res.body.a)
    equal("z", res.headers["x-y"])
    res.body = nil
    equal(nil, res.body)
    raises("a status is an integer from 200 to 599", function() res.status = 42 end)
    raises("headers are a table, got string", function() res.headers = "x" end)
    raises("but no 'stauts'", function() res.stauts = 1 end)
    raises("can't be another one's body", function() res.body = of("y") end)
    raises("a header's name is a string", function() res.headers[1] = "x" end)
  end)

  it("keeps the names of headers in lower case", function()
    local res = of(200, "x", { ["Content-TYPE"] = "text/x" })
    res.headers["Content-Type"] = "text/y"
    equal("text/y", res.headers["CONTENT-type"])
    local count = 0
    for name in pairs(res.headers) do
      equal("content-type", name)
      count = count + 1
    end
    equal(1, count)
    equal(nil, res.headers[1])
  end)

  it("does not touch the headers table that was returned", function()
    local headers = { ["x-a"] = "1" }
    of(200, "x", headers).headers["x-a"] = "2"
    equal("1", headers["x-a"])
  end)

  it("says what would be sent", function()
    equal("text", of("text"):bytes())
    equal('{"a":1}', of({ a = 1 }):bytes())
    equal('"text"', of(response.json("text")):bytes())
    equal("null", of(response.json(nil)):bytes())
    equal("false", of(response.json(false)):bytes())
    equal("", of(204):bytes())
    equal("", of(response.redirect("/")):bytes())
    equal(nil, of(response.stream(print)):bytes())
    equal(404, core.decode(of(404):bytes()).status)
    raises("$.self", function()
      local t = {}
      t.self = t
      of(t):bytes()
    end)
  end)

  it("is shown as what it is", function()
    equal("perigee.Result", tostring(of("x")))
    equal(nil, of("x").error)
  end)
end)

describe("what goes to the engine", function()
  it("is what was returned, where nobody changed it", function()
    local headers = { a = "b" }
    local status, body, kept = result.parts(of(200, "x", headers))
    equal(200, status)
    equal("x", body)
    equal(headers, kept)
    equal(2, select("#", result.parts(of("x"))))
  end)

  it("keeps a response value's kind and type while its body is of the same sort", function()
    local res = of(response.bytes("<p>", "text/html"))
    local _, value = result.parts(res)
    equal("bytes", value.kind)
    res.body = "<b>"
    _, value = result.parts(res)
    equal("text/html", value.type)
    equal("<b>", value.body)
    res.body = { a = 1 }
    equal(1, select(2, result.parts(res)).a)
    res = of(404)
    res.body = "mine"
    equal("mine", select(2, result.parts(res)))
  end)

  it("says of a problem that the app has seen it", function()
    equal(true, select(2, result.parts(of(404))).rendered)
  end)
end)

describe("default headers", function()
  local function add(headers)
    headers.a = headers.a or "default"
  end

  it("go with a result that has none, and stay as they are", function()
    local res, defaults = of("x"), { a = "default" }
    result.default_headers(res, defaults, add)
    equal("default", res.headers.a)
    res.headers.a = "changed"
    equal("default", defaults.a)
  end)

  it("are added to those that are there", function()
    local res = of(200, "x", { A = "own", b = "2" })
    result.default_headers(res, { a = "default" }, add)
    equal("own", res.headers.a)
    res = of(200, "x", { b = "2" })
    result.default_headers(res, { a = "default" }, add)
    equal("default2", res.headers.a .. res.headers.b)
  end)
end)
