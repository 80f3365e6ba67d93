local apps = require "perigee.app"
local assembly = require "perigee.assembly"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function handler() end

local names = {}
local function mark(name)
  local function middleware() return name end
  names[middleware] = name
  return middleware
end

-- Patterns with the names of what is around them, "?" where the request's path is asked.
local function shape(app)
  local lines = {}
  for i, route in ipairs(assembly.of(app).routes) do
    local parts = { route.pattern }
    for _, use in ipairs(route.uses) do
      parts[#parts + 1] = names[use.fn] .. (use.covers and "?" or "")
    end
    lines[i] = table.concat(parts, " ")
  end
  return table.concat(lines, "; ")
end

describe("the order of middleware", function()
  it("is the app's, the groups', the route's, wherever they are written", function()
    local app = apps.new()
    app:group("/a", mark "group", function(group)
      group:get("/x", { use = { mark "r1", mark "r2" } }, handler)
      group:group("/b", function(deep)
        deep:get("/y", handler)
        deep:use(mark "deep")
      end)
    end)
    app:use(mark "app1"):use(mark "app2")
    equal("/a/x app1 app2 group r1 r2; /a/b/y app1 app2 group deep", shape(app))
  end)

  it("leaves out those of another prefix, and asks where it can't know", function()
    local app = apps.new()
    app:use("/admin", mark "admin"):use(mark "all")
    app:get("/admin", handler):get("/administrator", handler):get("/{a}/{b}", handler):get("/{rest*}", handler)
    equal("/admin admin all; /administrator all; /{a}/{b} admin? all; /{rest*} admin? all", shape(app))
  end)

  it("puts a mounted app's behind those around it", function()
    local inner, app = apps.new(), apps.new()
    inner:get("/", handler):get("/x", { use = mark "route" }, handler)
    inner:use(mark "inner"):use("/x", mark "x")
    app:use(mark "outer")
    app:group("/g", mark "group", function(group) group:mount("/m", inner) end)
    equal("/g/m outer group inner; /g/m/x outer group inner x route", shape(app))
  end)
end)

describe("names", function()
  it("that are given twice name both lines", function()
    local app = apps.new()
    app:get("/a", { name = "x" }, handler)
    app:get("/b", { name = "x" }, handler)
    local ok, err = pcall(assembly.of, app)
    equal(false, ok)
    equal(2, select(2, err[1]:gsub("assembly_spec.lua:%d+", "")))
    equal("called 'x'", err[1]:match("called 'x'"))
  end)
end)

describe("hooks", function()
  it("of a mounted app answer below its prefix, the outer app's where it has none", function()
    local inner, app = apps.new(), apps.new()
    local function one() end
    local function two() end
    app:error(one):not_found(one):after(one):start(one):mount("/m", inner)
    inner:get("/", handler):error(two):after(two):start(two)
    local assembled = assembly.of(app)
    local at = assembly.context_at(assembled.contexts, "/m/anything")
    equal(two, at.error)
    equal(one, at.not_found)
    equal(one, at.after[1])
    equal(two, at.after[2])
    equal(one, assembly.context_at(assembled.contexts, "/mm").error)
    equal(2, #assembled.start)
    equal(0, #assembled.stop)
  end)

  it("of an app that is mounted twice start once", function()
    local inner, app = apps.new(), apps.new()
    inner:start(handler)
    app:mount("/a", inner):mount("/b", inner)
    equal(1, #assembly.of(app).start)
  end)
end)
