local core = require "perigee.core"
local html = require "perigee.html"
local spec = require "spec"
local values = require "perigee.dev_values"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function show(value)
  return values.show("x", value)
end

describe("a value", function()
  it("is shown as Lua would write it", function()
    equal("nil", show(nil))
    equal("false", show(false))
    equal("0.5", show(0.5))
    equal([["a \"b\"\nc"]], show('a "b"\nc'))
    equal("perigee.null", show(core.null))
    equal("{}", show({}))
    equal([[{ 1, "b", c = true, ["d e"] = {} }]], show({ 1, "b", c = true, ["d e"] = {} }))
    equal("{ { {...} } }", show({ { { 1 } } }))
    equal("function", show(select))
    equal("coroutine", (show(coroutine.create(print)):gsub("thread", "coroutine")))
  end)

  it("names a function by its place", function()
    equal(1, (show(function() end):find("^function .*dev_values_spec%.lua:%d+$")))
  end)

  it("is cut at a bound, between two characters", function()
    equal(160 + 2 + #" ... (500 bytes)", #show(("x"):rep(500)))
    equal('"' .. ("x"):rep(159) .. '" ... (259 bytes)', show(("x"):rep(159) .. ("ä"):rep(50)))
    equal("{ 1, 2, 3, 4, 5, 6, ... }", show({ 1, 2, 3, 4, 5, 6, 7 }))
    local large = {}
    for i = 1, 1000 do
      large["key" .. i] = large
    end
    equal(504, #show(large))
  end)

  it("runs no code of its own", function()
    local function fail() error("code ran") end
    equal("{ a = 1 }", show(setmetatable({ a = 1 }, { __index = fail, __tostring = fail, __pairs = fail })))
    equal("perigee.Raw", show(html.raw("x")))
    equal("the request", show(spec.req))
  end)

  it("is UTF-8 whatever it was", function()
    equal('"a?b"', show("a\255b"))
    equal("ä?", values.utf8("ä?"))
  end)
end)

describe("a secret", function()
  it("is hidden by its name, in tables too", function()
    for _, name in ipairs { "password", "PASSWD", "api_token", "csrfToken", "secret_key", "Authorization", "set-cookie",
      "cookies", "api_key", "apikey", "private_key", "session", "credentials" } do
      equal("(hidden)", values.show(name, "hunter2"))
    end
    equal("{ password = (hidden), user = \"ada\" }", show({ user = "ada", password = "hunter2" }))
    equal("{ { token = (hidden) } }", show({ { token = "x" } }))
    equal('"x"', values.show("pass_through", "x"))
    equal('"x"', values.show(7, "x"))
  end)
end)
