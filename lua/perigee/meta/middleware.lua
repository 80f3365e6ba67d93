---@meta _
-- Annotations of middleware, groups, mounts and URLs for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

--- Runs around a handler. It returns all a handler may; nothing after it called `inner` means `inner`'s response.
---@alias perigee.Inner fun(req: perigee.Request): perigee.Result
---@alias perigee.Middleware fun(req: perigee.Request, inner: perigee.Inner): any, any, any

--- What `inner` gives back: the response so far, not yet encoded. It never raises: `error` is what was raised inside.
---@class perigee.Result
---@field status integer 200 to 599
---@field headers perigee.Headers names are found and kept in lower case
---@field body any as the handler returned it: a string, a table, a problem's document, a stream's function, nil
---@field error any what was raised inside; nil without. Can't be assigned.
local Result = {}

--- The body as it would be sent; nil of a stream. Raises where it can't be encoded.
---@return string? bytes
function Result:bytes() end

---@class perigee.App
local App = {}

--- Routes that share a prefix and middleware: it has the verbs of an app, `use`, `group`, `mount` and `static`.
---@class perigee.Group: perigee.App

--- Puts middleware around every route, wherever it is written, and around what no route takes; with a prefix around
--- paths below it.
---
--- ```lua
--- app:use(function(req, inner)
---   local res = inner(req)
---   res.headers["x-a"] = "b"
---   return res
--- end)
--- ```
---@param prefix string whole segments
---@param fn perigee.Middleware|perigee.Middleware[]
---@return perigee.App
---@overload fun(self: perigee.App, fn: perigee.Middleware|perigee.Middleware[]): perigee.App
function App:use(prefix, fn) end

--- Writes routes that share a prefix and middleware. "/" in a group is the prefix itself.
---
--- ```lua
--- app:group("/admin", auth, function(admin) admin:get("/users", list_users) end)
--- ```
---@param prefix string
---@param middleware perigee.Middleware|perigee.Middleware[]
---@param fn fun(group: perigee.Group)
---@return perigee.App
---@overload fun(self: perigee.App, prefix: string, fn: fun(group: perigee.Group)): perigee.App
function App:group(prefix, middleware, fn) end

--- Serves another app below a prefix, with its middleware and hooks.
---@param prefix string
---@param other perigee.App
---@return perigee.App
function App:mount(prefix, other) end

--- The URL of the route whose spec has that `name`. Raises where a parameter is missing, unknown or not of its type.
---
--- ```lua
--- app:url("user", { id = 7 }, { tab = "posts" }) -- "/users/7?tab=posts"
--- ```
---@param name string
---@param params? table<string, any> one value for each parameter of the pattern
---@param query? table<string, any> a list is repeated
---@return string
function App:url(name, params, query) end

-- Middleware that comes with Perigee ---------------------------------------------------------------------------------

--- Each takes its settings and returns a middleware. A setting that does not exist or makes no sense raises.
---@class perigee.middleware
local middleware = {}

---@class perigee.BasicAuth
---@field users? table<string, string> passwords by names
---@field verify? fun(name: string, password: string, req: perigee.Request): any instead of `users`; true or who it is
---@field realm? string default "restricted"

--- Asks for a name and a password (RFC 7617); `req.ctx.user` is who it is.
---@param settings perigee.BasicAuth
---@return perigee.Middleware
function middleware.basic_auth(settings) end

---@class perigee.Compress
---@field gzip? integer|boolean level 1 to 9, default 5; false: not offered
---@field brotli? integer|boolean level 0 to 11, default 4; false: not offered
---@field min_size? integer bytes, default 1024
---@field types? string[] "text/html", "text/*" or "*+json"
---@field file_size? integer bytes; larger files are sent as they are; default 1 MiB
---@field file_memory? integer bytes of compressed files that each worker keeps, default 8 MiB

--- Compresses bodies with brotli or gzip for clients that take them.
---@param settings? perigee.Compress
---@return perigee.Middleware
function middleware.compress(settings) end

---@class perigee.Cors
---@field origins string[]|"*"|fun(origin: string, req: perigee.Request): any "https://app.example", without a path
---@field credentials? boolean default false; never with "*"
---@field methods? string[] default GET, HEAD, POST, PUT, PATCH, DELETE
---@field headers? string[] default: those that the preflight asks for
---@field expose? string[] default {}
---@field max_age? integer seconds, default 600
---@field private_network? boolean default false

--- Lets pages of other origins read answers (the Fetch standard's CORS protocol). Put it app-wide or on a prefix.
---@param settings perigee.Cors
---@return perigee.Middleware
function middleware.cors(settings) end

---@class perigee.Csrf
---@field trusted_origins? string[] default {}
---@field token? "fallback"|"always" default "fallback"
---@field cookie? string default "csrf"
---@field field? string default "csrf_token"
---@field header? string default "x-csrf-token"
---@field secret? string at least 32 bytes; default: random, the same for all workers until the process ends
---@field bind? fun(req: perigee.Request): string? what tokens are bound to, such as a session's id
---@field skip? fun(req: perigee.Request): any true of requests to let pass

--- Refuses what another site had a browser send. `req.ctx.csrf_token()` makes a token.
---@param settings? perigee.Csrf
---@return perigee.Middleware
function middleware.csrf(settings) end

---@class perigee.RateLimit
---@field requests? integer default 100
---@field per? number seconds, default 60
---@field burst? integer how many may come at once; default as many as `requests`
---@field key? fun(req: perigee.Request): any what is counted, nil for none; default the address, of IPv6 64 bits
---@field name? string limits of one name share their buckets
---@field headers? boolean default true: send RateLimit-Policy and RateLimit

--- Answers 429 to who asks too often, counted for all workers together and over reloads.
---@param settings? perigee.RateLimit
---@return perigee.Middleware
function middleware.rate_limit(settings) end

---@class perigee.SecurityHeaders
---@field content_type_options? string|false default "nosniff"
---@field frame? "deny"|"sameorigin"|false default "sameorigin"
---@field content_security_policy? string|false default false; `frame` adds frame-ancestors
---@field referrer_policy? string|false default "strict-origin-when-cross-origin"
---@field opener_policy? string|false default "same-origin"
---@field resource_policy? string|false default "same-origin"
---@field permissions_policy? string|false default false
---@field hsts? integer|false seconds, default 31536000; only over HTTPS
---@field hsts_subdomains? boolean default false
---@field hsts_preload? boolean default false

--- Tells browsers to be careful. What a handler set stays; false leaves a header out.
---@param settings? perigee.SecurityHeaders
---@return perigee.Middleware
function middleware.security_headers(settings) end

return middleware
