-- A chat: rooms over server-sent events, who is there, and a name kept in a session.

local perigee = require "perigee"
local app, t = perigee.app(), perigee.types

local ROOMS = { { slug = "lobby", title = "Lobby" }, { slug = "tea", title = "Tea" }, { slug = "lua", title = "Lua" } }
local TITLES = {}
for _, room in ipairs(ROOMS) do
  TITLES[room.slug] = room.title
end

local login_page = perigee.template "login.html"
local room_page = perigee.template "room.html"

app:type("room", function(text)
  return TITLES[text] and text or nil, "a room: lobby, tea or lua"
end)

-- Another site's page can't post here in a visitor's name.
app:use(perigee.middleware.csrf())
app:use(perigee.middleware.security_headers { content_security_policy = "default-src 'self'" })
app:static("/public", "public")

local function topic_of(room)
  return "chat/" .. room
end

-- Lets in who has a name. Browsers that ask for a page are sent to where one gets one.
local function signed_in(req, inner)
  req.ctx.name = req.session.name
  if req.ctx.name then
    return inner(req)
  elseif (req:header("accept") or ""):find("text/html", 1, true) then
    return perigee.redirect("/")
  end
  return perigee.problem(401, "say who you are first, at /")
end

app:get("/", function(req)
  if req.session.name then
    return perigee.redirect("/rooms/lobby")
  end
  return perigee.html(login_page, {})
end)

local NAME = t.string:length(1, 24):match("^%w[%w ._-]*$")

-- Logging in gives the session a new token, so that one who knew the old one gains nothing.
app:post("/login", { form = { name = NAME } }, function(req)
  req.session.name = req.form.name
  req.session:login(req.form.name)
  return perigee.redirect("/rooms/lobby")
end)

-- Ends the session, and with it the streams that were opened by it.
app:post("/logout", function(req)
  req.session:destroy()
  return perigee.redirect("/")
end)

app:group("/rooms/{room:room}", signed_in, function(room)
  room:get("/", function(req)
    return perigee.html(room_page, { name = req.ctx.name, slug = req.params.room, title = TITLES[req.params.room],
      rooms = ROOMS })
  end)

  room:post("/messages", { form = { text = t.string:length(1, 500) } }, function(req)
    perigee.publish(topic_of(req.params.room), { name = req.ctx.name, text = req.form.text, at = perigee.now() })
    return 204
  end)

  -- A browser that comes back after a pause asks from the last message it saw, and gets those it missed.
  room:channel("/events", function(req)
    return topic_of(req.params.room), { member = { name = req.ctx.name } }
  end)

  room:get("/members", function(req)
    return perigee.array(perigee.members(topic_of(req.params.room)))
  end)
end)

return app
