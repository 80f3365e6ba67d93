-- Profiles of the running server: recorded by the engine while the request waits, handed out as pprof, folded stacks or
-- a flame graph.

local core = require "perigee.core"
local pages = require "admin.pages"
local perigee = require "perigee"

local t = perigee.types

local M = {}

local MOST_SECONDS = 600

local SECONDS = t.number:min(0.1):max(MOST_SECONDS):default(10)
local HERTZ = t.integer:min(1):max(1000):default(99)
local TYPE = t.enum { "cpu", "alloc", "wait", "block" }:default("cpu")
local KINDS = { profile = "cpu", allocs = "alloc", wait = "wait", block = "block" } -- by the names that pprof has

-- What the engine answered. Raises a problem when nothing can be recorded.
local function checked(text)
  if text:sub(1, 1) == "!" then
    error(perigee.problem(503, text:sub(2)))
  end
  return text
end

local last_number = 0

-- Has the engine record and waits. Who leaves ends the recording.
local function order(operate, what, wanted)
  last_number = last_number + 1
  local number = last_number
  return checked(operate(("%s %d %s"):format(what, number, wanted), function()
    core.operate("forget " .. number)
  end))
end

local function record(operate, kind, form, query)
  return order(operate, "profile", ("%s %s %.17g %d"):format(kind, form, query.seconds, query.hz))
end

--- The page of what the compiler gave up.
---@param parts { summary: string, places: string, workers: string } HTML
function M.jit_page(parts)
  local text = require "admin.pages.jit.html":gsub("{(%l+)}", parts)
  return pages.answer("jit.html", text)
end

local function pprof(bytes, name)
  local disposition = ('attachment; filename="%s.pb.gz"'):format(name)
  return 200, perigee.bytes(bytes, "application/octet-stream"), { ["content-disposition"] = disposition }
end

-- The page with everything in it, to be kept as a file.
local function whole_page(data)
  local parts = {
    ['  <link rel="icon" href="/pages/icon.svg" type="image/svg+xml">\n'] = "",
    ['<link rel="stylesheet" href="/pages/flame.css">'] = "<style>" .. require "admin.pages.flame.css" .. "</style>",
    ['<script src="/pages/flame.js" type="module"></script>'] = '<script type="module">'
      .. require "admin.pages.flame.js" .. "</script>",
    ['id="data">null<'] = 'id="data">' .. data:gsub("<", "\\u003c") .. "<",
  }
  local text = require "admin.pages.flame.html"
  for given, wanted in pairs(parts) do
    local first, last = text:find(given, 1, true)
    text = text:sub(1, first - 1) .. wanted .. text:sub(last + 1)
  end
  return text
end

--- Adds the routes to the admin app.
---@param app perigee.App
---@param guarded fun(handler: function): function admits who may
---@param own fun(handler: function): function likewise, but no pages of other sites
---@param operate fun(name: string, undo?: function): string asks the engine
function M.add(app, guarded, own, operate)
  local function recording(spec)
    spec.limits = { time = MOST_SECONDS + 60 }
    spec.query = spec.query or {}
    spec.query.seconds, spec.query.hz = SECONDS, HERTZ
    return spec
  end

  local function typed(handler)
    return recording { query = { type = TYPE } }, own(handler)
  end

  local by_kind = recording { params = { kind = t.enum { "profile", "allocs", "wait", "block" } } }
  app:get("/debug/pprof/{kind}", by_kind, own(function(req)
    return pprof(record(operate, KINDS[req.params.kind], "pprof", req.query), req.params.kind)
  end))

  app:get("/debug/pprof", typed(function(req)
    return pprof(record(operate, req.query.type, "pprof", req.query), req.query.type)
  end))

  app:get("/debug/folded", typed(function(req)
    return perigee.text(record(operate, req.query.type, "folded", req.query))
  end))

  app:get("/debug/top", typed(function(req)
    return perigee.text(record(operate, req.query.type, "top", req.query))
  end))

  -- Everything is many times slower meanwhile: for development.
  app:get("/debug/calls", recording {}, own(function(req)
    return perigee.text(order(operate, "calls", ("%.17g"):format(req.query.seconds)))
  end))

  app:get("/debug/flame.json", typed(function(req)
    return perigee.bytes(record(operate, req.query.type, "flame", req.query), "application/json")
  end))

  app:get("/debug/flame.html", typed(function(req)
    return perigee.html(whole_page(record(operate, req.query.type, "flame", req.query)))
  end))

  app:get("/debug/flame", guarded(function()
    return pages.answer "flame.html"
  end))

  pages.serve(app, guarded, { "flame.css", "flame.js" })
end

return M
