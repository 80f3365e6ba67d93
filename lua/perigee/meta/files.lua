---@meta _
-- Annotations of files as answers for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

---@class perigee
local perigee = {}

---@class perigee.App
local App = {}

--- How a folder is served.
---@class perigee.StaticOptions
---@field index? string|boolean the file that a folder shows, default "index.html"; false for none
---@field cache_control? string the Cache-Control field of its files
---@field precompressed? boolean whether `name.br` and `name.gz` beside a file are sent to clients that take them
---@field fallback? string the file that answers where there is none: the page of a single-page app
---@field listing? boolean whether a folder without an index shows what is in it

--- Serves the files of a folder: types by extension, validators, conditional requests, ranges. Nothing outside of it,
--- no names with a dot in front.
---
--- ```lua
--- app:static("/assets", "public", { cache_control = "max-age=3600" })
--- ```
---@param prefix string "" or "/" is the root
---@param folder string beside app.lua, or absolute
---@param options? perigee.StaticOptions
---@return perigee.App
function App:static(prefix, folder, options) end

--- How a file is sent.
---@class perigee.FileOptions
---@field root? string a folder that nothing leads out of: the path is below it
---@field type? string its content type; by default that of its name's extension
---@field cache_control? string the Cache-Control field
---@field download? string|true the name that a browser saves it under; true is its own
---@field precompressed? boolean whether `path.br` and `path.gz` beside it are sent to clients that take them

--- A file as the answer, with validators, conditional requests and ranges. One that is not there is a 404.
---
--- ```lua
--- return perigee.file(req.params.name, { root = "reports", download = true })
--- ```
---@param path string beside app.lua, or absolute; with `root` below that folder
---@param options? perigee.FileOptions
---@return perigee.Response
function perigee.file(path, options) end

return perigee
