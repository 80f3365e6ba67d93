local apps = require "perigee.app"
local assembly = require "perigee.assembly"
local spec = require "spec"
local urls = require "perigee.urls"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function handler() end

-- The URL of a route of that pattern.
local function url(pattern, params, query)
  local app, names = apps.new(), urls.names
  app:get(pattern, { name = "it" }, handler)
  urls.names = assembly.of(app).names
  local ok, made = pcall(app.url, app, "it", params, query)
  urls.names = names
  return ok and made or error(made, 0)
end

describe("a URL", function()
  it("has the values in their places", function()
    for _, case in ipairs {
      { "/", nil, "/" }, { "/users/", nil, "/users/" }, { "/users/{id:integer}", { id = 7 }, "/users/7" },
      { "/{a}/{b}", { a = "x", b = -2 }, "/x/-2" }, { "/{n:number}", { n = 0.5 }, "/0.5" },
      { "/{n:integer}", { n = 2 ^ 53 }, "/9007199254740992" }, { "/{b:boolean}", { b = false }, "/false" },
      { "/{d:date}", { d = "2024-02-29" }, "/2024-02-29" }, { "/{j:json}", { j = { 1 } }, "/%5B1%5D" },
      { "/files/{path*}", { path = "a b/c.txt" }, "/files/a%20b/c.txt" },
    } do
      equal(case[3], url(case[1], case[2]))
    end
  end)

  it("is encoded where it must be", function()
    equal("/50%25%20off%3F%23", url("/{a}", { a = "50% off?#" }))
    equal("/k%C3%A4se", url("/{a}", { a = "käse" }))
    equal("/k%C3%A4se", url("/käse"))
    equal("/@a+b", url("/{a}", { a = "@a+b" }))
    equal("/%22%3C%3E%7B%7D", url("/{a}", { a = '"<>{}' }))
  end)

  it("has a query in the order of its names", function()
    equal("/?a=1&b=x%20y&b=true&c%26=%2B", url("/", nil, { b = { "x y", true }, a = 1, ["c&"] = "+" }))
    equal("/", url("/", nil, {}))
    equal("/?n=0.1", url("/", nil, { n = 0.1 }))
  end)

  it("is refused with the route and the reason", function()
    for _, case in ipairs {
      { "/{id}", nil, "wants the parameter 'id'" }, { "/{id}", { id = 1, ad = 2 }, "has no parameter 'ad'" },
      { "/{id:integer}", { id = "x" }, "the parameter 'id' is x, not an integer within 2^53" },
      { "/{id:integer}", { id = 1.5 }, "is 1.5, not an integer" }, { "/{id}", { id = {} }, "is a table" },
      { "/{id}", { id = "" }, "is empty" }, { "/{id}", { id = "a/b" }, "holds a slash" },
      { "/{id}", { id = ".." }, "a segment '..'" }, { "/{p*}", { p = "a/../b" }, "a segment '..'" },
      { "/{id}", { id = "a\\b" }, "holds a backslash" }, { "/{id}", { id = "a\0b" }, "a NUL" },
      { "/{d:date}", { d = "2023-02-29" }, "not a date" }, { "/{u:uuid}", { u = "x" }, "is x, not" },
      { "/{p*}", { p = "/evil.example/x" }, "'//evil.example/x' would name another host" },
    } do
      raises(case[3], url, case[1], case[2])
      raises("route 'it' (" .. case[1] .. ")", url, case[1], case[2])
    end
    raises("'q' in a query is a function", url, "/", nil, { q = print })
    raises("a query's names are strings", url, "/", nil, { "x" })
  end)

  it("of an unknown name is an error, and of any while the file runs", function()
    local names, app = urls.names, apps.new()
    urls.names = {}
    raises("no route is called 'nobody'", app.url, app, "nobody")
    urls.names = nil
    raises("use it in a handler or a hook", app.url, app, "nobody")
    urls.names = names
  end)
end)
