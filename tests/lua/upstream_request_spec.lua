-- perigee.test.upstream_request: a request off the bytes that an app sends.

local requests = require "perigee.test.upstream_request"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("upstream request", function()
  it("has what was sent", function()
    local request, rest = requests.read("POST /a%20b?x=1+2&x=3&y HTTP/1.1\r\nHost: h:80\r\nX-A: v\r\n"
      .. "Content-Length: 2\r\n\r\n{}GET")
    equal("POST", request.method)
    equal("/a%20b?x=1+2&x=3&y", request.target)
    equal("/a%20b", request.path)
    equal("1 2", request.query.x)
    equal("", request.query.y)
    equal("h:80", request.host)
    equal("v", request.headers["X-a"])
    equal("{}", request.body)
    equal("GET", rest)
  end)

  it("is not there before its last byte", function()
    for _, text in ipairs {
      "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
      "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
      "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    } do
      for size = 0, #text - 1 do
        equal(nil, (requests.read(text:sub(1, size))))
      end
      local request, rest = requests.read(text)
      equal("abc", request.body)
      equal("", rest)
    end
  end)

  it("is the same for one who speaks through a proxy", function()
    equal("/p?q", requests.read("GET http://h:1/p?q HTTP/1.1\r\nHost: h:1\r\n\r\n").target)
  end)
end)
