-- The admin port, itself a Perigee app: the dashboard, health, routes, metrics, the JIT, reload. It runs in a worker of
-- its own.

local dashboard = require "admin.dashboard"
local error_table = require "admin.error_table"
local core = require "perigee.core"
local credentials = require "perigee.credentials"
local perigee = require "perigee"
local jit_report = require "perigee.jit_report"
local profiles = require "admin.profiles"
local tasks = require "perigee.tasks"

local app = perigee.app()
local token = perigee.config.token
local hosts = {}
for _, host in ipairs(perigee.config.hosts) do
  hosts[host] = true
end

-- Asks the server for something and waits for its answer, as text. `undo`: called where nobody waits any more.
local function operate_text(name, undo)
  core.operate(name)
  tasks.suspend("the admin app", undo)
  return core.result()
end

local function operate(name)
  return core.decode(operate_text(name))
end

-- A page on another site can make a browser come here under that site's name (DNS rebinding): only our own names count.
local function check_host(req)
  local host = req.host:gsub(":%d+$", ""):lower()
  if not hosts[host] and not hosts["*"] then
    error(perigee.problem(403, "the Host is not one of this admin port's"))
  end
end

-- The token that a request brings: as a bearer's, or as a password with any name, which is how browsers ask for one.
local function token_of(req)
  local field = req:header("authorization") or ""
  local _, password = credentials.basic(field)
  return password or field:match("^[Bb]earer +(.+)$") or ""
end

local function check_token(req)
  if token ~= "" and not core.equal(token_of(req), token) then
    error(perigee.problem(401, "a token is required: Authorization: Bearer TOKEN", nil,
      { ["www-authenticate"] = { 'Bearer realm="perigee admin"', 'Basic realm="perigee admin", charset="UTF-8"' } }))
  end
end

-- Browsers send cookies and passwords along with what pages of other sites ask for, and say whose page it was: behind
-- a proxy that speaks TLS too, where the origin is none that we could know. Older ones name the origin only.
local function is_foreign(req)
  local origin, site = req:header("origin"), req:header("sec-fetch-site")
  if site then
    return site ~= "same-origin" and site ~= "none"
  end
  return origin and origin:lower() ~= "http://" .. req.host:lower()
end

local function guarded(handler)
  return function(req)
    check_host(req)
    check_token(req)
    return handler(req)
  end
end

-- What costs the server something, or changes it.
local function own(handler)
  return guarded(function(req)
    if is_foreign(req) then
      return perigee.problem(403, "this is not for pages of other sites")
    end
    return handler(req)
  end)
end

-- Health is for probes, which have no token: it tells nothing else.
app:get("/healthz", function(req)
  check_host(req)
  return "ok\n"
end)

app:get("/readyz", function(req)
  check_host(req)
  if operate("ready").ready then
    return "ready\n"
  end
  return perigee.problem(503, "not ready: starting or draining")
end)

app:get("/routes", guarded(function()
  return perigee.json(perigee.array(operate("routes").routes))
end))

app:get("/openapi.json", guarded(function()
  return perigee.bytes(operate_text("openapi"), "application/json")
end))

app:get("/metrics", guarded(function()
  return perigee.bytes(operate_text("metrics"), "text/plain; version=0.0.4; charset=utf-8")
end))

local function takes(req, media)
  return (req:header("accept") or ""):find(media, 1, true) ~= nil
end

-- What the JIT compiler has made of the app.
app:get("/jit", guarded(function(req)
  local report = jit_report.merge(operate("jit").workers)
  if takes(req, "text/html") then
    return profiles.jit_page(jit_report.html(report))
  elseif takes(req, "text/plain") then
    return jit_report.text(report)
  end
  return report
end))

-- For `Accept: text/plain` a table to read.
app:get("/errors", guarded(function(req)
  local json = core.errors()
  if takes(req, "text/plain") then
    return perigee.text(error_table.text(core.decode(json)))
  end
  return perigee.bytes(json, "application/json")
end))

-- For `Accept: text/plain` (`perigee reload` asks so): the generation, or the mistakes, a line each.
app:post("/reload", own(function(req)
  local result = operate("reload")
  if req:header("accept") == "text/plain" then
    return result.ok and 200 or 422, result.ok and tostring(result.generation) or table.concat(result.mistakes, "\0")
  end
  if result.ok then
    return { reloaded = true, generation = result.generation }
  end
  return perigee.problem(422, "nothing was changed", { mistakes = perigee.array(result.mistakes) })
end))

profiles.add(app, guarded, own, operate_text)
dashboard.add(app, guarded, operate_text)

return app
