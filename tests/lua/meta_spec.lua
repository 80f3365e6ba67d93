-- The annotations for editors (lua/perigee/meta) against the library: each public function has one, with its
-- parameters and what it returns, and none is of something that does not exist.

local app = require "perigee.app"
local perigee = require "perigee"
local request = require "perigee.request"
local result = require "perigee.result"
local spawned = require "perigee.spawned"
local semaphore = require "perigee.semaphore"
local shared = require "perigee.shared"
local http_response = require "perigee.http_response"
local socket = require "perigee.socket"
local spec = require "spec"
local sse = require "perigee.sse"
local subscriptions = require "perigee.subscriptions"
local describe, it, equal = spec.describe, spec.it, spec.equal

local FOLDER = debug.getinfo(1, "S").source:match("^@(.*)tests/lua/") .. "lua/perigee/meta/"
local FILES = { "perigee.lua", "types.lua", "middleware.lua", "files.lua", "request.lua", "session.lua",
  "shared.lua", "socket.lua", "http.lua", "tasks.lua", "channels.lua", "errors.lua", "crypto.lua", "background.lua" }

local functions, fields = {}, {} -- by "class name": { place, lines, parameters }; and true

local function note_function(class, name, parameters, block, place)
  functions[class .. " " .. name] = { place = place, block = block, parameters = parameters }
end

-- A block of comments stands above what it is about.
local function read(file)
  local classes, block, class, number = {}, {}, nil, 0
  for line in io.lines(FOLDER .. file) do
    number = number + 1
    local variable = line:match("^local (%w+) = {}")
    local owner, name, parameters = line:match("^function ([%w]+)[.:]([%w_]+)%((.-)%) end$")
    if line:match("^%-%-%-") then
      block[#block + 1] = line
      class = line:match("^%-%-%-@class ([%w.]+)") or class
      local field = line:match("^%-%-%-@field ([%w_]+)%??%s+%S")
      if field and class then
        fields[class .. " " .. field] = true
      end
    else
      if variable then
        classes[variable] = class
      elseif owner then
        note_function(classes[owner] or owner, name, parameters, table.concat(block, "\n"), file .. ":" .. number)
      end
      block, class = {}, nil
    end
  end
end

for _, file in ipairs(FILES) do
  read(file)
end

local function is_callable(value)
  return type(value) == "function" or type(value) == "table" and (getmetatable(value) or {}).__call ~= nil
end

local function missing_of(class, members)
  local missing = {}
  for name, value in pairs(members) do
    local is_private = type(name) ~= "string" or name:sub(1, 1) == "_"
    local key = class .. " " .. tostring(name)
    local noted = fields[key] or is_callable(value) and functions[key]
    if not is_private and not noted then
      missing[#missing + 1] = tostring(name)
    end
  end
  table.sort(missing)
  return table.concat(missing, " ")
end

local BUILT_IN = {}
for _, name in ipairs { "basic_auth", "compress", "cors", "csrf", "rate_limit", "security_headers" } do
  BUILT_IN[name] = perigee.middleware[name]
end

local own_result = result.of_returned(request.new(require("perigee.native").vm.current), 200, "x")

local PUBLIC = {
  ["perigee"] = perigee,
  ["perigee.log"] = perigee.log,
  ["perigee.types"] = perigee.types,
  ["perigee.Type"] = getmetatable(perigee.types.string).__index,
  ["perigee.middleware"] = BUILT_IN,
  ["perigee.App"] = app.App,
  ["perigee.Request"] = request.methods,
  ["perigee.Result"] = { bytes = own_result.bytes },
  ["perigee.Session"] = require("perigee.session").methods,
  ["perigee.sessions"] = perigee.sessions,
  ["perigee.SharedDictionary"] = shared.Dictionary,
  ["perigee.Semaphore"] = semaphore.Semaphore,
  ["perigee.crypto"] = perigee.crypto,
  ["perigee.http"] = perigee.http,
  ["perigee.HttpResponse"] = http_response.Response,
  ["perigee.socket"] = perigee.socket,
  ["perigee.Socket"] = socket.Socket,
  ["perigee.Datagram"] = socket.Datagram,
  ["perigee.EventStream"] = sse.Stream,
  ["perigee.Subscription"] = subscriptions.Handle,
  ["perigee.Task"] = getmetatable(spawned.spawn(function() end)).__index,
}

describe("an annotation for editors", function()
  for class, members in pairs(PUBLIC) do
    it("stands for every public member of " .. class, function()
      equal("table", type(members))
      equal("", missing_of(class, members))
    end)
  end

  it("stands for every field of a request", function()
    equal("", missing_of("perigee.Request", request.getters))
    for _, name in ipairs { "params", "query", "cookies", "headers", "body", "ctx" } do
      equal(true, fields["perigee.Request " .. name])
    end
  end)

  it("is of something that exists", function()
    for key, noted in pairs(functions) do
      local class, name = key:match("^(%S+) (%S+)$")
      local members = PUBLIC[class]
      if members and not is_callable(members[name]) then
        error(noted.place .. ": there is no " .. name .. " in " .. class)
      end
    end
  end)

  it("names every parameter with its type, and says what a function is for", function()
    for _, noted in pairs(functions) do
      for parameter in noted.parameters:gmatch("[^,%s]+") do
        local pattern = "\n%-%-%-@param " .. parameter:gsub("%.", "%%.") .. "%??%s+%S"
        if not ("\n" .. noted.block):find(pattern) then
          error(noted.place .. ": the parameter " .. parameter .. " has no type")
        end
      end
      if not noted.block:find("%-%-%-%s?[^@%s]") and not noted.block:find("@param") then
        error(noted.place .. ": nothing is said")
      end
    end
  end)
end)
