-- perigee.http without a network: what it takes. What it does over the network, tests/system/test_client_http.py holds.

local perigee = require "perigee"
local http = require "perigee.http"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("perigee.http", function()
  it("knows its options by name and type", function()
    raises("there is no option 'bdoy'", http.get, "http://x", { bdoy = "" })
    raises("the option 'headers' is a table", http.get, "http://x", { headers = "" })
    raises("the option 'stream' is a boolean", http.get, "http://x", { stream = 1 })
    raises("the option 'max_body' is a number", http.get, "http://x", { max_body = "1MB" })
    for _, size in ipairs { 0, 0.5, -1, 0 / 0 } do
      raises("the option 'max_body' is a number of bytes, 1 or more", http.get, "http://x", { max_body = size })
    end
    raises("the option 'proxy' is a url or false", http.get, "http://x", { proxy = true })
    for _, count in ipairs { -1, 1.5, 0 / 0, math.huge } do
      raises("the option 'redirects' is a whole number, 0 or more", http.get, "http://x", { redirects = count })
    end
    raises("the options are a table", http.get, "http://x", "options")
    raises("a url is a string", http.get, nil)
    raises("perigee.http: a method is a string, not a number", http.request, 7, "http://x")
    raises("perigee.http: the TLS option 'verify' is a boolean", http.get, "https://x", { tls = { verify = 1 } })
  end)

  it("takes one time for all, or one for each", function()
    raises("'timeout' is a number of seconds", http.get, "http://x", { timeout = -1 })
    raises("'timeout.read' is a number of seconds", http.get, "http://x", { timeout = { read = "1" } })
    raises("the option 'timeout' has no 'conect'", http.get, "http://x", { timeout = { conect = 1 } })
  end)

  it("takes one body", function()
    raises("one of the options 'body', 'json' and 'form'", http.post, "http://x", { json = 1, form = {} })
    raises("the option 'body' is a string or a function", http.post, "http://x", { body = {} })
    raises("'x' is a function", http.post, "http://x", { form = { x = print } })
    raises("a name to be encoded is a number", http.get, "http://x", { query = { "a" } })
  end)

  it("refuses urls that can't be, without raising", function()
    for _, url in ipairs { "", "x", "ftp://x", "http://", "http://a b", "http://x/\r\n", "http://x:0" } do
      local res, err = http.get(url)
      equal(nil, res)
      equal("refused", err:match("^%a+"))
    end
  end)

  it("refuses headers that could end a line", function()
    raises("holds CR, LF, NUL", http.get, "http://x", { headers = { a = "b\r\nc: d" } })
    raises("a header's name is no token", http.get, "http://x", { headers = { ["a\nb"] = "c" } })
    raises("said by perigee.http itself", http.get, "http://x", { headers = { ["Transfer-Encoding"] = "x" } })
    raises("a header's name is a number", http.get, "http://x", { headers = { "x" } })
  end)

  it("says what it did", function()
    equal("table", type(perigee.http.stats()))
  end)
end)
