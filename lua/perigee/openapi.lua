-- What is told of an app's routes: the list of `perigee routes --json`, and an OpenAPI 3.1 document, both out of the
-- specs that the requests are checked by. Keys are sorted, so that equal apps have equal documents.

local core = require "perigee.core"
local facts = require "perigee.type_facts"
local lua_pattern = require "perigee.lua_pattern"
local spec = require "perigee.spec"

local M = {}

local function array(items)
  return setmetatable(items, core.array_mark)
end

-- JSON with sorted keys.
local function write(value, out)
  if type(value) ~= "table" then
    out[#out + 1] = core.encode(value)
  elseif getmetatable(value) == core.array_mark then
    out[#out + 1] = "["
    for i, item in ipairs(value) do
      out[#out + 1] = i > 1 and "," or nil
      write(item, out)
    end
    out[#out + 1] = "]"
  else
    local keys = {}
    for key in pairs(value) do
      keys[#keys + 1] = key
    end
    table.sort(keys)
    out[#out + 1] = "{"
    for i, key in ipairs(keys) do
      out[#out + 1] = (i > 1 and "," or "") .. core.encode(key) .. ":"
      write(value[key], out)
    end
    out[#out + 1] = "}"
  end
  return out
end

local function document(value)
  return table.concat(write(value, {}))
end

-- Schemas -------------------------------------------------------------------------------------------------------------

local BASE = {
  string = { type = "string" },
  integer = { type = "integer", format = "int64" },
  number = { type = "number" },
  boolean = { type = "boolean" },
  uuid = { type = "string", format = "uuid" },
  date = { type = "string", format = "date" },
  keyword = { type = "string", pattern = "^[a-z][a-z0-9_]*$" },
  slug = { type = "string", pattern = "^[a-z0-9]+(-[a-z0-9]+)*$" },
  json = {},
}

local schema_of

local function enum_schema(record)
  local schema, kind = { enum = array { unpack(record.values) } }, nil
  for i, value in ipairs(record.values) do
    kind = (i == 1 or kind == type(value)) and type(value) or "mixed"
  end
  schema.type = kind ~= "mixed" and kind or nil
  return schema
end

local function object_schema(record)
  local schema, required = { type = "object" }, array {}
  for _, field in ipairs(record.fields) do
    schema.properties = schema.properties or {}
    schema.properties[field.name] = schema_of(field.type)
    if not field.type.optional and field.type.default == nil then
      required[#required + 1] = field.name
    end
  end
  schema.required = required[1] and required or nil
  if record.unknown == "refuse" then
    schema.additionalProperties = false
  end
  return schema
end

local function base_schema(record)
  if record.kind == "list" then
    return { type = "array", items = schema_of(record.item), minItems = record.least, maxItems = record.most }
  elseif record.kind == "enum" then
    return enum_schema(record)
  elseif record.kind == "object" then
    return object_schema(record)
  elseif record.kind == "function" then
    return { type = "string", description = facts.expected(record) }
  end
  local schema = {}
  for key, value in pairs(BASE[record.kind]) do
    schema[key] = value
  end
  schema.minLength, schema.maxLength = record.least, record.most
  if record.kind == "date" then
    schema.description = (record.min or record.max) and facts.expected(record) or nil
  else
    schema.minimum, schema.maximum = record.min, record.max
  end
  if record.pattern then
    local pattern = lua_pattern.to_ecma(record.pattern)
    schema.allOf = pattern and schema.pattern and array { { pattern = pattern } } or nil
    schema.pattern = schema.pattern or pattern
    schema.description = not pattern and facts.expected(record) or nil
  end
  return schema
end

local function make_nullable(schema)
  if schema.enum then
    schema.enum[#schema.enum + 1] = core.null
  end
  if schema.type then
    schema.type = array { schema.type, "null" }
  end
end

--- The JSON schema of a type.
function schema_of(record)
  local schema = base_schema(record)
  if record.nullable then
    make_nullable(schema)
  end
  if record.secret then
    schema.format = schema.format or record.kind == "string" and "password" or nil
    schema.writeOnly = true
  elseif record.default ~= nil then
    schema.default = record.default
    if record.kind == "list" then
      schema.default = array { unpack(record.default) }
    end
  end
  return schema
end

M.schema_of = schema_of

-- Operations ----------------------------------------------------------------------------------------------------------

local IN = { query = "query", headers = "header", cookies = "cookie" }
-- Header parameters that OpenAPI has other places for.
local NOT_PARAMETERS = { accept = true, ["content-type"] = true, authorization = true }

local function parameter(where, name, record, required)
  local made = { name = name, ["in"] = where, required = required or nil }
  if record.kind == "json" then
    made.content = { ["application/json"] = { schema = schema_of(record) } }
  else
    made.schema = schema_of(record)
  end
  return made
end

-- The parameters of a route; those of the path are called `names`, in order.
local function parameters(route, names)
  local list, refined = array {}, {}
  for _, field in ipairs(route.plan.params) do
    refined[field.name] = field.type
  end
  for i, field in ipairs(route.plan.path) do
    local record = refined[field.name] or { kind = field.kind, least = field.kind == "string" and 1 or nil }
    list[i] = parameter("path", names[i], record, true)
  end
  for _, key in ipairs { "query", "headers", "cookies" } do
    for _, field in ipairs(route.plan[key] or {}) do
      if key ~= "headers" or not NOT_PARAMETERS[field.name] then
        list[#list + 1] = parameter(IN[key], field.name, field.type,
          not field.type.optional and field.type.default == nil)
      end
    end
  end
  return list[1] and list
end

local function request_body(plan)
  if plan.form then
    local media = { schema = object_schema({ fields = plan.form }) }
    local content = { ["application/x-www-form-urlencoded"] = media, ["multipart/form-data"] = media }
    return { content = content, required = media.schema.required and true }
  elseif plan.body then
    local text = plan.body.kind == "string" or plan.body.kind == "function"
    return {
      content = { [text and "text/plain" or "application/json"] = { schema = schema_of(plan.body) } },
      required = not plan.body.optional and plan.body.default == nil or nil,
    }
  end
end

local function is_checked(plan)
  for _, key in ipairs(spec.KEYS) do
    if plan[key] and (key == "body" or plan[key][1]) then
      return true
    end
  end
  return plan.path[1] ~= nil
end

local function operation(route, names, id)
  local body = request_body(route.plan)
  local responses = { default = { description = "What the handler answers, or a problem." } }
  if is_checked(route.plan) then
    responses["400"] = { ["$ref"] = "#/components/responses/BadRequest" }
  end
  if body then
    responses["415"] = { ["$ref"] = "#/components/responses/UnsupportedMediaType" }
  end
  return { operationId = id, parameters = parameters(route, names), requestBody = body, responses = responses }
end

local METHODS = { GET = true, PUT = true, POST = true, DELETE = true, OPTIONS = true, HEAD = true, PATCH = true,
  TRACE = true }
local ANY = { "GET", "PUT", "POST", "DELETE", "PATCH" }

-- The path as OpenAPI writes it with the names of its parameters, and without them: paths that differ in names only are
-- one path there.
local function template(route)
  local names = {}
  for i, field in ipairs(route.plan.path) do
    names[i] = field.name
  end
  return route.pattern:gsub("{([%w_]+)[^}]*}", "{%1}"), (route.pattern:gsub("{[^}]*}", "{}")), names
end

local function add_operation(item, method, route, id)
  local key = method:lower()
  local taken = item.operations[key]
  if not taken then
    item.operations[key] = operation(route, item.names, id)
  else -- another route of this path and method, told apart by types
    taken["x-perigee-alternatives"] = taken["x-perigee-alternatives"] or array {}
    table.insert(taken["x-perigee-alternatives"], route.pattern)
  end
end

local function paths_of(routes)
  local paths, items = {}, {}
  for _, route in ipairs(routes) do
    local methods = route.method == "*" and ANY or METHODS[route.method] and { route.method } or {}
    local path, signature, names = template(route)
    local item = items[signature]
    if not item and methods[1] then
      item = { names = names, operations = {} }
      items[signature], paths[path] = item, item.operations
    end
    for i, method in ipairs(methods) do
      add_operation(item, method, route, i == 1 and route.name or nil)
    end
  end
  return paths
end

local PROBLEM = {
  type = "object",
  description = "A problem (RFC 9457).",
  properties = {
    title = { type = "string" }, status = { type = "integer" }, detail = { type = "string" },
    request_id = { type = "string" },
    errors = {
      type = "array",
      items = {
        type = "object",
        required = array { "in", "name", "expected" },
        properties = {
          ["in"] = { enum = array { "path", "query", "header", "cookie", "form", "body" } },
          name = { type = "string", description = "dotted and indexed: items[0].qty" },
          expected = { type = "string" },
          got = { type = array { "string", "null" },
            description = "what came, at most 64 bytes; null where nothing came, left out where it is secret" },
        },
      },
    },
  },
}

local function response(description)
  return { description = description,
    content = { ["application/problem+json"] = { schema = { ["$ref"] = "#/components/schemas/Problem" } } } }
end

--- The OpenAPI 3.1 document of these routes.
---@param config table perigee.config: `name` and `version` are the document's title and version
---@return string json
function M.document(routes, config)
  return document {
    openapi = "3.1.0",
    info = {
      title = type(config.name) == "string" and config.name or "Perigee app",
      version = type(config.version) == "string" and config.version or "0",
    },
    paths = paths_of(routes),
    components = {
      schemas = { Problem = PROBLEM },
      responses = {
        BadRequest = response("A value is not of its type; the problem lists all of them."),
        UnsupportedMediaType = response("The body's content type is not the one that is taken."),
      },
    },
  }
end

local function entry_of(route)
  local entry = { method = route.method == "*" and "ANY" or route.method, pattern = route.pattern, name = route.name,
    place = route.place, params = {} }
  for _, field in ipairs(route.plan.path) do
    entry.params[field.name] = field.rest and "rest" or field.kind
  end
  for _, field in ipairs(route.plan.params) do
    entry.params[field.name] = spec.in_short(field.type)
  end
  for _, key in ipairs { "query", "headers", "cookies", "form" } do
    for _, field in ipairs(route.plan[key] or {}) do
      entry[key] = entry[key] or {}
      entry[key][field.name] = spec.in_short(field.type)
    end
  end
  entry.body = route.plan.body and spec.in_short(route.plan.body)
  return entry
end

--- What is said of each route, in the order of the app's file.
---@return table[] each { method, pattern, place, name, params, query, headers, cookies, form, body }
function M.entries(routes)
  local list = array {}
  for i, route in ipairs(routes) do
    list[i] = entry_of(route)
  end
  return list
end

--- The routes as `perigee routes --json` prints them.
---@return string json
function M.listing(routes)
  return document(M.entries(routes))
end

return M
