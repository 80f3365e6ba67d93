local response = require "perigee.response"
local sse = require "perigee.sse"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

-- What a stream's function sends; the writer fails from the `full`th write on.
local function sent(fn, full)
  local parts = {}
  local made = sse.sse(fn)
  made.body(function(bytes)
    if #parts + 1 == full then
      return nil, "closed"
    end
    parts[#parts + 1] = bytes
    return true
  end)
  return table.concat(parts)
end

local function event(message)
  return sent(function(stream) stream:send(message) end)
end

describe("perigee.sse", function()
  it("is a response value of an event stream", function()
    local made = sse.sse(function() end)
    equal(true, response.is_response(made))
    equal("text/event-stream", made.type)
    equal("no-store", made.headers["cache-control"])
    equal("no", made.headers["x-accel-buffering"])
    raises("bad argument #1 to 'sse' (function expected, got nil)", sse.sse)
  end)

  it("sends events with all that they may have", function()
    equal("data: x\n\n", event "x")
    equal("data: \n\n", event "")
    equal("data: a\ndata: b\n\n", event "a\r\nb")
    equal("event: e\nid: 7\nretry: 500\ndata: x\n\n", event { data = "x", event = "e", id = 7, retry = 500 })
    equal('data: {"a":[1]}\n\n', event { data = { a = { 1 } } })
    equal("data: false\n\n", event { data = false })
    equal("id: 7\n\n", event { id = "7" })
    equal("data: x\n\n", event { data = "x", topic = "t" })
  end)

  it("says whether the client is there", function()
    local results = {}
    sent(function(stream)
      results[1] = stream:send("a")
      results[2], results[3] = stream:send("b")
    end, 2)
    equal(true, results[1])
    equal(nil, results[2])
    equal("closed", results[3])
  end)

  it("refuses what is no event", function()
    raises("bad argument #1 to 'send' (string or table expected, got number)", event, 7)
    raises("stream:send has no field 'x': what is to be sent goes under data", event, { x = 1 })
    raises("stream:send: event holds CR, LF or NUL", event, { event = "a\nb" })
    raises("stream:send: id holds CR, LF or NUL", event, { id = "a\nb" })
    raises("stream:send: retry is a number of milliseconds", event, { retry = "soon" })
    raises("a function at $", event, { data = print })
  end)

  it("is not draining while its version of the app is the newest", function()
    sent(function(stream) equal(false, stream:draining()) end)
  end)
end)
