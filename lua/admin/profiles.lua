-- Profiles of the running server: recorded by the engine while the request waits, handed out as pprof, folded stacks or
-- a flame graph.

local perigee = require "perigee"

local t = perigee.types

local M = {}

local MOST_SECONDS = 600
local PAGE_TYPES = {
  html = "text/html; charset=utf-8", css = "text/css; charset=utf-8", js = "text/javascript; charset=utf-8",
}
local POLICY = "default-src 'self'; frame-ancestors 'none'"

local SECONDS = t.number:min(0.1):max(MOST_SECONDS):default(10)
local HERTZ = t.integer:min(1):max(1000):default(99)
local KINDS = { profile = "cpu" } -- by the names that pprof knows them by

-- Records and waits. Raises a problem when nothing can be recorded.
local function record(operate, kind, form, query)
  local text = operate(("profile %s %s %.17g %d"):format(kind, form, query.seconds, query.hz))
  if text:sub(1, 1) == "!" then
    error(perigee.problem(503, text:sub(2)))
  end
  return text
end

local function page(name)
  local kind = name:match("%.(%w+)$")
  return 200, perigee.bytes(require("admin.pages." .. name), PAGE_TYPES[kind]), {
    ["content-security-policy"] = POLICY, ["cache-control"] = "no-cache", ["x-content-type-options"] = "nosniff",
  }
end

--- Adds the routes to the admin app.
---@param app perigee.App
---@param guarded fun(handler: function): function admits who may
---@param operate fun(name: string): string asks the engine
function M.add(app, guarded, operate)
  local function recording(spec)
    spec.limits = { time = MOST_SECONDS + 60 }
    spec.query = spec.query or {}
    spec.query.seconds, spec.query.hz = SECONDS, HERTZ
    return spec
  end

  app:get("/debug/pprof/{kind}", recording { params = { kind = t.enum { "profile" } } }, guarded(function(req)
    local bytes = record(operate, KINDS[req.params.kind], "pprof", req.query)
    local disposition = ('attachment; filename="%s.pb.gz"'):format(req.params.kind)
    return 200, perigee.bytes(bytes, "application/octet-stream"), { ["content-disposition"] = disposition }
  end))

  app:get("/debug/folded", recording { query = { type = t.enum { "cpu" }:default("cpu") } }, guarded(function(req)
    return perigee.text(record(operate, req.query.type, "folded", req.query))
  end))

  app:get("/debug/flame.json", recording { query = { type = t.enum { "cpu" }:default("cpu") } }, guarded(function(req)
    return perigee.bytes(record(operate, req.query.type, "flame", req.query), "application/json")
  end))

  app:get("/debug/flame", guarded(function()
    return page "flame.html"
  end))

  for _, name in ipairs { "flame.css", "flame.js" } do
    app:get("/pages/" .. name, guarded(function()
      return page(name)
    end))
  end
end

return M
