-- Functions whose bytecode is read; none of them is ever called.
-- luacheck: ignore

local bytecode = require "perigee.bytecode"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local METHODS = { header = true, json = true }

local function shown(map)
  if not map then
    return "nothing proven"
  end
  local parts = {}
  for key, value in pairs(map) do
    parts[#parts + 1] = type(key) == "number" and value or key .. " " .. value
  end
  table.sort(parts)
  return table.concat(parts, ", ")
end

local function uses(expected, fn)
  equal(expected, shown(bytecode.uses_of_first(fn, METHODS)))
end

local function names(expected, fn)
  equal(expected, shown(bytecode.names_of_third(fn)))
end

describe("what a function does with its first parameter", function()
  it("is known where it only reads fields", function()
    uses("", function() end)
    uses("", function(req) end)
    uses("host held", function(req) return req.host end)
    uses("params consumed", function(req) return req.params.id end)
    uses("cookies consumed, query consumed", function(req) return 200, req.query.a, { b = req.cookies.c } end)
    uses("query consumed", function(req) if req.query.a then return req.query.b .. req.query.c end end)
    uses("query consumed", function(req) return tostring(req.query.a.b) end)
    uses("query consumed", function(req) for _ = 1, 10 do f(req.query.a) end end)
    uses("query consumed", function(req) return f(1, 2, req.query.a) and g(req.query.b) or req.query.c end)
  end)

  it("holds a field where anything else is done with it than reading a name of it", function()
    uses("query held", function(req) local query = req.query; return query.a end)
    uses("query held", function(req) return req.query.a, req.query end)
    uses("query held", function(req) return req.query[name] end)
    uses("query held", function(req) return req.query[1] end)
    uses("query held", function(req) req.query.a = 1 end)
    uses("query held", function(req) return #req.query end)
    uses("query held", function(req) return next(req.query) end)
    uses("query held", function(req) for k in pairs(req.query) do f(k) end end)
    uses("query held", function(req) return req.query == nil end)
    uses("query held", function(req) return req.query:get() end)
    uses("params consumed, query held", function(req) return (req.query or req.params).id end)
  end)

  it("is known where it calls methods that do not keep it", function()
    uses("", function(req) return req:header("x"), req:json() end)
    uses("query consumed", function(req) return req:header(req.query.a) end)
    uses("query consumed", function(req) return f(req:header(req.query.a or "b", g()), req:header(g())) end)
    uses("", function(req) for bytes in req:json() do f(bytes) end return req:json() end)
    uses("nothing proven", function(req) return req:keep("x") end)
  end)

  it("is not known where it may get away or change", function()
    uses("nothing proven", function(req) return req end)
    uses("nothing proven", function(req) return 1, req end)
    uses("nothing proven", function(req) return f(req) end)
    uses("nothing proven", function(req) f(req) end)
    uses("nothing proven", function(req) f(1, req) end)
    uses("nothing proven", function(req) f(req.a, g(req)) end)
    uses("nothing proven", function(req) local copy = req; return copy.query.a end)
    uses("nothing proven", function(req) local a, b, c; c = req; a = req.header; kept = c end)
    uses("nothing proven", function(req) local a, b, c; c = req; a = req.header; f(1) kept = c.query end)
    uses("nothing proven", function(req) do local a, b, c; c = req; a = req.header; if d then goto e end end f() ::e:: end)
    uses("nothing proven", function(req) t.req = req end)
    uses("nothing proven", function(req) t[req] = 1 end)
    uses("nothing proven", function(req) return { req } end)
    uses("nothing proven", function(req) return { a = req } end)
    uses("nothing proven", function(req) kept = req end)
    uses("nothing proven", function(req) req.ctx = 1 end)
    uses("nothing proven", function(req) req = f() return req.query.a end)
    uses("nothing proven", function(req) return req[name] end)
    uses("nothing proven", function(req) return req[1] end)
    uses("nothing proven", function(req) return #req end)
    uses("nothing proven", function(req) return req .. "" end)
    uses("nothing proven", function(req) if req then return 1 end end)
    uses("nothing proven", function(req) if req == x then return 1 end end)
    uses("nothing proven", function(req) for k, v in pairs(req) do f(k, v) end end)
    uses("nothing proven", function(req) for k, v in next, req do f(k, v) end end)
    uses("nothing proven", function(req) return function() return req.query.a end end)
    uses("nothing proven", function(req) return function() return function() return req end end end)
    uses("nothing proven", function(req) f(function() req = nil end) end)
    uses("nothing proven", function(req, ...) return req.query.a end)
    uses("nothing proven", function(...) return ... end)
    uses("nothing proven", print)
  end)

  it("does not mind functions that hold something else", function()
    uses("query consumed", function(req) f(function() return 1 end) g(req.query.a) end)
  end)
end)

describe("the names of a function's third value", function()
  it("are those of the literals it returns", function()
    names("a", function() return 200, "x", { a = 1 } end)
    names("a, b-c", function(req) return 200, "x", { a = req.a, ["b-c"] = req.b or "d" } end)
    names("a, b", function(req) if req.a then return 404 end return 200, "x", { a = req.b and 1 or 2, b = f { 3 } } end)
    names("a, b", function(req) if req.a then return 201, "", { a = 1 } end return 200, "x", { b = req.v } end)
    names("a", function(req) return 200, req.x and "a" or "b", { a = { 1, 2 } } end)
    names("a", function(req) return f(200), g "x", { a = function() return 1 end } end)
    names("a", function(req) for i = 1, 9 do if f(i) then return i, "x", { a = i } end end end)
  end)

  it("are not known where the table is made elsewhere, or in several ways", function()
    names("nothing proven", function(req) return 200, "x", req.a and { a = 1 } or { b = 2 } end)
    names("nothing proven", function(req) return 200, "x", req.a or { b = 2 } end)
    names("nothing proven", function(req) return 200, "x", req.a and { b = 2 } end)
    names("nothing proven", function() local h = { a = 1 } return 200, "x", h end)
    names("nothing proven", function() local h = { a = 1 } f(h) return 200, "x", h end)
    names("nothing proven", function() return 200, "x", setmetatable({ a = 1 }, t) end)
    names("nothing proven", function() return 200, "x", h end)
    names("nothing proven", function() if a then return 200, "x", h end return 200, "x", { a = 1 } end)
  end)

  it("are not known where keys are no constant names", function()
    names("nothing proven", function() return 200, "x", { 1, a = 1 } end)
    names("nothing proven", function() return 200, "x", { [1] = 2 } end)
    names("nothing proven", function() return 200, "x", { [true] = 2 } end)
    names("nothing proven", function() return 200, "x", { [f()] = 2 } end)
    names("nothing proven", function() return 200, "x", { a = 1, f() } end)
  end)

  it("are not known where others may return it", function()
    names("nothing proven", function() return f() end)
    names("nothing proven", function() return 200, f() end)
    names("nothing proven", function() return f(g()) end)
    names("nothing proven", function(...) return ... end)
    names("nothing proven", function() return 200, "x", { a = 1 }, 5 end)
    names("nothing proven", print)
  end)

  it("are none where there never is one", function()
    names("nothing proven", function() return 200, "x", {} end)
    names("nothing proven", function() return 200, "x" end)
    names("nothing proven", function() end)
  end)
end)

describe("the names that a function consumes", function()
  it("are those it reads out of the field", function()
    local names = bytecode.names_consumed(function(p) return p.body.a, p.query.b, p.body.c end, "body")
    equal(true, names.a and names.c)
    equal(nil, names.b)
    equal(nil, next(bytecode.names_consumed(function() end, "body")))
  end)
end)
