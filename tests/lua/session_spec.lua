local core = require "perigee.core"
local perigee = require "perigee"
local session = require "perigee.session"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local req = spec.req
local s = req.session
local view = req[1]

-- Ends what the spec before left, and writes at once what a handler's end would.
local function save()
  session.save(view)
end

local function anew()
  s:destroy()
  save()
end

describe("a session", function()
  it("is not made by looking at it", function()
    equal(nil, s.user)
    equal(nil, s:id())
    equal(nil, next(s:all()))
    equal(nil, s[1])
    s:rotate()
    s:destroy()
    s.key = nil
    save()
    equal(nil, s:id())
    equal(s, req.session)
  end)

  it("keeps strings, numbers, booleans and tables", function()
    for _, value in ipairs { "", "a\0b", 0, -0.1, 2 ^ 53, true, false } do
      s.key = value
      equal(value, s.key)
      save()
      equal(value, s.key)
    end
    s.list = { 1, { deep = { perigee.null } } }
    save()
    equal(perigee.null, s.list[2].deep[1])
    equal(16, #s:id())
    s.key = nil
    equal(nil, s.key)
    save()
    equal(nil, s.key)
    equal(nil, s:all().key)
    anew()
  end)

  it("hands back what save is given besides", function()
    equal(3, select("#", session.save(view, 1, nil, nil)))
  end)

  it("writes back a table that was changed after it was read", function()
    s.cart = { items = { "tea" }, empty = perigee.array() }
    save()
    s.cart.items[2] = "milk"
    equal("milk", s.cart.items[2])
    save()
    equal("milk", s.cart.items[2])
    equal("[]", perigee.encode(s.cart.empty))
    view.session = 0
    equal("milk", s.cart.items[2])
    save() -- what is equal is not written: another's change would be lost
    equal('["tea","milk"]', perigee.encode(s.cart.items))
    equal("[]", perigee.encode(s.cart.empty))
    anew()
  end)

  it("copies what all gives", function()
    s.a, s.t = 1, { n = 1 }
    save()
    s.b = { 2 }
    local all = s:all()
    equal(1, all.a)
    all.t.n, all.b[1], all.a = 9, 9, 9
    save()
    equal(1, s.t.n)
    equal(2, s.b[1])
    equal(1, s.a)
    anew()
  end)

  it("is the user's after login, and listed", function()
    s:login("spec ada")
    equal("spec ada", s.user)
    save()
    equal("spec ada", s.user)
    local list = perigee.sessions.of("spec ada")
    equal(1, #list)
    equal(s:id(), list[1].id)
    equal("spec ada", list[1].values.user)
    equal(true, math.abs(perigee.now() - list[1].used) < 5)
    s:login(42)
    save()
    equal(42, s.user)
    equal(1, #perigee.sessions.of(42))
    equal(1, #perigee.sessions.of("42"))
    equal("[]", perigee.encode(perigee.sessions.of("spec ada")))
    s.user = nil
    save()
    equal(0, #perigee.sessions.of(42))
    s.user = 9007199254740991
    save()
    equal(0, #perigee.sessions.of(9007199254740990))
    equal(1, #perigee.sessions.of(9007199254740991))
    equal(1, #perigee.sessions.of("9007199254740991"))
    anew()
  end)

  it("keeps its id over another token", function()
    s.a = 1
    save()
    local id = s:id()
    s:rotate()
    s:login("x")
    save()
    equal(id, s:id())
    s:destroy()
    equal(nil, s:id())
    equal(nil, s.a)
    s.b = 2
    equal(2, s.b)
    save()
    equal(false, s:id() == id)
    equal(nil, s.a)
    anew()
  end)

  it("ends with its user's sessions, and what is written to it then is dropped", function()
    s:login("gone")
    save()
    local id = s:id()
    equal(0, perigee.sessions.destroy("gone", "0123456789abcdef"))
    equal(0, perigee.sessions.destroy("gone", "no id"))
    equal(1, perigee.sessions.destroy("gone", id))
    equal(0, perigee.sessions.destroy("gone"))
    s.late = 1
    save()
    equal(0, #perigee.sessions.of("gone"))
    core.session_forget(view)
    equal(nil, s:id())
  end)

  it("refuses what it can't keep where it is written", function()
    for _, name in ipairs { "id", "login", "rotate", "destroy", "touch", "all" } do
      raises("req.session." .. name .. " is a method", function() s[name] = 1 end)
    end
    raises("keeps strings, numbers, booleans and tables, not function", function() s.f = print end)
    raises("not perigee.null", function() s.f = perigee.null end)
    for _, key in ipairs { 1, true, "", ("k"):rep(256) } do
      raises("a session's key is a string of 1 to 255 bytes", function() s[key] = 1 end)
    end
    for _, user in ipairs { "", true, 0 / 0, ("u"):rep(256) } do
      raises("bad argument #1 to 'login'", s.login, s, user)
    end
    raises("called with a colon", s.id, {})
    raises("called with a colon", s.id)
    raises("called with a colon", s.login, "ada")
    equal(nil, s:id())
  end)

  it("says when it is written what a table can't hold, and is as it was", function()
    s.a = 1
    save()
    s.b, s.t = 2, { { print } }
    raises("req.session.t: a function at $[1][1] can't be kept", save)
    equal(nil, s.b)
    s.big = ("x"):rep(70000)
    raises("larger than session.size allows", save)
    s.cart = {}
    save()
    s.cart.self = s.cart
    raises("req.session.cart: a cycle at $.self", save)
    equal(1, s.a)
    anew()
  end)
end)

describe("perigee.sessions", function()
  it("says what it wants", function()
    raises("bad argument #1 to 'of'", perigee.sessions.of)
    raises("bad argument #1 to 'destroy'", perigee.sessions.destroy, {})
    raises("bad argument #2 to 'destroy'", perigee.sessions.destroy, "ada", 7)
    equal(0, #perigee.sessions.of("nobody"))
    equal(0, #perigee.sessions.of(""))
  end)
end)
