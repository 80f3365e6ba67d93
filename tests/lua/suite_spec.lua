-- perigee.test.suite: what becomes of a file of tests.

local suite = require "perigee.test.suite"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

-- Runs a file with this text: "status name" of each test, sorted, and the messages. `choice`: a filter, or options.
local function run(text, choice)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  local kept = {}
  for key, value in pairs(_G) do
    kept[key] = value
  end
  local list, messages = {}, {}
  local options = type(choice) == "table" and choice or { filter = choice }
  suite.run(path, {
    filter = options.filter,
    filter_out = options.filter_out,
    tags = options.tags or {},
    exclude_tags = options.exclude_tags or {},
    random = function(n) return n end,
    begin = function() end,
    finish = function(status, name, _, message)
      list[#list + 1] = status .. " " .. name:gsub(".*" .. path:match("[^/]*$"), "file")
      messages[#messages + 1] = message
    end,
  })
  for key in pairs(_G) do
    _G[key] = kept[key]
  end
  os.remove(path)
  table.sort(list)
  return table.concat(list, "; "), table.concat(messages, "\n")
end

describe("suite", function()
  it("tells success, failure, error and pending", function()
    equal("error d c; failure d b; pending d e; pending p; success d a", (run [[
      describe("d", function()
        it("a", function() assert.equal(1, 1) end)
        it("b", function() assert.equal(1, 2) end)
        it("c", function() error("x") end)
        it("e", function() pending("later") end)
      end)
      pending("p", function() end)]]))
  end)

  it("takes a test without a function for one that is to come", function()
    equal("pending d later", (run [[describe("d", function() it("later") end)]]))
  end)

  it("tells of the first thing that went wrong", function()
    for text, first in pairs {
      [ [[it("t", function() finally(function() error("finally") end) end)
        after_each(function() error("after") end)]] ] = "finally",
      [ [[it("t", function() finally(function() error("finally") end) error("test") end)]] ] = "test",
    } do
      local _, messages = run(text)
      equal(first, messages:match(": (%a+)"))
    end
  end)

  it("runs what a filter chooses, with what surrounds it", function()
    equal("success d a", (run([[
      describe("d", function() before_each(function() n = 1 end) it("a", function() assert.equal(1, n) end) end)
      describe("e", function() setup(function() error("not reached") end) it("b", function() end) end)]], "d a")))
  end)

  it("fails the tests whose setup fails, and names a teardown", function()
    local list, messages = run [[
      describe("d", function() setup(function() error("no") end) it("a", function() end) end)
      describe("e", function() teardown(function() error("late") end) it("b", function() end) end)]]
    equal("error d a; error e teardown; success e b", list)
    equal("string", type(messages:match("in setup: .*no")))
  end)

  it("goes on after a failed test, and cleans up after it", function()
    equal("failure a; success b", (run [[
      local cleaned = 0
      after_each(function() cleaned = cleaned + 1 end)
      it("a", function() assert.is_nil(1) end)
      it("b", function() assert.equal(1, cleaned) end)]]))
  end)

  it("says what is wrong with a file", function()
    local _, messages = run "it('x'"
    equal("string", type(messages:match("'%)' expected")))
    _, messages = run "it(1, print)"
    equal("string", type(messages:match("a name expected, got number")))
    _, messages = run "it('a', function() it('b', print) end)"
    equal("string", type(messages:match("it can't be used inside a test")))
    _, messages = run("it('a', print)", "%")
    equal("string", type(messages:match("%-%-filter is no Lua pattern")))
  end)

  it("chooses by tags of tests and of what surrounds them", function()
    local text = [[
      describe("d #db", function() it("a #slow", print) it("b", print) end)
      it("c #slow, #net", print)
      it("e #slower", print)]]
    equal("success c #slow, #net; success d #db a #slow", (run(text, { tags = { "slow" } })))
    equal("success d #db b", (run(text, { tags = { "db" }, exclude_tags = { "slow" } })))
    equal("success c #slow, #net; success d #db a #slow; success d #db b", (run(text, { tags = { "db", "net" } })))
    equal("success d #db a #slow", (run(text, { tags = { "slow" }, filter_out = "net" })))
    equal("success e #slower", (run(text, { exclude_tags = { "slow", "db" } })))
  end)

  it("keeps the order where a block wants it", function()
    local order = run [[
      local seen = ""
      describe("d", function()
        randomize(false)
        for i = 1, 5 do it("t" .. i, function() seen = seen .. i end) end
        teardown(function() assert.equal("12345", seen) end)
      end)]]
    equal(nil, order:match("error"))
  end)

  it("says what stands for async and done of busted 1", function()
    for _, text in ipairs { "it('a', function() async() end)", "it('a', function(done) done() end)",
      "it('a', function() settimeout(1) end)" } do
      local list, messages = run(text)
      equal("error a", list)
      equal("string", type(messages:match("busted 1's")))
    end
  end)

  it("has the modules that files for busted require", function()
    equal("success a", (run [[
      require "busted.runner"()
      local assert, match, spy = require "luassert", require "luassert.match", require "luassert.spy"
      it("a", function()
        local seen = spy.new(function() end)
        seen(1)
        assert.spy(seen).was.called_with(match.is_number())
        assert.equal(require("busted").it, it)
        assert.equal(require "say", require "say")
      end)]]))
  end)
end)
