local faked = require "faked"
local rate_limit = require "perigee.middleware.rate_limit"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function ask(middleware, fields)
  return faked.answer(middleware, faked.request(fields or {}))
end

describe("rate_limit", function()
  it("answers 429 to who asks too often, and says when to come back", function()
    local middleware = rate_limit { requests = 2, per = 60 }
    for left = 1, 0, -1 do
      local sent = ask(middleware)
      equal(200, sent.status)
      equal('"default";q=2;w=60', sent.headers["ratelimit-policy"])
      equal(('"default";r=%d;t=%d'):format(left, 60 - 30 * left), sent.headers.ratelimit)
    end
    local sent = ask(middleware)
    equal(429, sent.status)
    equal(false, sent.called)
    equal("30", sent.headers["retry-after"])
    equal('"default";r=0;t=60', sent.headers.ratelimit)
    equal(200, ask(middleware, { remote_addr = "192.0.2.8" }).status)
  end)

  it("lets as many come at once as its burst says", function()
    local middleware = rate_limit { requests = 100, per = 100, burst = 3, name = "burst" }
    local answers = {}
    for i = 1, 5 do
      answers[i] = ask(middleware).status
    end
    equal("200 200 200 429 429", table.concat(answers, " "))
    equal('"burst";q=100;w=100', ask(middleware).headers["ratelimit-policy"])
  end)

  it("counts by what its key says, and nothing where that says nothing", function()
    local middleware = rate_limit { requests = 1, key = function(req) return req.headers["x-key"] end }
    local function status(key) return ask(middleware, { headers = { ["X-Key"] = key } }).status end
    equal(200, status("a"))
    equal(429, status("a"))
    equal(200, status("b"))
    for _ = 1, 3 do
      equal(200, status(nil))
    end
    local number
    middleware = rate_limit { requests = 1, key = function() return number end }
    for _, key in ipairs { 7, 9007199254740990, 9007199254740991 } do
      number = key
      equal(200, ask(middleware).status)
      equal(429, ask(middleware).status)
    end
  end)

  it("is its own, unless it shares its name", function()
    local function limit(name) return rate_limit { requests = 1, name = name } end
    equal(200, ask(limit(nil)).status)
    equal(200, ask(limit(nil)).status)
    equal(200, ask(limit("shared")).status)
    equal(429, ask(limit("shared")).status)
  end)

  it("says nothing where it is told not to", function()
    local middleware = rate_limit { requests = 1, headers = false }
    equal(nil, ask(middleware).headers.ratelimit)
    local sent = ask(middleware)
    equal(nil, sent.headers["ratelimit-policy"])
    equal("60", sent.headers["retry-after"])
  end)

  it("refuses settings that make no sense", function()
    for _, given in ipairs { { requests = 0 }, { requests = 1.5 }, { requests = 0 / 0 } } do
      raises("requests is a whole number, 1 or more", rate_limit, given)
    end
    for _, per in ipairs { 0, -1, 0 / 0, math.huge } do
      raises("per is a number of seconds above 0", rate_limit, { per = per })
    end
    raises("burst is a whole number, 1 or more", rate_limit, { burst = 0 })
    raises("a bucket of this burst would take decades to fill", rate_limit, { requests = 1, per = 3600, burst = 1e9 })
    raises("name is made of letters", rate_limit, { name = 'a"b' })
    raises("rate_limit: key is a function, got a string", rate_limit, { key = "remote_addr" })
  end)
end)
