local apps = require "perigee.app"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function handler() end

local function line()
  local info = debug.getinfo(2, "Sl")
  return info.source:gsub("^@", "") .. ":" .. info.currentline
end

describe("an app", function()
  it("keeps its routes in the order they are written", function()
    local app = apps.new()
    app:get("/a", handler)
    app:post("/b", handler)
    equal(2, #app.routes)
    equal("/a", app.routes[1].pattern)
    equal("/b", app.routes[2].pattern)
    equal(handler, app.routes[1].handler)
  end)

  it("has a function for each common method", function()
    for _, method in ipairs { "get", "post", "put", "patch", "delete", "options", "head" } do
      local app = apps.new()
      app[method](app, "/", handler)
      equal(method:upper(), app.routes[1].method)
    end
    equal("*", apps.new():any("/", handler).routes[1].method)
  end)

  it("routes any method by its name", function()
    equal("PROPFIND", apps.new():route("propfind", "/", handler).routes[1].method)
    equal("*", apps.new():route("*", "/", handler).routes[1].method)
    raises("a method is a token", apps.new().route, apps.new(), "NO METHOD", "/", handler)
    raises("a method is a token", apps.new().route, apps.new(), "", "/", handler)
    raises("a method is a token", apps.new().route, apps.new(), 7, "/", handler)
  end)

  it("remembers where a route was written", function()
    local app = apps.new()
    app:get("/", handler) local here = line()
    equal(here, app.routes[1].place)
    app:any("/any", handler) here = line()
    equal(here, app.routes[2].place)
    app:route("GET", "/route", handler) here = line()
    equal(here, app.routes[3].place)
  end)

  it("returns itself from every call", function()
    local app = apps.new()
    equal(app, app:get("/", handler))
    equal(app, app:any("/", handler))
    equal(app, app:route("GET", "/", handler))
    equal(app, app:start(handler))
    equal(app, app:error(handler))
  end)

  it("shares nothing with another app", function()
    local one, two = apps.new(), apps.new()
    one:get("/", handler):start(handler)
    equal(0, #two.routes)
    equal(nil, two.hooks.start)
  end)

  it("refuses what is no pattern, handler or spec", function()
    local app = apps.new()
    raises("a pattern is a string, got nil", app.get, app, nil, handler)
    raises("a route is written with a colon: app:get(...)", app.get, "/", handler)
    raises("a route is written with a colon: app:any(...)", app.any, "/", handler)
    raises("a handler is a function, got number", app.get, app, "/", 7)
    raises("a handler is a function, got nil", app.get, app, "/")
    raises("a handler is a function, got table", app.get, app, "/", {}, {})
    raises("a route's spec is a table, got string", app.get, app, "/", "spec", handler)
    raises("unknown key 'quary' in a route's spec", app.get, app, "/", { quary = {} }, handler)
    raises("'limits' in a route's spec is a table, got a number", app.get, app, "/", { limits = 1 }, handler)
    equal(0, #app.routes)
  end)
end)

describe("limits", function()
  local function limited(limits)
    return apps.new():get("/", { limits = limits }, handler).routes[1]
  end

  it("take bytes as a number or with a unit", function()
    for size, bytes in pairs { [0] = 0, [1500] = 1500, ["7B"] = 7, ["2KB"] = 2000, ["50MB"] = 50e6, ["1 GB"] = 1e9,
      ["2KiB"] = 2048, ["1MiB"] = 2 ^ 20, ["3GiB"] = 3 * 2 ^ 30 } do
      equal(bytes, limited({ body = size }).body_limit)
    end
    equal(nil, limited({}).body_limit)
  end)

  it("refuse what is no size", function()
    for _, size in ipairs { -1, 1.5, "50", "MB", "50 apples", "-1KB", true, {} } do
      raises("limits.body is a number of bytes or a size like \"50MB\"", limited, { body = size })
    end
  end)

  it("take seconds above 0", function()
    equal(0.5, limited({ time = 0.5 }).time_limit)
    equal(nil, limited({}).time_limit)
    for _, time in ipairs { 0, -1, "1", 0 / 0 } do
      raises("limits.time is a number of seconds above 0", limited, { time = time })
    end
  end)

  it("take seconds of computing, at least 0.05 or none at all", function()
    equal(0.05, limited({ cpu = 0.05 }).cpu_limit)
    equal(0, limited({ cpu = 0 }).cpu_limit)
    equal(nil, limited({}).cpu_limit)
    for _, cpu in ipairs { 0.04, -1, "1", 0 / 0 } do
      raises("limits.cpu is a number of seconds of at least 0.05, or 0 for no limit", limited, { cpu = cpu })
    end
  end)

  it("take bytes of memory", function()
    equal(5e7, limited({ memory = "50MB" }).memory_limit)
    equal(0, limited({ memory = 0 }).memory_limit)
    for _, memory in ipairs { -1, "much", 1.5, true } do
      raises("limits.memory is a number of bytes or a size like \"50MB\", 0 for no limit", limited, { memory = memory })
    end
  end)

  it("are four, and no others", function()
    raises("unknown limit 'heap': there are body, time, cpu and memory", limited, { heap = 1 })
  end)
end)

describe("hooks", function()
  it("of a kind that runs once are given once", function()
    for _, name in ipairs { "error", "not_found" } do
      local app = apps.new()
      app[name](app, handler)
      equal(handler, app.hooks[name])
      raises("app:" .. name .. " was given a function already", app[name], app, handler)
    end
  end)

  it("of the other kinds are kept in order", function()
    for _, name in ipairs { "after", "start", "stop" } do
      local app = apps.new()
      local function second() end
      app[name](app, handler)
      app[name](app, second)
      equal(handler, app.hooks[name][1])
      equal(second, app.hooks[name][2])
    end
  end)

  it("are functions", function()
    raises("a handler is a function, got string", apps.new().start, apps.new(), "no")
  end)
end)
