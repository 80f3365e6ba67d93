local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal
local values = require "perigee.shared_values"

local d = perigee.shared("values spec")

describe("the values of shared dictionaries", function()
  it("are told by kind, number and bytes", function()
    for _, value in ipairs { "", "text", 0, -1.5, true, false } do
      equal(value, values.unpacked(values.packed(value)))
    end
    equal("b", values.unpacked(values.packed { "a", { "b" } })[2][1])
    equal(nil, values.unpacked(values.NONE, 0, ""))
    for _, value in ipairs { print, coroutine.create(print), perigee.null } do
      equal(nil, (values.packed(value)))
      equal(true, select(2, values.packed(value)):find("strings, numbers, booleans and tables", 1, true) ~= nil)
    end
    equal("perigee.null", select(2, values.packed(perigee.null)):match("not (.*)$"))
  end)

  it("are read as they were packed", function()
    for _, value in ipairs { "", "text", 7, true, { 1, { a = "b" } } } do
      d:set("k", value)
      local kind, number, bytes = values.packed(value)
      local read_kind, read_number, read_bytes = values.read_packed(d[1], "k")
      equal(kind, read_kind)
      equal(bytes, read_bytes)
      equal(type(value) == "number" and value or number, type(value) == "number" and read_number or 0)
    end
    equal(values.NONE, (values.read_packed(d[1], "none")))
    equal(nil, values.read(d[1], "none"))
  end)

  it("have their room over collections", function()
    local room = setmetatable({ values.owner }, { __mode = "v" })
    collectgarbage()
    collectgarbage()
    equal("userdata", type(room[1]))
    d:set("long", ("x"):rep(2 ^ 21))
    for _ = 1, 100 do
      local litter = {}
      for i = 1, 1000 do litter[i] = { i } end
      equal(1000, #litter)
      equal(2 ^ 21, #d:get("long"))
    end
    d:delete("long")
  end)
end)
