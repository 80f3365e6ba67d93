local options = require "perigee.http_options"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function mistake(...)
  local ok, err = pcall(options.prepare, ...)
  equal(false, ok)
  return options.mistake_in(err)
end

describe("what is said of a request", function()
  it("becomes what the engine takes", function()
    local request = options.prepare("get", "http://x/y?z", { query = { a = { 1, "b c" } }, stream = true })
    equal("GET", request.method)
    equal("http://x/y?z&a=1&a=b%20c", request.url)
    equal(nil, request.headers)
    equal(nil, request.tls)
    equal(true, request.keeps)
  end)

  it("has times for all of it", function()
    local request = options.prepare("GET", "http://x", {})
    equal(10, request.connect)
    equal(30, request.read)
    equal(30, request.total)
    request = options.prepare("GET", "http://x", { timeout = 5 })
    equal(5, request.connect)
    equal(5, request.read)
    equal(5, request.total)
    equal(60, options.prepare("GET", "http://x", { timeout = { read = 60 } }).total)
  end)

  it("has a body and its type", function()
    local request = options.prepare("POST", "http://x", { json = { 1 }, headers = { ["X-A"] = "b" } })
    equal("[1]", request.body)
    equal("application/json", request.headers["content-type"])
    equal("b", request.headers["x-a"])
    request = options.prepare("POST", "http://x", { form = { a = "&" } })
    equal("a=%26", request.body)
    local function source() end
    request = options.prepare("POST", "http://x", { body = source })
    equal(nil, request.body)
    equal(source, request.source)
    equal(true, request.streams)
  end)

  it("may be a mistake, which is told from an error", function()
    equal("a url is a string", mistake("GET", 1, {}))
    equal("there is no option 'bdoy'", mistake("GET", "http://x", { bdoy = "" }))
    equal("the option 'redirects' is a whole number, 0 or more", mistake("GET", "http://x", { redirects = -1 }))
    equal(nil, options.mistake_in("an error"))
  end)
end)
