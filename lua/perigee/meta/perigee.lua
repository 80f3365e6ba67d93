---@meta perigee
-- Annotations for lua-language-server. Never loaded at run time: the server carries lua/perigee/*.lua only.
-- luacheck: ignore 241

--- The library: `local perigee = require "perigee"`.
---
--- What the world can cause is returned as `nil, err`; what only the program can cause is raised.
---@class perigee
---@field types perigee.types what values of a request must be
---@field config table the `[app]` table of the configuration, in the shape it has there; dates are strings
---@field worker perigee.Worker which worker runs this code
---@field version string the version of Perigee, "1.2.3"
---@field log perigee.log
---@field middleware perigee.middleware what comes with Perigee to put around handlers
---@field null userdata JSON's null, both ways; it is true in an `if`
local perigee = {}

---@class perigee.Worker
---@field id integer 1 to count
---@field count integer worker threads of the server

-- The app ----------------------------------------------------------------------------------------------------------

--- Makes the app that the file returns.
---
--- ```lua
--- local app = perigee.app()
--- app:get("/", function() return "Hello, World!" end)
--- return app
--- ```
---@return perigee.App
function perigee.app() end

--- What a handler returns is the answer: a string is text, a table is JSON, a response value is itself, a lone integer
--- is that status, `status, body, headers` are those, nothing or nil is a 204, `nil, err` is a 500 with `err` in the
--- log.
---@alias perigee.Body string|table|perigee.Response
---@alias perigee.Headers table<string, string|number|(string|number)[]>
---@alias perigee.First integer|perigee.Body|nil a status or a body
---@alias perigee.Second perigee.Body|nil a body behind a status, or an error behind nil
---@alias perigee.Handler fun(req: perigee.Request): perigee.First, perigee.Second, perigee.Headers?

--- What a route says of its requests. What does not fit is answered 400 with all that is wrong, and never reaches the
--- handler.
---@class perigee.RouteSpec
---@field params? table<string, perigee.AnyType> of the path's parameters, beyond what the pattern says
---@field query? table<string, perigee.AnyType>
---@field headers? table<string, perigee.AnyType> names in any case; `req.headers` has them in lower case
---@field cookies? table<string, perigee.AnyType>
---@field form? table<string, perigee.AnyType>
---@field body? perigee.AnyType a string or function takes the text, any other type JSON
---@field name? string for `app:url`, and the operationId of the OpenAPI document
---@field limits? perigee.RouteLimits
---@field use? perigee.Middleware|perigee.Middleware[] from the outermost

---@class perigee.RouteLimits
---@field body? integer|string largest request body: bytes, or a size like "50MB" or "64KiB"; more is answered 413
---@field time? number seconds the handler may take, waiting included; then its next wait raises, which is a 503
---@field memory? integer|string by how much the handler may make the heap grow: bytes or a size; then it is stopped
---@field cpu? number seconds the handler may compute, at least 0.05, 0 for no limit; then it is stopped, which is a 503

--- Collects routes and hooks while the app's file runs.
---
--- A pattern is made of literal segments, `{name}`, `{name:type}` and, last, `{rest*}`. The types are `string integer
--- number boolean uuid date json keyword slug`. A literal beats a typed parameter, that an untyped one, that a rest.
--- Each method raises on a mistake of the program and returns the app.
---@class perigee.App
local App = {}

--- Names a type of the app's own, for patterns (`{name:type}`) and specs. What the function raises is a 500.
---
--- ```lua
--- app:type("game", function(text) return games[text] end, "a known game")
--- app:get("/play/{game:game}", function(req) return req.params.game.title end)
--- ```
---@param name string letters, digits and _
---@param fn fun(text: string): any, string? the value a text stands for; nil, and perhaps what is expected, refuses it
---@param expected? string what it wants, in words for a client
---@return perigee.App
function App:type(name, fn, expected) end

--- Routes GET, and HEAD with it.
---
--- ```lua
--- app:get("/users/{id:integer}", function(req) return { id = req.params.id } end)
--- app:get("/export", { limits = { time = 120 } }, function() return "..." end)
--- ```
---@param pattern string
---@param spec perigee.RouteSpec
---@param handler perigee.Handler
---@return perigee.App
---@overload fun(self: perigee.App, pattern: string, handler: perigee.Handler): perigee.App
function App:get(pattern, spec, handler) end

--- Routes POST.
---@param pattern string
---@param spec perigee.RouteSpec
---@param handler perigee.Handler
---@return perigee.App
---@overload fun(self: perigee.App, pattern: string, handler: perigee.Handler): perigee.App
function App:post(pattern, spec, handler) end

--- Routes PUT.
---@param pattern string
---@param spec perigee.RouteSpec
---@param handler perigee.Handler
---@return perigee.App
---@overload fun(self: perigee.App, pattern: string, handler: perigee.Handler): perigee.App
function App:put(pattern, spec, handler) end

--- Routes PATCH.
---@param pattern string
---@param spec perigee.RouteSpec
---@param handler perigee.Handler
---@return perigee.App
---@overload fun(self: perigee.App, pattern: string, handler: perigee.Handler): perigee.App
function App:patch(pattern, spec, handler) end

--- Routes DELETE.
---@param pattern string
---@param spec perigee.RouteSpec
---@param handler perigee.Handler
---@return perigee.App
---@overload fun(self: perigee.App, pattern: string, handler: perigee.Handler): perigee.App
function App:delete(pattern, spec, handler) end

--- Routes OPTIONS, which is answered with a right `Allow` where no route takes it.
---@param pattern string
---@param spec perigee.RouteSpec
---@param handler perigee.Handler
---@return perigee.App
---@overload fun(self: perigee.App, pattern: string, handler: perigee.Handler): perigee.App
function App:options(pattern, spec, handler) end

--- Routes HEAD, which is answered by the GET route where no route takes it.
---@param pattern string
---@param spec perigee.RouteSpec
---@param handler perigee.Handler
---@return perigee.App
---@overload fun(self: perigee.App, pattern: string, handler: perigee.Handler): perigee.App
function App:head(pattern, spec, handler) end

--- Routes every method that has no route of its own at the pattern.
---@param pattern string
---@param spec perigee.RouteSpec
---@param handler perigee.Handler
---@return perigee.App
---@overload fun(self: perigee.App, pattern: string, handler: perigee.Handler): perigee.App
function App:any(pattern, spec, handler) end

--- Routes a method by its name, also one without a function of its own: `app:route("PROPFIND", "/dav", handler)`.
---@param method string in any case; "*" is any
---@param pattern string
---@param spec perigee.RouteSpec
---@param handler perigee.Handler
---@return perigee.App
---@overload fun(self: perigee.App, method: string, pattern: string, handler: perigee.Handler): perigee.App
function App:route(method, pattern, spec, handler) end

---@alias perigee.Renderer fun(problem: perigee.Problem, req: perigee.Request, err): perigee.First, perigee.Second, any

--- Renders error answers: problems, lone statuses from 400 on, and what handlers raised. It may return all a handler
--- may; the status is the problem's unless it returns one. Nothing or nil sends the problem itself, a failure falls
--- back to the built-in. Given once.
---
--- ```lua
--- app:error(function(problem, req, err)
---   return problem.status, problem.title .. " (" .. problem.request_id .. ")\n"
--- end)
--- ```
---@param renderer perigee.Renderer
---@return perigee.App
function App:error(renderer) end

--- Answers paths that no route takes. Its status is 200 unless it returns another. Given once.
---@param handler perigee.Handler
---@return perigee.App
function App:not_found(handler) end

--- Runs after each answer is sent; may wait. An error is logged.
---@param hook fun(req: perigee.Request, res: perigee.Answer)
---@return perigee.App
function App:after(hook) end

--- Runs on each worker before this version of the app serves; may wait, at most `server.reload_timeout` seconds. An
--- error keeps the version from serving.
---@param hook fun()
---@return perigee.App
function App:start(hook) end

--- Runs on each worker when this version has served its last request; may wait.
---@param hook fun()
---@return perigee.App
function App:stop(hook) end

--- Calls a function with each session that is being made, before it is: what it writes is made with it. May be given
--- several times; an error of it is the request's.
---
--- ```lua
--- app:on_session(function(session, req) session.agent = req:header("user-agent") end)
--- ```
---@param fn fun(session: perigee.Session, req: perigee.Request)
---@return perigee.App
function App:on_session(fn) end

--- A problem document (RFC 9457).
---@class perigee.Problem
---@field title string the status in words
---@field status integer 400 to 599
---@field detail? string what went wrong
---@field request_id string the request's id, as the logs have it
---@field errors? perigee.FieldError[] of a path parameter that is not of its type
---@field [string] any the `extra` members given to perigee.problem

--- What was wrong with a part of a request; its member `in` says where it stands ("path").
---@class perigee.FieldError
---@field name string
---@field expected string
---@field got string at most 64 bytes of it

--- What an `after` hook is shown of an answer.
---@class perigee.Answer
---@field status? integer
---@field headers perigee.Headers as the handler and its middleware returned them
---@field body any as they returned it: a string, a table, a stream's function, or a file

--- What is known of one route, as `perigee routes --json` prints it.
---@class perigee.RouteEntry
---@field method string "GET"; "ANY" for every method
---@field pattern string "/users/{id:integer}"
---@field place string file and line
---@field name? string
---@field params table<string, string> the path's parameters and their types
---@field query? table<string, string>
---@field headers? table<string, string>
---@field cookies? table<string, string>
---@field form? table<string, string>
---@field body? string

--- The routes of the running app, in the order of its file. Raises while the app's file is still being run.
---@return perigee.RouteEntry[]
function perigee.routes() end

-- Response values --------------------------------------------------------------------------------------------------

--- What perigee.text and its siblings return, for a handler to return. An outer status and outer headers win.
---@class perigee.Response
---@field kind "text"|"json"|"bytes"|"html"|"redirect"|"problem"|"stream"|"file"|"channel"
---@field status? integer
---@field headers perigee.Headers
---@field body any
---@field type? string the content type

--- Text, as `text/plain; charset=utf-8`.
---@param body string|number
---@return perigee.Response
function perigee.text(body) end

--- Any value as JSON, also strings, numbers, booleans and perigee.null.
---@param value any
---@return perigee.Response
function perigee.json(value) end

--- Bytes of a type.
---@param data string
---@param content_type? string default "application/octet-stream"
---@return perigee.Response
function perigee.bytes(data, content_type) end

--- A page, as `text/html; charset=utf-8`. In a string every `{name}` is replaced by the escaped value of that name; one
--- without a value raises. Without `values` nothing is replaced.
---
--- ```lua
--- return perigee.html("<h1>Hello, {name}!</h1>", { name = req.query.name or "you" })
--- ```
---@param template string|perigee.Template
---@param values? table<string, any>
---@return perigee.Response
function perigee.html(template, values) end

--- HTML that goes into a page as it is. Only for what you made yourself.
---@param html string|number
---@return perigee.Raw
function perigee.raw(html) end

---@class perigee.Raw

--- The template of that name in the folder `templates` beside the app, compiled when it is first asked for. Raises when
--- there is none, and with name and line when it, or what it includes, is wrong.
---
--- ```lua
--- local page = perigee.template "page.html"
--- app:get("/", function() return page { user = "Ada" } end)
--- ```
---@param name string a path within the folder
---@return perigee.Template
function perigee.template(name) end

--- Called with its values it is an answer, as `perigee.html(page, values)` is.
---@class perigee.Template
---@field name string
---@overload fun(values?: table<string, any>): perigee.Response
local Template = {}

--- The page as a string. Raises, with the template's name and line, on what fails in it.
---@param values? table<string, any> what the template's names stand for
---@return string
function Template:render(values) end

--- Sends the client elsewhere.
---@param url string
---@param status? integer 300 to 399; default 307 after GET and HEAD, else 303
---@return perigee.Response
function perigee.redirect(url, status) end

--- A problem document. Return it, or raise it from any depth.
---
--- ```lua
--- error(perigee.problem(403, "your credit is too low", { balance = 30 }))
--- ```
---@param status integer 400 to 599
---@param detail? string what went wrong, for the client
---@param extra? table<string, any> more members of the document
---@param headers? perigee.Headers
---@return perigee.Response
function perigee.problem(status, detail, extra, headers) end

--- Sends bytes of a streamed body. Waits while `http.output_watermark` bytes are unsent.
---@alias perigee.Write fun(bytes: string|number): (ok: true?, err: "closed"?)

--- A body written bit by bit: `fn(write)` runs once the head is sent. An error in it is logged and cuts the connection.
---
--- ```lua
--- return perigee.stream(function(write)
---   for line in lines() do
---     if not write(line) then return end -- the client has gone
---   end
--- end, "text/plain")
--- ```
---@param fn fun(write: perigee.Write)
---@param content_type? string default "application/octet-stream"
---@return perigee.Response
function perigee.stream(fn, content_type) end

-- JSON -------------------------------------------------------------------------------------------------------------

--- A value as JSON. Raises for what JSON can't say, and names the place: "a function at $.items[2].f can't be written
--- as JSON". At most `limits.json_depth` deep.
---@param value any
---@return string
function perigee.encode(value) end

--- The value of a JSON text (RFC 8259). Null is perigee.null; arrays stay arrays when they are encoded again.
---@param text string
---@return any value
---@return string? err what is wrong and at which byte
function perigee.decode(text) end

--- Marks a table as an array, so that an empty one is written as `[]`. Returns the same table.
---@generic T
---@param items? T[] default a new table
---@return T[]
function perigee.array(items) end

-- The log ----------------------------------------------------------------------------------------------------------

--- The error log: one line an event, with the id of the request that is being served. `print` logs at info.
---
--- ```lua
--- perigee.log.warn("low on coffee", { cups = 1 })
--- ```
---@class perigee.log
local log = {}

---@param message any a string, or what tostring makes of it
---@param fields? table<string, any> what JSON can say; anything else raises
function log.debug(message, fields) end

---@param message any a string, or what tostring makes of it
---@param fields? table<string, any> what JSON can say; anything else raises
function log.info(message, fields) end

---@param message any a string, or what tostring makes of it
---@param fields? table<string, any> what JSON can say; anything else raises
function log.warn(message, fields) end

---@param message any a string, or what tostring makes of it
---@param fields? table<string, any> what JSON can say; anything else raises
function log.error(message, fields) end

return perigee
