-- perigee.middleware.compress: bodies in gzip or brotli, for clients that take them (RFC 9110 sections 8.4, 12.5.3).

local core = require "perigee.core"
local response = require "perigee.response"
local settings = require "perigee.settings"
local vary = require "perigee.vary"

local DEFAULTS = {
  gzip = { 5, "number|boolean" },
  brotli = { 4, "number|boolean" },
  min_size = { 1024, "number" },
  types = { { "text/*", "application/json", "application/javascript", "application/xml", "application/manifest+json",
    "application/problem+json", "application/x-ndjson", "application/wasm", "application/toml", "application/yaml",
    "application/graphql", "application/vnd.ms-fontobject", "*+json", "*+xml", "font/ttf", "font/otf", "image/bmp",
    "image/x-icon", "image/vnd.microsoft.icon" }, "table" },
  file_size = { 1048576, "number" },
  file_memory = { 8388608, "number" },
}

local LEVELS = { gzip = { 1, 9, 5 }, brotli = { 0, 11, 4 } }
local UNTOUCHED = { [204] = true, [205] = true, [206] = true, [304] = true }
local NEVER = { ["text/event-stream"] = true } -- each event at once, in what would be one body for hours

local function check(given)
  for name, bounds in pairs(LEVELS) do
    local level = given[name]
    if level == true then
      given[name] = bounds[3]
    elseif level and not (level >= bounds[1] and level <= bounds[2] and level % 1 == 0) then
      error(("compress: %s is a level from %d to %d, or false"):format(name, bounds[1], bounds[2]), 3)
    end
  end
  if not (given.gzip or given.brotli) then
    error("compress: gzip and brotli are both off", 3)
  end
  for _, name in ipairs { "min_size", "file_size", "file_memory" } do
    if not (given[name] >= 0 and given[name] % 1 == 0) then
      error(("compress: %s is a number of bytes"):format(name), 3)
    end
  end
end

-- A function that tells whether bodies of a content type are compressed.
local function matcher(types)
  local whole, families, suffixes, known = {}, {}, {}, {}
  for i, text in ipairs(types) do
    local name = type(text) == "string" and text:lower() or ""
    local family, suffix = name:match("^([%w.+-]+)/%*$"), name:match("^%*(%+[%w.-]+)$")
    if family then
      families[family] = true
    elseif suffix then
      suffixes[suffix] = true
    elseif name:match("^[%w!#$&^_.+-]+/[%w!#$&^_.+-]+$") then
      whole[name] = true
    else
      error(("compress: types[%d] is no type: \"text/html\", \"text/*\" or \"*+json\""):format(i), 4)
    end
  end
  local function fits(content_type)
    local name = content_type:lower():match("^%s*([^;%s]+)") or ""
    return not NEVER[name] and (whole[name] or families[name:match("^[^/]*")] or suffixes[name:match("%+[^+]*$") or ""])
      or false
  end
  local remembered = 0
  return function(content_type)
    local answer = known[content_type]
    if answer == nil then
      answer = fits(content_type)
      if remembered < 1000 then
        known[content_type], remembered = answer, remembered + 1
      end
    end
    return answer
  end
end

-- The body and the response value that it came in, if it came in one.
local function content_of(res)
  local body = res.body
  if response.is_response(body) then
    return body.body, body
  end
  return body, res[5] or nil
end

-- What the server would send as Content-Type.
local function type_of(headers, body, value)
  local own = headers["content-type"]
  if type(own) == "string" then
    return own
  elseif value and value.type then
    return value.type
  elseif value and value.kind == "problem" then
    return "application/problem+json"
  elseif value and value.kind == "stream" then
    return "application/octet-stream"
  elseif type(body) == "table" or value and value.kind == "json" then
    return "application/json"
  end
  return "text/plain; charset=utf-8"
end

-- Whether nothing but its type keeps an answer from being compressed.
local function may_change(res)
  local headers = res.headers
  if UNTOUCHED[res.status] or headers["content-encoding"] or headers["content-range"] then
    return false
  end
  local cache_control = headers["cache-control"]
  if type(cache_control) == "table" then
    cache_control = table.concat(cache_control, ",")
  end
  return not (cache_control and tostring(cache_control):lower():find("no-transform", 1, true))
end

-- Another body is another representation: a strong validator would promise the same bytes (RFC 9110 section 8.8.3).
local function weaken(headers, etag)
  if type(etag) == "string" and etag:sub(1, 1) == '"' then
    headers.etag = "W/" .. etag
  end
end

-- A response value is as a rule one request's own, but an app may return the same again and again.
local function streamed(fn, coding, level, content_type)
  return response.stream(function(write)
    local compressor = core.compressor(coding, level)
    local function pass(bytes, last)
      local out = core.compressor_write(compressor, bytes, last)
      if out == "" then
        return true
      end
      return write(out)
    end
    fn(function(bytes)
      return pass(bytes, false)
    end)
    pass("", true)
  end, content_type)
end

-- Compressed files that were asked for before, the oldest first out.
local function new_store(most)
  local texts, order, first, last, used = {}, {}, 1, 0, 0
  local store = {}

  function store.get(key)
    return texts[key]
  end

  function store.put(key, text)
    if #text > most then
      return
    end
    last = last + 1
    order[last], texts[key], used = key, text, used + #text
    while used > most do
      local oldest = order[first]
      used, texts[oldest], order[first] = used - #texts[oldest], nil, nil
      first = first + 1
    end
  end
  return store
end

--- Middleware that compresses what is inside of it.
---@param given? perigee.Compress
return function(given)
  given = settings.read("compress", given, DEFAULTS)
  check(given)
  local fits = matcher(given.types)
  local levels = { gzip = given.gzip, br = given.brotli }
  local store = new_store(given.file_memory)

  local function chosen(req)
    local accepted = req:header("accept-encoding")
    return accepted and core.choose_coding(accepted, given.gzip ~= false, given.brotli ~= false) or nil
  end

  -- A file's bytes in a coding; nil where they are no fewer.
  local function compressed_file(file, size, key, coding)
    key = coding .. key
    local text = store.get(key)
    if not text then
      local bytes = core.file_bytes(file)
      text = bytes and core.compress(coding, levels[coding], bytes) or ""
      store.put(key, text)
    end
    return text ~= "" and #text < size and text or nil
  end

  -- Files are compressed once, and large ones left to sendfile.
  local function of_file(req, res, value)
    local status, content_type, size, etag, modified, key = core.file_plan(value.body)
    content_type = res.headers["content-type"] or content_type
    if not status or size < given.min_size or size > given.file_size or not fits(content_type) then
      return res
    end
    vary(res.headers, "Accept-Encoding")
    local coding = chosen(req)
    if not coding or status ~= 200 and status ~= 304 then
      return res
    end
    local text = compressed_file(value.body, size, key, coding)
    if text then
      weaken(res.headers, res.headers.etag or etag)
      if status == 200 then
        local headers = res.headers
        headers["content-encoding"], headers["last-modified"] = coding, headers["last-modified"] or modified
        res.body = response.bytes(text, content_type)
      end
    end
    return res
  end

  local function of_stream(req, res, fn, content_type)
    vary(res.headers, "Accept-Encoding")
    local coding = chosen(req)
    if coding then
      weaken(res.headers, res.headers.etag)
      res.headers["content-encoding"] = coding
      res.body = streamed(fn, coding, levels[coding], content_type)
    end
    return res
  end

  local function of_bytes(req, res, content_type)
    local ok, bytes = pcall(res.bytes, res)
    if not ok or #bytes < given.min_size then
      return res -- what can't be encoded is the server's to report
    end
    vary(res.headers, "Accept-Encoding")
    local coding = chosen(req)
    local text = coding and core.compress(coding, levels[coding], bytes)
    if text and #text < #bytes then
      weaken(res.headers, res.headers.etag)
      res.headers["content-encoding"] = coding
      res.body = response.bytes(text, content_type)
    end
    return res
  end

  return function(req, inner)
    local res = inner(req)
    local body, value = content_of(res)
    if body == nil and not (value and value.kind == "json") or not may_change(res) then
      return res
    elseif value and value.kind == "file" and body == value.body then
      return of_file(req, res, value)
    end
    local content_type = type_of(res.headers, body, value)
    if not fits(content_type) then
      return res
    elseif type(body) == "function" then
      return of_stream(req, res, body, content_type)
    end
    return of_bytes(req, res, content_type)
  end
end
