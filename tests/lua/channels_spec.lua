local channels = require "perigee.channels"
local core = require "perigee.core"
local perigee = require "perigee"
local response = require "perigee.response"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local function answer(...)
  local values, count = { ... }, select("#", ...)
  return channels.handler(function() return unpack(values, 1, count) end)(spec.req)
end

describe("perigee.publish", function()
  it("returns the message's id, and larger ones from then on", function()
    local first = perigee.publish("t", "x")
    local second = perigee.publish("t", { 1 }, { event = "e", retry = 100 })
    equal(true, tonumber(first) < tonumber(second))
    equal("mine", perigee.publish("t", "x", { id = "mine" }))
    equal("7", perigee.publish("t", "x", { id = 7 }))
    equal("1795347034049150", perigee.publish("t", "x", { id = 1795347034049150 }))
    equal("", perigee.publish("t", "x", { id = "" }))
  end)

  it("takes data of every shape that JSON has", function()
    for _, data in ipairs { "", "a\0b", "two\nlines", 0, -1.5, true, false, perigee.null, {}, { { {} } },
      perigee.array {} } do
      equal("string", type(perigee.publish("t", data)))
    end
  end)

  it("refuses what is no data, naming where", function()
    raises("bad argument #2 to 'publish' (data expected, got nil)", perigee.publish, "t")
    raises("a message can't be JSON: a function at $.f", perigee.publish, "t", { f = print })
    raises("a message can't be JSON: ", perigee.publish, "t", 0 / 0)
    local cycle = {}
    cycle.cycle = cycle
    raises("a message can't be JSON: ", perigee.publish, "t", cycle)
  end)

  it("says too_large of what is over a bound", function()
    local id, err = perigee.publish("t", ("x"):rep(64 * 1024 + 1))
    equal(nil, id)
    equal("too_large: a message has at most 65536 bytes (channels.message)", err)
    equal("string", type(perigee.publish("t", ("x"):rep(64 * 1024))))
    id, err = perigee.publish(("t"):rep(256), "x")
    equal(nil, id)
    equal("too_large: a topic's name has at most 255 bytes", err)
    id, err = perigee.publish("t", "x", { id = ("x"):rep(64 * 1024 + 1) })
    equal(nil, id)
    equal("too_large", err:match("^[%w_]+"))
  end)

  it("refuses topics that can't be", function()
    raises("bad argument #1 to 'publish' (a topic's name expected, got nil)", perigee.publish)
    raises("bad argument #1 to 'publish' (a topic's name expected, got number)", perigee.publish, 7, "x")
    raises("bad argument #1 to 'publish' (a topic's name is not empty)", perigee.publish, "", "x")
    local control = "bad argument #1 to '%s' (a topic's name holds no control bytes: byte %d is %s)"
    raises(control:format("publish", 2, "0x0a"), perigee.publish, "a\nb", "x")
    raises(control:format("members", 2, "0x00"), perigee.members, "a\0b")
    raises(control:format("members", 3, "0x7f"), perigee.members, "ab\127\1")
  end)

  it("refuses options that can't be", function()
    local function publish(options)
      return function() return perigee.publish("t", "x", options) end
    end
    raises("perigee.publish has no option 'events'", publish { events = "x" })
    raises("perigee.publish: event holds CR, LF or NUL", publish { event = "a\nb" })
    raises("perigee.publish: event holds CR, LF or NUL", publish { event = "a\rb" })
    raises("perigee.publish: id holds CR, LF or NUL", publish { id = "a\0b" })
    raises("perigee.publish: event is a string, got boolean", publish { event = true })
    raises("perigee.publish: retry is a number of milliseconds", publish { retry = -1 })
    raises("perigee.publish: retry is a number of milliseconds", publish { retry = 0.5 })
    raises("perigee.publish: retry is a number of milliseconds", publish { retry = "1" })
    raises("bad argument #3 to 'publish' (table expected, got string)", publish "x")
  end)
end)

describe("app:channel", function()
  it("answers with the topics that its function returns", function()
    local made = answer("a")
    equal(true, response.is_response(made))
    equal("channel", made.kind)
    equal("no-store", made.headers["cache-control"])
    equal("a", table.concat(made.body.topics, " "))
    equal("a b c", table.concat(answer({ "a", "b", "a", "c" }).body.topics, " "))
  end)

  it("answers nil and topics that can't be with a 404", function()
    equal(404, answer(nil).status)
    equal(404, answer().status)
    equal(404, answer("").status)
    equal(404, answer("a\nb").status)
    equal(404, answer({ "a", ("b"):rep(256) }).status)
    equal("a topic's name has at most 255 bytes", answer(("b"):rep(256)).body.detail)
  end)

  it("passes on what any handler may answer", function()
    local problem = perigee.problem(403)
    equal(problem, answer(problem))
    equal(401, answer(401))
    equal("no such user", (select(2, answer(nil, "no such user"))))
  end)

  it("refuses what is neither", function()
    raises("a channel's function returned a boolean as its topic", answer, true)
    raises("a channel's function returned a number as a topic", answer, { 7 })
    raises("a channel's function returned an empty list of topics", answer, {})
    raises("a channel's function returned a string as options", answer, "a", "b")
    raises("a channel has no option 'members'", answer, "a", { members = "x" })
    raises("a function at $.f", answer, "a", { member = { f = print } })
    local many = {}
    for i = 1, 65 do
      many[i] = "t" .. i
    end
    raises("a client has at most 64", answer, many)
  end)

  it("tells members apart by their id, else by all of their data", function()
    local function key(member)
      return answer("a", { member = member }).body.key
    end
    equal(nil, answer("a").body.key)
    equal(nil, key(nil))
    equal(key { id = 7, name = "ada" }, key { id = 7, name = "Ada", at = { 1 } })
    equal(false, key { id = 7 } == key { id = "7" })
    equal(false, key { id = 7 } == key(7))
    equal(false, key { id = 9007199254740991 } == key { id = 9007199254740990 })
    equal(key { name = "ada", room = 1 }, key { room = 1, name = "ada" })
    equal(false, key { name = "ada", room = 1 } == key { name = "ada", room = 2 })
    equal(false, key { "a", "b" } == key { "b", "a" })
    equal(key "ada", key "ada")
    equal(false, key(true) == key "true")
    equal(false, key { a = "b" } == key "b")
  end)

  it("keeps the data of a member as JSON", function()
    equal("Ada", core.decode(answer("a", { member = { id = 1, name = "Ada" } }).body.data).name)
    equal('"ada"', answer("a", { member = "ada" }).body.data)
    equal("false", answer("a", { member = false }).body.data)
  end)

  it("wants a function", function()
    local app = perigee.app()
    raises("what says a channel's topic is a function, got string", app.channel, app, "/x", "topic")
    raises("what says a channel's topic is a function, got nil", app.channel, app, "/x")
    app:channel("/x", { query = {} }, function() end)
    equal("GET", app.routes[1].method)
  end)
end)

describe("perigee.members", function()
  it("is an empty list where nobody is", function()
    equal("[]", core.encode(perigee.members("nobody")))
    equal("[]", core.encode(perigee.members(("x"):rep(300))))
  end)
end)
