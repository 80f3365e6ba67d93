-- A JSON service that keeps notes: create, read, update, delete, with validation, authentication and pages.

local perigee = require "perigee"
local store = require "store"

local app, t = perigee.app(), perigee.types

-- [app.tokens] in the configuration names who may write, by token.
local users = perigee.config.tokens or { ["let-me-in"] = "ada" }

local title = t.string:length(1, 80)
local text = t.string:length(0, 10000)
local tags = t.list(t.keyword):length(0, 10)
local state = t.enum { "open", "done" }
local by_id = t.integer:min(1)

-- Everybody may read; who writes shows a token.
local function authenticated(req, inner)
  if req.method ~= "GET" and req.method ~= "HEAD" then
    local token = (req:header("authorization") or ""):match("^[Bb]earer +(%S+)$")
    local user = token and users[token]
    if not user then
      return perigee.problem(401, "send Authorization: Bearer TOKEN", nil,
        { ["www-authenticate"] = 'Bearer realm="notes"' })
    end
    req.ctx.user = user
  end
  return inner(req)
end

local function found(id)
  return store.get(id) or error(perigee.problem(404, ("there is no note %d"):format(id)))
end

-- Only its author changes a note.
local function own(req)
  local note = found(req.params.id)
  if note.author ~= req.ctx.user then
    error(perigee.problem(403, "the note is somebody else's"))
  end
  return note
end

app:group("/notes", authenticated, function(notes)
  -- A page of notes, the newest first. `next` is where the next page is, as long as there is one.
  notes:get("/", {
    name = "notes",
    query = { state = state:optional(), tag = t.keyword:optional(), before = by_id:optional(),
      limit = t.integer:min(1):max(100):default(20) },
  }, function(req)
    local wanted = req.query
    local items, last = store.page(wanted)
    local more = last and app:url("notes", nil, { state = wanted.state, tag = wanted.tag, limit = wanted.limit,
      before = last })
    return 200, { items = perigee.array(items), next = more }, { link = more and ("<%s>; rel=\"next\""):format(more) }
  end)

  notes:post("/", {
    name = "create note",
    body = t.object { title = title, text = text:default(""), tags = tags:default {},
      state = state:default("open") }:strict(),
  }, function(req)
    local note = store.add(req.body, req.ctx.user)
    return 201, note, { location = app:url("note", { id = note.id }) }
  end)

  notes:get("/{id:integer}", { name = "note", params = { id = by_id } }, function(req)
    return found(req.params.id)
  end)

  -- Changes what is sent and leaves the rest (RFC 7396); a text of null is an empty one.
  notes:patch("/{id:integer}", {
    name = "change note",
    params = { id = by_id },
    body = t.object { title = title:optional(), text = text:nullable():optional(), tags = tags:optional(),
      state = state:optional() }:strict(),
  }, function(req)
    local changes = req.body
    if changes.text == perigee.null then
      changes.text = ""
    end
    return store.change(own(req), changes)
  end)

  notes:delete("/{id:integer}", { name = "delete note", params = { id = by_id } }, function(req)
    store.remove(own(req).id)
    return 204
  end)
end)

return app
