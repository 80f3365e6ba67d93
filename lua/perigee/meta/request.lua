---@meta _
-- Annotations of requests, their forms and files for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

--- One request. Fields are read when asked for. After the request has ended, which is after its answer and its `after`
--- hooks, what was read stays and reading anything else raises "request has ended".
---@class perigee.Request
---@field method string "GET"
---@field path string decoded, dot segments resolved
---@field target string as it was sent, with the query
---@field version "1.0"|"1.1"
---@field scheme "http"|"https" "https" where a trusted proxy says so
---@field host string of the absolute form or the Host field
---@field remote_addr string the peer's address, "unix" on a Unix socket; or whom a trusted proxy names
---@field id string 20 hexadecimal digits, unique; or a trusted proxy's X-Request-Id
---@field route? string the pattern that took the path
---@field params table<string, any> path parameters, of their types
---@field query table<string, any> first values as strings; with a spec typed, those it names
---@field headers table<string, any> by lower-case name, equal names joined by ", "; with a spec typed, those it names
---@field cookies table<string, any> first values; with a spec typed, those it names
---@field form table<string, string> first values of an application/x-www-form-urlencoded body, else empty
---@field body any the whole body as a string, "" without one; with a spec its typed value
---@field session perigee.Session the client's; made when it is first written
---@field ctx table free to write, the only field that can be assigned
local Request = {}

--- The value of the first header field of that name.
---@param name string in any case
---@return string? value nil without one
function Request:header(name) end

--- Every value of a query parameter, in order.
---@param name string
---@return string[]
function Request:query_all(name) end

--- Every value of a form's field, in order; files are none.
---@param name string
---@return string[]
function Request:form_all(name) end

--- The files of a multipart form, in their order; none where the body is another.
---
--- ```lua
--- for _, file in ipairs(req:files()) do file:move("uploads/" .. req.id .. "-" .. file.filename) end
--- ```
---@return perigee.File[]
function Request:files() end

--- A file that came with a form. It is gone at its request's end unless it was moved.
---@class perigee.File
---@field name string of its field
---@field filename string as the client calls it, never a path; may be ""
---@field type string as the client says, unchecked; "text/plain" where it does not
---@field size integer bytes
local File = {}

--- The next bytes of the file, or all that are left; nil at its end, nil and why when it can't be read.
---@param n? integer at most so many
---@return string? bytes
---@return string? err
function File:read(n) end

--- Keeps the file as `path`, which may be done once. What is there already stays, unless `overwrite` is true.
---@param path string relative to the working directory
---@param options? { overwrite?: boolean }
---@return true? moved
---@return string? err `exists`, `not found`, `full` or `refused` first
function File:move(path, options) end

--- The body as it came.
---@return string
function Request:raw() end

--- The next bytes of the body, as soon as some are there, also while it still arrives; nil at its end. Raises where the
--- body was read whole already.
---
--- ```lua
--- for bytes in function() return req:read(65536) end do file:write(bytes) end
--- ```
---@param n? integer at most so many; default 65536
---@return string? bytes
---@return string? err `too_large`, `timeout`, `closed` or `refused` first: the rest does not come
function Request:read(n) end

--- The body decoded as JSON, whatever its content type.
---
--- ```lua
--- local order, err = req:json()
--- if err then return perigee.problem(400, err) end
--- ```
---@return any value perigee.null for null
---@return string? err what is wrong and at which byte
function Request:json() end

---@class perigee.CookieOptions
---@field path? string default "/"
---@field domain? string
---@field max_age? integer seconds; without it the cookie ends with the browser's session
---@field http_only? boolean default true
---@field secure? boolean default false
---@field same_site? "strict"|"lax"|"none" default "lax"; "none" needs `secure`

--- Sets a cookie on whatever answer is sent. Raises on a name, value or option that a cookie can't have.
---@param name string
---@param value string
---@param options? perigee.CookieOptions
function Request:set_cookie(name, value, options) end

--- Deletes a cookie; give the path and domain it was set with.
---@param name string
---@param options? perigee.CookieOptions
function Request:delete_cookie(name, options) end

--- Runs `fn(...)` as a task of its own that is cancelled when the request ends.
---@param fn function
---@param ... any
---@return perigee.Task
function Request:spawn(fn, ...) end
