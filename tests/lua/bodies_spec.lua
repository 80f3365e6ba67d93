-- The request's body is there, whole, and read so by the first spec.

local bodies = require "perigee.bodies"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("a form", function()
  local task = spec.req[1]

  it("has its first values, and all of one", function()
    equal("1", bodies.form(task).f)
    equal("A", bodies.form(task).g)
    equal("A", table.concat(bodies.form_all(task, "g"), ","))
    equal("A", table.concat(spec.req:form_all("g"), ","))
    equal(0, #spec.req:form_all("none"))
  end)

  it("that is no multipart has no files", function()
    equal(0, #bodies.files(task))
    equal(0, #spec.req:files())
  end)
end)

describe("a body", function()
  local task = spec.req[1]

  it("is had whole, time and again", function()
    equal("f=1&g=%41", bodies.whole(task))
    equal("f=1&g=%41", bodies.whole(task))
    equal("f=1&g=%41", spec.req.body)
  end)

  it("that was read whole is not read in parts", function()
    raises("the whole body was read already", bodies.read, task, 1)
    raises("the whole body was read already", function() spec.req:read(1) end)
  end)

  it("is read by bytes, one at least", function()
    for _, wrong in ipairs { 0, -1, "x", {} } do
      raises("bad argument #1 to 'read'", function() spec.req:read(wrong) end)
    end
  end)
end)
