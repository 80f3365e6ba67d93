-- The request is the one that lua_library_test.cc sends to run this file.

local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("a request", function()
  it("says what the client said", function()
    local req = spec.req
    equal("POST", req.method)
    equal("/specs/request_spec/42", req.path)
    equal("/specs/request_spec/42?a=1&a=2&b=x+y", req.target)
    equal("1.1", req.version)
    equal("https", req.scheme)
    equal("example", req.host)
    equal("/specs/{name}/{number:integer}", req.route)
  end)

  it("says what the server knows", function()
    equal("192.0.2.7", spec.req.remote_addr)
    equal("id-1", spec.req.id)
  end)

  it("says how its methods are called", function()
    raises("called with a colon", spec.req.header, "host")
    raises("called with a colon", spec.req.query_all, "a")
  end)

  it("has its parameters in their types", function()
    equal("request_spec", spec.req.params.name)
    equal(42, spec.req.params.number)
    equal(nil, spec.req.params.other)
  end)

  it("has the first of equal names in its query, and all of them on demand", function()
    equal("1", spec.req.query.a)
    equal("x y", spec.req.query.b)
    equal(nil, spec.req.query.c)
    equal("1,2", table.concat(spec.req:query_all("a"), ","))
    equal(0, #spec.req:query_all("c"))
  end)

  it("has its cookies by name", function()
    equal("oat", spec.req.cookies.flavour)
    equal("v", spec.req.cookies.quoted)
    equal(nil, spec.req.cookies.none)
  end)

  it("has its headers in any case", function()
    equal("application/x-www-form-urlencoded", spec.req:header("CONTENT-Type"))
    equal("application/x-www-form-urlencoded", spec.req.headers["content-type"])
    equal(nil, spec.req:header("x-none"))
    equal(nil, spec.req.headers["x-none"])
  end)

  it("has its body raw and as a form", function()
    equal("f=1&g=%41", spec.req.body)
    equal("f=1&g=%41", spec.req:raw())
    equal("1", spec.req.form.f)
    equal("A", spec.req.form.g)
    local value, err = spec.req:json()
    equal(nil, value)
    equal("string", type(err))
  end)

  it("gives the same table again", function()
    for _, field in ipairs { "params", "query", "cookies", "headers", "form", "ctx" } do
      equal(spec.req[field], spec.req[field])
    end
  end)

  it("takes no option of a cookie that it does not know", function()
    local set, delete = spec.req.set_cookie, spec.req.delete_cookie
    raises("a cookie has no option 'httponly', did you mean 'http_only'?", set, spec.req, "a", "b", { httponly = true })
    raises("a cookie has no option 'expires'", set, spec.req, "a", "b", { expires = 1 })
    raises("a cookie has no option 'pth', did you mean 'path'?", delete, spec.req, "a", { pth = "/x" })
  end)

  it("has ctx for what the program keeps, and takes nothing else", function()
    spec.req.ctx.mark = "kept"
    equal("kept", spec.req.ctx.mark)
    local other = {}
    spec.req.ctx = other
    equal(other, spec.req.ctx)
    raises("req.user can't be assigned: put it into req.ctx", function() spec.req.user = 1 end)
    raises("req.path can't be assigned: put it into req.ctx", function() spec.req.path = "/" end)
    equal(nil, spec.req.user)
  end)

  it("shows itself by its kind", function()
    equal("perigee.Request", tostring(spec.req))
  end)
end)
