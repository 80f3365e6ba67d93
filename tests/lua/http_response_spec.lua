local http_response = require "perigee.http_response"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("an answer", function()
  it("reads its body as JSON, and in parts", function()
    local answer = setmetatable({ status = 200, body = '{"a":1}' }, http_response.Response)
    equal(1, answer:json().a)
    local parts = {}
    for part in answer:chunks() do
      parts[#parts + 1] = part
    end
    equal('{"a":1}', table.concat(parts))
    equal(nil, (answer:read()))
    answer:close()
    raises("comes by chunks() or read()", answer.json, answer)
  end)
end)
