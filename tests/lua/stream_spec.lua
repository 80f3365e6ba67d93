local spec = require "spec"
local stream = require "perigee.stream"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("the body of a stream", function()
  it("writes strings and numbers only", function()
    stream.run(function(write)
      raises("bad argument #1 to 'write' (string expected, got nil)", write)
      raises("bad argument #1 to 'write' (string expected, got table)", write, {})
    end, { serial = 1 })
  end)

  it("is told that it is closed once its request has ended", function()
    local view = { serial = 1 }
    stream.run(function(write)
      view.serial = 2
      local written, err = write("x")
      equal(nil, written)
      equal("closed", err)
    end, view)
  end)

  it("returns what its function does", function()
    equal("done", stream.run(function() return "done" end, { serial = 1 }))
  end)
end)
