-- require "perigee": everything a program uses.

local all = require "perigee.all"
local app = require "perigee.app"
local channels = require "perigee.channels"
local core = require "perigee.core"
local crypto = require "perigee.crypto"
local deferred = require "perigee.deferred"
local errors = require "perigee.errors"
local files = require "perigee.files"
local html = require "perigee.html"
local http = require "perigee.http"
local log = require "perigee.log"
local middleware = require "perigee.middleware"
local openapi = require "perigee.openapi"
local request = require "perigee.request"
local response = require "perigee.response"
local run = require "perigee.run"
local semaphore = require "perigee.semaphore"
local session = require "perigee.session"
local shared = require "perigee.shared"
local socket = require "perigee.socket"
local spawned = require "perigee.spawned"
local sse = require "perigee.sse"
local subscriptions = require "perigee.subscriptions"
local tasks = require "perigee.tasks"
local template = require "perigee.template"
local timers = require "perigee.timers"
local types = require "perigee.types"

local worker_id, worker_count, version = core.worker()

---@class perigee
local perigee = {
  app = app.new,
  log = log,
  middleware = middleware,
  types = types,
  config = {},
  worker = { id = worker_id, count = worker_count },
  version = version,

  text = response.text,
  json = response.json,
  bytes = response.bytes,
  html = response.html,
  raw = html.raw,
  template = template.template,
  redirect = response.redirect,
  problem = response.problem,
  stream = response.stream,
  sse = sse.sse,
  file = files.file,

  null = core.null,
  encode = core.encode,
  decode = core.decode,

  shared = shared.shared,
  http = {
    get = http.get, post = http.post, put = http.put, patch = http.patch, delete = http.delete, head = http.head,
    options = http.options, request = http.request, stats = http.stats,
  },
  socket = { tcp = socket.tcp, udp = socket.udp, unix = socket.unix },
  crypto = {
    random = crypto.random, uuid = crypto.uuid, sha256 = crypto.sha256, hmac = crypto.hmac, hex = crypto.hex,
    unhex = crypto.unhex, base64 = crypto.base64, unbase64 = crypto.unbase64, base64url = crypto.base64url,
    unbase64url = crypto.unbase64url, equal = crypto.equal, password_hash = crypto.password_hash,
    password_verify = crypto.password_verify,
  },
  sessions = session.sessions,
  errors = errors.errors,

  publish = channels.publish,
  members = channels.members,
  subscribe = subscriptions.subscribe,

  sleep = tasks.sleep,
  spawn = spawned.spawn,
  all = all.all,
  every = timers.every,
  cron = timers.cron,
  semaphore = semaphore.new,
  run = run.run,
  defer = deferred.defer,
  shield = tasks.shield,
  now = core.now,
  monotonic = core.monotonic,
}

--- Marks a table as an array, so that an empty one is written as [].
---@generic T
---@param items? T[]
---@return T[]
function perigee.array(items)
  return setmetatable(items or {}, core.array_mark)
end

--- The routes of the running app, in the order of its file, as `perigee routes --json` prints them.
---@return table[] each { method, pattern, place, name, params, query, headers, cookies, form, body }
function perigee.routes()
  if #request.routes == 0 then
    error("perigee.routes: the routes are known once the app is loaded: ask in a handler or a hook", 2)
  end
  return openapi.entries(request.routes)
end

return perigee
