-- perigee.test.upstream_answer: what a handler of test.upstream returns, as bytes.

local answers = require "perigee.test.upstream_answer"
local response = require "perigee.response"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

-- Head and body, the lines of the head sorted.
local function parts(...)
  local head, body = answers.compose(...):match("^(.-)\r\n\r\n(.*)$")
  local lines = {}
  for line in head:gmatch("[^\r\n]+") do
    lines[#lines + 1] = line
  end
  table.sort(lines)
  return table.concat(lines, "|"), body
end

describe("upstream answer", function()
  it("is what a handler of an app would come to", function()
    local text, json = "content-type: text/plain; charset=utf-8", "content-type: application/json"
    for _, case in ipairs {
      { { "GET", "hi" }, "HTTP/1.1 200 OK|content-length: 2|" .. text, "hi" },
      { { "GET", { a = 1 } }, "HTTP/1.1 200 OK|content-length: 7|" .. json, '{"a":1}' },
      { { "GET", 404, "no" }, "HTTP/1.1 404 Not Found|content-length: 2|" .. text, "no" },
      { { "GET", 503 }, "HTTP/1.1 503 Service Unavailable|content-length: 0", "" },
      { { "GET" }, "HTTP/1.1 204 No Content", "" },
      { { "HEAD", "hi" }, "HTTP/1.1 200 OK|content-length: 2|" .. text, "" },
      { { "GET", 200, "<a/>", { ["Content-Type"] = "text/xml", b = { 1, 2 } } },
        "HTTP/1.1 200 OK|b: 1|b: 2|content-length: 4|content-type: text/xml", "<a/>" },
      { { "GET", response.redirect("/x") }, "HTTP/1.1 307 Temporary Redirect|content-length: 0|location: /x", "" },
      { { "GET", response.json("x") }, "HTTP/1.1 200 OK|content-length: 3|" .. json, '"x"' },
    } do
      local head, body = parts(unpack(case[1]))
      equal(case[2], head)
      equal(case[3], body)
    end
  end)

  it("is no stream, no function and no odd status", function()
    for _, case in ipairs {
      { "GET", function() end }, { "GET", 99, "x" }, { "GET", 200, "x", "y" }, { "GET", response.stream(print) },
      { "GET", 200, "x", { a = "b\r\nc: d" } },
    } do
      equal(false, (pcall(answers.compose, unpack(case))))
    end
  end)
end)
