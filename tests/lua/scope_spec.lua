local apps = require "perigee.app"
local assembly = require "perigee.assembly"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function handler() end
local function first() end
local function second() end
local function third() end

describe("a group", function()
  it("puts its prefix before the patterns of its routes", function()
    local app = apps.new()
    app:group("/api", function(api)
      api:get("/", handler)
      api:post("", handler)
      api:get("/users", handler)
      api:group("/v1", function(v1) v1:any("/x/{id}", handler) end)
    end)
    local patterns = {}
    for i, route in ipairs(app.routes) do
      patterns[i] = route.pattern
    end
    equal("/api /api /api/users /api/v1/x/{id}", table.concat(patterns, " "))
  end)

  it("returns the app, and its verbs the group", function()
    local app = apps.new()
    equal(app, app:group("/a", function(group) equal(group, group:get("/", handler)) end))
  end)

  it("has the verbs of an app, but not its hooks", function()
    apps.new():group("/a", function(group)
      equal("function", type(group.patch))
      equal(nil, group.error)
    end)
  end)

  it("refuses what is no prefix, middleware or function", function()
    local app = apps.new()
    raises("does not begin with a slash", app.group, app, "api", handler)
    raises("what writes a group's routes is a function, got nil", app.group, app, "/api")
    raises("a middleware is a function, got number", app.group, app, "/api", 7, handler)
    raises("a list of middleware holds functions, got a number under 1", app.group, app, "/api", { 7 }, handler)
    raises("pattern 'x': it does not begin with a slash", app.group, app, "/api", function(g) g:get("x", handler) end)
  end)
end)

describe("use", function()
  it("takes a function or a list, with or without a prefix", function()
    local app = apps.new()
    equal(app, app:use(first))
    app:use { first, second }
    app:use("/a/", third)
    equal(4, #app.uses)
    equal("/a", app.uses[4].prefix)
  end)

  it("refuses anything else", function()
    local app = apps.new()
    raises("a middleware is a function, got nil", app.use, app)
    raises("a middleware is a function, got nil", app.use, app, "/a")
    raises("a middleware is a function, got number", app.use, app, "/a", 1)
    raises("a list of middleware holds functions", app.use, app, { first, "x" })
    raises("does not begin with a slash", app.use, app, "a", first)
    raises("a middleware is a function, got string", app.get, app, "/", { use = "cors" }, handler)
    raises("'name' in a route's spec is a string, got a number", app.get, app, "/", { name = 1 }, handler)
  end)
end)

describe("a mount", function()
  it("takes apps only", function()
    local app = apps.new()
    raises("what is mounted is what perigee.app() made, got table", app.mount, app, "/x", {})
    raises("what is mounted is what perigee.app() made, got nil", app.mount, app, "/x")
  end)

  it("of an app in itself fails at load", function()
    local app = apps.new()
    app:mount("/x", app)
    local ok, err = pcall(assembly.of, app)
    equal(false, ok)
    equal("an app is mounted in itself", err[1])
  end)
end)
