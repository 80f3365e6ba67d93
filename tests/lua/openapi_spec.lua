local facts = require "perigee.type_facts"
local openapi = require "perigee.openapi"
local perigee = require "perigee"
local spec = require "spec"
local specs = require "perigee.spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local t = perigee.types

local function schema(type)
  local value = openapi.schema_of(facts.of(type))
  local keys, parts = {}, {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    parts[i] = key .. "=" .. (type == nil and "" or perigee.encode(perigee.array { value[key] }):sub(2, -2))
  end
  return table.concat(parts, " ")
end

local function document(routes, config)
  for i, route in ipairs(routes) do
    route.place = "spec.lua:" .. i
    route.read = {}
    for key, types in pairs(route.spec or {}) do
      specs.read(route.read, key, types, 1)
    end
    specs.load(route, {})
  end
  local json = openapi.document(routes, config or {})
  return perigee.decode(json), json
end

describe("a type's schema", function()
  it("says what the type takes", function()
    equal('format="int64" maximum=5 minimum=1 type="integer"', schema(t.integer:min(1):max(5)))
    equal('maxLength=80 minLength=1 type="string"', schema(t.string:length(1, 80)))
    equal('pattern="^[A-Za-z0-9]*$" type="string"', schema(t.match("^%w*$")))
    equal('description="a string that matches %b()" type="string"', schema(t.match("%b()")))
    equal('format="uuid" type="string"', schema(t.uuid))
    equal('items={"type":"boolean"} minItems=1 type="array"', schema(t.list(t.boolean):length(1)))
    equal('enum=["a","b"] type="string"', schema(t.enum { "a", "b" }))
    equal('enum=["a",1]', schema(t.enum { "a", 1 }))
    equal("", schema(t.json))
    equal('default=2 type="number"', schema(t.number:default(2)))
    equal('type=["string","null"]', schema(t.string:nullable()))
    equal('enum=["a",null] type=["string","null"]', schema(t.enum { "a" }:nullable()))
    equal('description="a game" type="string"', schema(t(function() end, "a game")))
    equal('additionalProperties=false type="object"', schema(t.object {}:strict()))
    equal('required=["b"]', schema(t.object { a = t.slug:optional(), b = t.date }):match("required=%S+"))
  end)

  it("keeps secrets", function()
    equal('format="password" type="string" writeOnly=true', schema(t.string:secret():default("hush")))
  end)
end)

describe("the OpenAPI document", function()
  it("has the app's paths, parameters and bodies", function()
    local doc = document({
      { method = "GET", pattern = "/users/{id:integer}", name = "user",
        spec = { query = { page = t.integer:default(1), q = t.string }, headers = { ["X-A"] = t.slug } } },
      { method = "POST", pattern = "/users", spec = { body = t.object { name = t.string } } },
      { method = "POST", pattern = "/form", spec = { form = { name = t.string } } },
      { method = "PUT", pattern = "/text", spec = { body = t.string:optional() } },
    }, { name = "Shop", version = "7" })
    equal("Shop", doc.info.title)
    equal("7", doc.info.version)
    local get = doc.paths["/users/{id}"].get
    equal("user", get.operationId)
    equal("path id true,header x-a true,query page nil,query q true", (function()
      local list = {}
      for i, parameter in ipairs(get.parameters) do
        list[i] = ("%s %s %s"):format(parameter["in"], parameter.name, tostring(parameter.required))
      end
      table.sort(list, function(a, b) return (a:sub(1, 4) == "path") and b:sub(1, 4) ~= "path" or a < b
        and b:sub(1, 4) ~= "path" end)
      return table.concat(list, ",")
    end)())
    local post = doc.paths["/users"].post
    equal("name", post.requestBody.content["application/json"].schema.required[1])
    equal(true, post.requestBody.required)
    equal("#/components/responses/UnsupportedMediaType", post.responses["415"]["$ref"])
    local content = doc.paths["/form"].post.requestBody.content
    equal("object", content["application/x-www-form-urlencoded"].schema.type)
    equal("object", content["multipart/form-data"].schema.type)
    equal("string", doc.paths["/text"].put.requestBody.content["text/plain"].schema.type)
    equal(nil, doc.paths["/text"].put.requestBody.required)
  end)

  it("has one path for patterns that differ in types and names", function()
    local doc = document {
      { method = "GET", pattern = "/a/{n:integer}/x" },
      { method = "GET", pattern = "/a/{s}/x" },
      { method = "DELETE", pattern = "/a/{other}/x" },
      { method = "*", pattern = "/any/{rest*}", name = "any" },
      { method = "PROPFIND", pattern = "/dav" },
    }
    local item = doc.paths["/a/{n}/x"]
    equal("/a/{s}/x", item.get["x-perigee-alternatives"][1])
    equal("n", item.delete.parameters[1].name)
    equal(nil, doc.paths["/a/{s}/x"])
    equal("any", doc.paths["/any/{rest}"].get.operationId)
    equal(nil, doc.paths["/any/{rest}"].post.operationId)
    equal(nil, doc.paths["/dav"])
  end)

  it("is the same for the same app", function()
    local function made()
      local query = { b = t.slug, a = t.date, c = "json" }
      local _, json = document { { method = "GET", pattern = "/", spec = { query = query } } }
      return json
    end
    equal(made(), made())
  end)
end)
