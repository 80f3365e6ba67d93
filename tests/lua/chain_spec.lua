local apps = require "perigee.app"
local chain = require "perigee.chain"
local core = require "perigee.core"
local request = require "perigee.request"
local response = require "perigee.response"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

-- A request whose chain begins at `begin`, out of the one that runs this file.
local function request_at(begin)
  local req = request.new(spec.req[1])
  rawset(req, 11, begin)
  rawset(req, 12, false)
  return req
end

-- What a chain answers, and what was logged.
local function answer(middleware, handler, context)
  local uses = {}
  for i, fn in ipairs(middleware) do
    uses[i] = type(fn) == "table" and fn or { fn = fn }
  end
  local run, begin = chain.compose(uses, handler, "the handler at app.lua:1", context or {})
  local lines, log, uncaught = {}, core.log, core.uncaught
  core.log = function(level, message) lines[#lines + 1] = level .. " " .. message end
  core.uncaught = function(prefix, text) core.log("error", prefix .. text) end
  local ok, status, body, headers = pcall(run, request_at(begin))
  core.log, core.uncaught = log, uncaught
  if not ok then
    error(status, 0)
  end
  if type(status) == "string" then
    status, body = 200, status
  end
  return { status = status, body = body, headers = headers or {}, log = table.concat(lines, "\n"), count = #lines }
end

local function hello() return "hello" end

local function pass(req, inner) return inner(req) end

local function failed_with(message, middleware, handler)
  local sent = answer(middleware, handler or hello)
  equal(500, sent.status)
  equal(message, sent.log:find(message, 1, true) and message or sent.log)
  equal(1, sent.count)
end

describe("a chain", function()
  it("runs from the outermost middleware to the handler and back", function()
    local order = {}
    local function note(name)
      return function(req, inner)
        order[#order + 1] = name
        local res = inner(req)
        order[#order + 1] = name:upper()
        return res
      end
    end
    equal("hello", answer({ note "a", note "b", note "c" }, hello).body)
    equal("abcCBA", table.concat(order))
  end)

  it("hands the handler's answer on, status and headers too", function()
    local sent = answer({ pass, pass }, function() return 201, { 1 }, { ["x-a"] = "b" } end)
    equal(201, sent.status)
    equal(1, sent.body[1])
    equal("b", sent.headers["x-a"])
  end)

  it("takes from middleware all that a handler may return", function()
    equal("instead", answer({ function() return "instead" end }, hello).body)
    equal(202, answer({ function(req, inner) inner(req) return 202, "x" end }, hello).status)
    equal(403, answer({ function() return 403 end }, hello).status)
    equal(401, answer({ function() return response.problem(401) end }, hello).status)
    equal(401, answer({ function() error(response.problem(401)) end }, hello).status)
    local sent = answer({ function(req, inner) return 203, inner(req), { a = "b" } end }, hello)
    equal("203 hello b", sent.status .. " " .. sent.body .. " " .. sent.headers.a)
  end)

  it("takes nothing after inner for inner's answer", function()
    equal("hello", answer({ function(req, inner) inner(req) end }, hello).body)
    equal("hello", answer({ pass, function(req, inner) inner(req) return nil end, pass }, hello).body)
  end)

  it("lets middleware change the answer", function()
    local sent = answer({ function(req, inner)
      local res = inner(req)
      res.status, res.body, res.headers["x-a"] = 203, res.body:upper(), "b"
      return res
    end, pass }, hello)
    equal("203 HELLO b", sent.status .. " " .. sent.body .. " " .. sent.headers["x-a"])
  end)

  it("may hold the same middleware many times", function()
    local count = 0
    local function counting(req, inner)
      count = count + 1
      return inner(req)
    end
    local many = {}
    for i = 1, 40 do
      many[i] = counting
    end
    equal("hello", answer(many, hello).body)
    equal(40, count)
  end)

  it("asks the path of a request where a prefix needs it", function()
    local function never() error("called") end
    equal("hello", answer({ { fn = never, covers = function() return false end }, pass }, hello).body)
    equal("no", answer({ { fn = function() return "no" end, covers = function() return true end } }, hello).body)
  end)
end)

describe("what is raised inside", function()
  it("is an answer for the middleware around it, logged once with its traceback", function()
    local seen
    local sent = answer({ function(req, inner)
      local res = inner(req)
      seen = res
      res.headers["x-a"] = "b"
      return res
    end, pass }, function() error("oops") end)
    equal(500, sent.status)
    equal("b", sent.body.headers["x-a"])
    equal("oops", seen.error:match("oops$"))
    equal(1, sent.count)
    equal("chain_spec.lua", sent.log:match("in function <[^\n]*(chain_spec.lua)"))
  end)

  it("may be any value", function()
    for _, cause in ipairs { 42, { 1 }, setmetatable({}, { __tostring = function() return "spoken" end }) } do
      local seen
      answer({ function(req, inner) seen = inner(req).error end }, function() error(cause, 0) end)
      equal(cause, seen)
    end
  end)

  it("is no event in the log where it is a problem, and the cause all the same", function()
    local problem, seen = response.problem(403, "no"), nil
    local sent = answer({ function(req, inner)
      local res = inner(req)
      seen = res.error
      return res
    end }, function() error(problem) end)
    equal(403, sent.status)
    equal(problem, seen)
    equal(0, sent.count)
  end)

  it("counts also as nil and an error, and as what is no answer", function()
    local seen
    local function look(req, inner) seen = inner(req).error end
    local sent = answer({ look }, function() return nil, "no luck" end)
    equal("no luck", seen)
    equal("error no luck (from the handler at app.lua:1)", sent.log)
    sent = answer({ look }, function() return true end)
    equal("error the handler at app.lua:1 returned a boolean as a body", sent.log)
    equal(500, sent.status)
  end)

  it("in a middleware is an answer for those around it", function()
    local seen
    answer({ function(req, inner) seen = inner(req).status end, function() error("oops") end }, hello)
    equal(500, seen)
  end)
end)

describe("a mistake in a middleware", function()
  it("that returns nothing and does not call inner is a 500 that names it", function()
    local function idle() end
    failed_with("returned nothing and did not call inner (from the middleware at " .. chain.place_of(idle), { idle })
    failed_with("did not call inner", { pass, idle, pass })
  end)

  it("that calls inner twice is one", function()
    failed_with("inner was called a second time", { function(req, inner) inner(req) return inner(req) end })
    failed_with("inner was called a second time", { function(req, inner) req.ctx.inner = inner return inner(req) end },
      function(req) return req.ctx.inner(req) end)
  end)

  it("that calls inner without the request is one", function()
    failed_with("called inner without the request", { function(_, inner) return inner() end })
    failed_with("called inner without the request", { function(_, inner) return inner({}) end })
  end)

  it("that calls an inner it was not given is one", function()
    local kept
    answer({ function(req, inner) kept = inner return inner(req) end }, hello)
    failed_with("inner was kept and called for another route", { function(req) return kept(req) end })
  end)

  it("that calls inner after it returned is one", function()
    local kept
    failed_with("inner was called after its middleware had returned", {
      function(req, inner) inner(req) return kept(req) end,
      function(_, inner) kept = inner return "early" end,
    })
  end)

  it("that returns what is no answer is one", function()
    failed_with("returned a boolean as a body", { function() return true end })
    failed_with("no luck", { function() return nil, "no luck" end })
  end)
end)

describe("app:error within middleware", function()
  local function page(problem, _, err) return "<h1>" .. problem.status .. tostring(err) .. "</h1>", nil end

  it("renders what the handler raised before middleware sees it", function()
    local seen
    local sent = answer({ function(req, inner) seen = inner(req).body end },
      function() error("oops", 0) end, { error = page })
    equal("<h1>500oops</h1>", seen)
    equal(500, sent.status)
  end)

  it("renders what a middleware answers, once", function()
    local count = 0
    local function render(problem)
      count = count + 1
      return { title = problem.title }
    end
    local sent = answer({ pass, function() return 403 end }, hello, { error = render })
    equal("Forbidden", sent.body.title)
    equal(403, sent.status)
    equal(1, count)
  end)

  it("keeps the problem's headers unless it sets them", function()
    local function limited() return response.problem(429, nil, nil, { ["retry-after"] = "3", a = "1" }) end
    local sent = answer({ pass }, limited,
      { error = function() return 429, "slow", { a = "2" } end })
    equal("3", sent.headers["retry-after"])
    equal("2", sent.headers.a)
  end)

  it("leaves the problem where it returns nothing or fails", function()
    local sent = answer({ pass }, function() return 404 end, { error = function() end })
    equal(404, sent.body.body.status)
    equal(0, sent.count)
    sent = answer({ pass }, function() return 404 end, { error = function() error("worse") end })
    equal(404, sent.body.body.status)
    equal("error in the error hook: ", sent.log:match("error in the error hook: "))
    sent = answer({ pass }, function() return 404 end, { error = function() return true end })
    equal(404, sent.status)
    equal(1, sent.count)
  end)
end)

describe("an app's middleware", function()
  it("is kept where it was written", function()
    local app = apps.new():use(pass):use("/admin", { pass, pass })
    equal(3, #app.uses)
    equal("", app.uses[1].prefix)
    equal("/admin", app.uses[3].prefix)
  end)
end)
