-- perigee.test.events: server-sent events off a stream that comes in pieces.

local events = require "perigee.test.events"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

-- A stream that brings these parts, then ends as it is told to.
local function stream_of(parts, err)
  local i = 0
  return events.new { status = 200, headers = {}, close = function() end, read = function()
    i = i + 1
    return parts[i], not parts[i] and err or nil
  end }
end

describe("events", function()
  it("are read whole, whatever the pieces", function()
    local text = ": comment\n\nid: 1\nevent: tick\ndata: a\ndata:b\n\nretry: 20\r\ndata: c\r\n\r\ndata\n\n"
    for size = 1, #text do
      local parts = {}
      for at = 1, #text, size do
        parts[#parts + 1] = text:sub(at, at + size - 1)
      end
      local list = {}
      for event in stream_of(parts) do
        list[#list + 1] = ("%s|%s|%s|%s"):format(event.event, event.data, event.id, tostring(event.retry))
      end
      equal("tick|a\nb|1|nil message|c|1|20 message||1|nil", table.concat(list, " "))
    end
  end)

  it("say why there is none", function()
    local waiting = stream_of({ "data: 1\n" }, "timeout")
    local event, err = waiting:next(0)
    equal(nil, event)
    equal("timeout", err)
    spec.raises("no event came", waiting)
  end)
end)
