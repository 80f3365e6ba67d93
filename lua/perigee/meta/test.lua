---@meta perigee.test
-- Annotations of perigee.test for lua-language-server. Never loaded at run time.
-- luacheck: ignore 111 211 241

---@class perigee.test
local test = {}

--- Loads an app in this process, with sessions, dictionaries and topics of its own, and runs its start hooks.
---
--- ```lua
--- local client = test.app "lua/app.lua"
--- assert.equal(200, client:get("/").status)
--- ```
---@param path string the app's file, from where the command was called
---@param options? { set: table<string, any> } options of the configuration: { ["limits.time"] = 2 }
---@return perigee.test.Client
function test.app(path, options) end

--- Serves an app on a port of the loopback, on a thread of its own.
---@param path string
---@param options? { port: integer, set: table<string, any> } any free port by default
---@return perigee.test.Server
function test.server(path, options) end

--- Stands in for a host: what apps under test ask of it by perigee.http, over http or https, comes to the handler,
--- which returns what a handler of an app may, but for streams. Till the file's end, or close(); the newest of a host
--- counts.
---
--- ```lua
--- local prices = test.upstream("prices.example.com", function(req) return { price = 7 } end)
--- client:get("/tea")
--- assert.equal("/v1/tea", prices.calls[1].path)
--- ```
---@param host string "api.example.com" at any port, or "api.example.com:8080"
---@param handler fun(req: perigee.test.UpstreamRequest): any
---@return perigee.test.Upstream
function test.upstream(host, handler) end

---@class perigee.test.Upstream
---@field calls perigee.test.UpstreamRequest[] the requests so far
local Upstream = {}

--- The host is itself again.
function Upstream:close() end

---@class perigee.test.UpstreamRequest
---@field method string
---@field target string path and query as they were sent
---@field path string
---@field query table<string, string> first values
---@field headers table<string, string> names in lower case, found in any case
---@field host string
---@field body string
local UpstreamRequest = {}

--- The body as JSON; nil and why where it is none.
---@return any value, string? err
function UpstreamRequest:json() end

--- Lets seconds pass before the answer, on the apps' clock; math.huge: it never comes.
---@param seconds number
function UpstreamRequest:wait(seconds) end

--- Ends the connection without an answer.
function UpstreamRequest:hang_up() end

---@class perigee.test.Clock
test.clock = {}

--- Moves the clock of every app of test.app on: what is due on the way is done, nobody waits.
---@param seconds number
function test.clock:advance(seconds) end

---@class perigee.test.RequestOptions
---@field headers? table<string, string|number|string[]>
---@field query? table<string, string|number|boolean|any[]> a list is repeated
---@field json? any the body, as JSON
---@field form? table<string, any> the body, as a form
---@field body? string the body as it is
---@field cookies? table<string, string> besides those the client keeps

---@class perigee.test.Answer
---@field status integer
---@field headers table<string, string> names in lower case, found in any case
---@field body string
local Answer = {}

--- The body as JSON; nil and why where it is none.
---@return any value, string? err
function Answer:json() end

---@class perigee.test.CookieJar
local Jar = {}

---@param name string
---@return string? value
function Jar:get(name) end

---@param name string
---@param value string
function Jar:set(name, value) end

--- Forgets all cookies.
function Jar:clear() end

---@class perigee.test.Client
---@field jar perigee.test.CookieJar the cookies that answers have set
local Client = {}

---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Answer
function Client:get(path, options) end

---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Answer
function Client:head(path, options) end

---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Answer
function Client:post(path, options) end

---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Answer
function Client:put(path, options) end

---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Answer
function Client:patch(path, options) end

---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Answer
function Client:delete(path, options) end

---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Answer
function Client:options(path, options) end

---@param method string
---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Answer
function Client:request(method, path, options) end

--- Sends a request on a connection of its own and goes on.
---@param method string
---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Pending
function Client:send(method, path, options) end

--- Sends a request on a connection of its own and returns once the answer's head is there.
---@param method string
---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Stream
function Client:stream(method, path, options) end

--- Opens a stream of server-sent events.
---
--- ```lua
--- for event in client:sse("/news") do print(event.data) end
--- ```
---@param path string
---@param options? perigee.test.RequestOptions
---@return perigee.test.Events
function Client:sse(path, options) end

--- Another client of the same app, with a connection and cookies of its own.
---@return perigee.test.Client
function Client:another() end

--- Runs the app's stop hooks, raises where one of them fails, and closes it; of another()'s clients, only the client.
function Client:close() end

---@class perigee.test.Server: perigee.test.Client
---@field url string "http://127.0.0.1:40123"
---@field address string "127.0.0.1:40123"

---@class perigee.test.Pending
local Pending = {}

--- The answer; nil and "timeout" after `seconds`, nil and "closed" where it will never come.
---@param seconds? number as long as the test may take by default
---@return perigee.test.Answer? answer, string? err
function Pending:wait(seconds) end

--- Hangs up.
function Pending:close() end

---@class perigee.test.Stream
---@field status integer
---@field headers table<string, string>
local Stream = {}

--- What has come of the body since; nil at its end; nil and "timeout" or "closed".
---@param seconds? number
---@return string? part, string? err
function Stream:read(seconds) end

--- Hangs up.
function Stream:close() end

---@class perigee.test.Events
---@field status integer
---@field headers table<string, string>
---@overload fun(): { data: string, event: string, id: string?, retry: integer? }?
local Events = {}

--- The next event; nil at the stream's end; nil and "timeout" or "closed".
---@param seconds? number
---@return { data: string, event: string, id: string?, retry: integer? }? event, string? err
function Events:next(seconds) end

--- Hangs up.
function Events:close() end

--- A value that is asked for by what it is like: in assert.spy(s).was.called_with(...) and in assert.same(...).
---@class perigee.test.Matcher
---@overload fun(value: any): boolean

--- Matchers, luassert's: match.is_string(), match.is_not_nil(), match.is.near(1, 0.1). Capitals do not matter.
---
--- ```lua
--- assert.spy(save).was.called_with(match._, { id = match.is_number() })
--- ```
---@class perigee.test.match
---@field _ perigee.test.Matcher anything
---@field is perigee.test.match
---@field is_not perigee.test.match what follows, turned around
---@field has_no perigee.test.match likewise
---@field does_not perigee.test.match likewise
---@field Not perigee.test.match likewise
---@field is_not_nil fun(): perigee.test.Matcher so for each
---@field is_string fun(): perigee.test.Matcher so for each type
---@field is_true fun(): perigee.test.Matcher
---@field is_false fun(): perigee.test.Matcher
---@field truthy fun(): perigee.test.Matcher
---@field falsy fun(): perigee.test.Matcher
---@field is_equal fun(value: any): perigee.test.Matcher by ==
---@field is_same fun(value: any): perigee.test.Matcher tables by what they hold
---@field is_ref fun(value: table): perigee.test.Matcher the very table
---@field is_near fun(number: number, tolerance: number): perigee.test.Matcher
---@field matches fun(pattern: string, from?: integer, plain?: boolean): perigee.test.Matcher
---@field is_unique fun(): perigee.test.Matcher a table without a value that is there twice
---@field any_of fun(...: perigee.test.Matcher): perigee.test.Matcher
---@field all_of fun(...: perigee.test.Matcher): perigee.test.Matcher
---@field none_of fun(...: perigee.test.Matcher): perigee.test.Matcher
match = {}

return test
