---@meta _
-- Annotations of the HTTP client for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

---@class perigee
---@field http perigee.http

---@class perigee.HttpOptions
---@field method? string of request(url, options)
---@field headers? table<string, string|number|string[]>
---@field query? table<string, string|number|boolean|table> added to the url
---@field json? any the body, as JSON
---@field form? table<string, string|number|boolean|table> the body, as a form
---@field body? string|fun(): string|nil the body, or what returns its parts and nil at the end
---@field timeout? number|{ connect?: number, read?: number, total?: number } seconds: 30
---@field max_body? integer bytes of the answer's body, decoded
---@field redirects? integer how many are followed: 5
---@field stream? boolean the answer's body comes in parts
---@field verify? boolean false takes any certificate
---@field tls? perigee.TlsOptions
---@field proxy? string|false the url of a proxy; false: none
---@field block_private? boolean only public addresses are reached

--- Requests to other servers. Errors begin with a word: timeout, refused, closed, reset, dns, tls, too_large or full.
---@class perigee.http
local http = {}

--- Sends a GET.
---@param url string
---@param options? perigee.HttpOptions
---@return perigee.HttpResponse|nil, string? err
function http.get(url, options) end

--- Sends a POST.
---@param url string
---@param options? perigee.HttpOptions
---@return perigee.HttpResponse|nil, string? err
function http.post(url, options) end

--- Sends a PUT.
---@param url string
---@param options? perigee.HttpOptions
---@return perigee.HttpResponse|nil, string? err
function http.put(url, options) end

--- Sends a PATCH.
---@param url string
---@param options? perigee.HttpOptions
---@return perigee.HttpResponse|nil, string? err
function http.patch(url, options) end

--- Sends a DELETE.
---@param url string
---@param options? perigee.HttpOptions
---@return perigee.HttpResponse|nil, string? err
function http.delete(url, options) end

--- Sends a HEAD.
---@param url string
---@param options? perigee.HttpOptions
---@return perigee.HttpResponse|nil, string? err
function http.head(url, options) end

--- Sends an OPTIONS.
---@param url string
---@param options? perigee.HttpOptions
---@return perigee.HttpResponse|nil, string? err
function http.options(url, options) end

--- Any request: request(method, url, options), or request(url, options) with options.method.
---@param method string
---@param url? string|perigee.HttpOptions
---@param options? perigee.HttpOptions
---@return perigee.HttpResponse|nil, string? err
function http.request(method, url, options) end

--- What this worker did with each host, by "host:port": requests, reused, sent, received, open, idle, errors.
---@return table<string, table>
function http.stats() end

--- An answer.
---@class perigee.HttpResponse
---@field status integer
---@field headers table<string, string|string[]> found in any case; set-cookie is a list
---@field body? string not of a stream
---@field url string where it came from, after redirects
---@field error? string why a stream broke off
local Response = {}

--- The body, read as JSON.
---@return any, string? err
function Response:json() end

--- An iterator over the parts of a stream.
---@return fun(): string|nil
function Response:chunks() end

--- The next part of a stream; nil at its end.
---@return string|nil, string? err
function Response:read() end

--- Leaves the rest of a stream.
function Response:close() end
