---@meta _
-- Annotations of sessions for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

---@class perigee
---@field sessions perigee.sessions
local perigee = {}

--- What the server keeps for a client between its requests. Any key but the methods' names may be read and written;
--- nil removes one. Values are strings, numbers, booleans and tables; a table that was read and then changed is
--- written back.
---
--- ```lua
--- app:post("/login", function(req)
---   req.session:login(req.form.name)
---   return perigee.redirect("/")
--- end)
--- app:get("/", function(req) return "Hello, " .. (req.session.user or "stranger") end)
--- ```
---@class perigee.Session
---@field user? string|number whose it is; login writes it
---@field [string] any
local Session = {}

--- The session's id: no secret, the same for as long as it lives; nil where there is none yet.
---@return string?
function Session:id() end

--- Makes the session a user's, by its key `user`, and gives the client another token.
---@param user string|number
function Session:login(user) end

--- Gives the client another token; the one before is worth nothing from then on.
function Session:rotate() end

--- Ends the session and the streams that belong to it. What is written after it makes another.
function Session:destroy() end

--- The session is used, as by reading it: its idle timeout begins anew.
function Session:touch() end

--- A copy of all keys and values, this request's changes included.
---@return table<string, any>
function Session:all() end

---@class perigee.sessions
local sessions = {}

---@class perigee.ListedSession
---@field id string
---@field created number seconds since the epoch
---@field used number seconds since the epoch
---@field values table<string, any> a copy

--- The sessions of a user: those whose key `user` says so.
---@param user string|number
---@return perigee.ListedSession[]
function sessions.of(user) end

--- Ends all sessions of a user, or the one with that id, and the streams that belong to them.
---@param user string|number
---@param id? string
---@return integer count how many it ended
function sessions.destroy(user, id) end
