-- Files as answers: perigee.file, and the folders that app:static serves. What a request's conditions, ranges and
-- codings come to is the engine's work (engine/files).

local core = require "perigee.core"
local html = require "perigee.html"
local response = require "perigee.response"

local M = {
  base = nil, -- where relative paths begin: the app's
}

local function placed(path)
  if path:sub(1, 1) == "/" or not M.base then
    return path
  end
  return M.base .. "/" .. path
end

-- Raises at the caller `level` above unless the options are of their types.
local function check_options(options, known, what, level)
  if options ~= nil and type(options) ~= "table" then
    error(("%s's options are a table, got %s"):format(what, type(options)), level + 1)
  end
  for name, value in pairs(options or {}) do
    local wanted = known[name]
    if not wanted then
      error(("%s has no option '%s'"):format(what, tostring(name)), level + 1)
    elseif not wanted[type(value)] then
      error(("%s's option '%s' can't be a %s"):format(what, name, type(value)), level + 1)
    end
  end
  return options or {}
end

local STRING, BOOLEAN = { string = true }, { boolean = true }

-- RFC 6266: a name in ASCII for every client, and the whole of it in UTF-8 where it has more.
local function attachment(name)
  local plain = name:gsub("[%c\"\\\128-\255]", "_")
  local value = ('attachment; filename="%s"'):format(plain)
  if plain ~= name then
    value = value .. "; filename*=UTF-8''" .. name:gsub("[^%w!#$&+.^_`|~-]", function(byte)
      return ("%%%02X"):format(byte:byte())
    end)
  end
  return value
end

local FILE_OPTIONS = { root = STRING, type = STRING, cache_control = STRING, precompressed = BOOLEAN,
  download = { string = true, boolean = true } }

--- A file as the answer, with validators, conditional requests and ranges. One that is not there is a 404.
---@param path string beside app.lua, or absolute; with `root` below that folder, which nothing leads out of
---@param options? perigee.FileOptions
---@return perigee.Response
function M.file(path, options)
  if type(path) ~= "string" then
    error("bad argument #1 to 'file' (string expected, got " .. type(path) .. ")", 2)
  end
  options = check_options(options, FILE_OPTIONS, "perigee.file", 2)
  local root = options.root
  local found, status = core.find_file(root and placed(root) or "", root and path or placed(path),
    options.precompressed == true, options.type)
  if not found then
    return response.problem(status)
  end
  local headers = { ["cache-control"] = options.cache_control }
  if options.download then
    headers["content-disposition"] = attachment(options.download == true and path:match("[^/]*$") or options.download)
  end
  return response.of_file(found, headers)
end

local function escape_segment(name)
  return (name:gsub("[^%w._~/-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

-- The page that lists a folder, folders first.
local function listing(served, path)
  local names = core.list_folder(served.path, path)
  if not names then
    return nil
  end
  table.sort(names, function(a, b)
    local a_folder, b_folder = a:sub(-1) == "/", b:sub(-1) == "/"
    if a_folder ~= b_folder then
      return a_folder
    end
    return a < b
  end)
  local lines = {}
  for i, name in ipairs(names) do
    lines[i] = html.fill('<li><a href="./{link}">{name}</a></li>', { link = escape_segment(name), name = name })
  end
  local title = "/" .. path
  return response.html(html.fill('<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
    .. "<h1>{title}</h1>\n<ul>\n", { title = title }) .. table.concat(lines, "\n") .. "\n</ul>\n</html>\n")
end

local function found_in(served, path)
  local found, status, is_folder = core.find_file(served.path, path, served.precompressed, nil)
  if found then
    return response.of_file(found, { ["cache-control"] = served.cache_control }), 200, false
  end
  return nil, status, is_folder
end

-- What a folder shows: its index, or what is in it. `path` is without a slash at its end, "" the served folder itself.
local function of_folder(served, path)
  if served.index then
    local answer = found_in(served, path == "" and served.index or path .. "/" .. served.index)
    if answer then
      return answer
    end
  end
  return served.listing and listing(served, path) or nil
end

-- Browsers take links in a folder's page from its last slash: without one they are sent there.
local function with_slash(req)
  local query = req.target:match("%?.*$") or ""
  return response.redirect("./" .. escape_segment(req.path:match("[^/]*$")) .. "/" .. query, 308)
end

local function missing(served, req, status)
  if status == 404 and served.fallback and (req.method == "GET" or req.method == "HEAD") then
    local answer = found_in(served, served.fallback)
    if answer then
      return answer
    end
  end
  return response.problem(status)
end

local function serve(served, req, path)
  local answer, status, is_folder = found_in(served, path)
  if answer then
    return answer
  elseif is_folder then
    return of_folder(served, path) and with_slash(req) or missing(served, req, 404)
  end
  local folder = path:match("^(.*)/$")
  return folder and of_folder(served, folder) or missing(served, req, status)
end

local STATIC_OPTIONS = { index = { string = true, boolean = true }, cache_control = STRING, precompressed = BOOLEAN,
  fallback = STRING, listing = BOOLEAN }

--- A folder to be served, and the handlers that do.
---@param path string
---@param options? perigee.StaticOptions
---@param level integer where the caller to blame stands
---@return { handler: perigee.Handler, root: perigee.Handler, number: integer }
function M.folder(path, options, level)
  if type(path) ~= "string" or path == "" then
    error("a folder is a path, got " .. (path == "" and "an empty string" or type(path)), level + 1)
  end
  options = check_options(options, STATIC_OPTIONS, "app:static", level + 1)
  local served = { path = placed(path), cache_control = options.cache_control,
    precompressed = options.precompressed == true, listing = options.listing, fallback = options.fallback,
    index = options.index == nil and "index.html" or options.index or nil }
  if served.index == true then
    served.index = "index.html"
  end
  local number, err = core.static_folder(served.path, served.cache_control or "", served.precompressed)
  if not number then
    error(("the folder '%s' can't be served: %s"):format(served.path, err), level + 1)
  end
  return {
    number = number,
    handler = function(req)
      return serve(served, req, req.params.path)
    end,
    root = function(req)
      return of_folder(served, "") or missing(served, req, 404)
    end,
  }
end

return M
