local compress = require "perigee.middleware.compress"
local core = require "perigee.core"
local faked = require "faked"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local TEXT = ("the moon "):rep(1000)

local function answer(given, accepted, returned)
  local req = faked.request { headers = { ["Accept-Encoding"] = accepted } }
  return faked.answer(compress(given), req, returned or { TEXT })
end

describe("compress", function()
  it("takes what the client wants and is not off", function()
    equal("br", answer(nil, "gzip, br").headers["content-encoding"])
    equal("gzip", answer({ brotli = false }, "gzip, br").headers["content-encoding"])
    equal(nil, answer({ gzip = false }, "gzip").headers["content-encoding"])
    local sent = answer({ gzip = 9 }, "gzip")
    equal(core.compress("gzip", 9, TEXT), sent.body.body)
    equal("text/plain; charset=utf-8", sent.body.type)
    equal("Accept-Encoding", sent.headers.vary)
    equal(core.compress("gzip", 5, TEXT), answer({ gzip = true }, "gzip").body.body)
  end)

  it("leaves what is small, of another type or no smaller then", function()
    equal(nil, answer({ min_size = #TEXT + 1 }, "br").headers["content-encoding"])
    equal("br", answer({ min_size = #TEXT }, "br").headers["content-encoding"])
    equal(nil, answer({ min_size = 0 }, "br", { "" }).headers["content-encoding"])
    equal(nil, answer({ min_size = 0 }, "gzip", { "x" }).headers["content-encoding"])
    for content_type, coding in pairs { ["text/css"] = "br", ["TEXT/CSS; a=b"] = "br", ["image/png"] = "none",
      ["application/vnd.api+json"] = "br", ["image/svg+xml"] = "br", ["text/event-stream"] = "none",
      ["text/event-stream; charset=utf-8"] = "none", ["application/octet-stream"] = "none", [""] = "none" } do
      local sent = answer(nil, "br", { 200, TEXT, { ["content-type"] = content_type } })
      equal(coding, sent.headers["content-encoding"] or "none")
    end
    local own = { types = { "application/x-own" } }
    equal(nil, answer(own, "br").headers["content-encoding"])
    equal("br", answer(own, "br", { perigee.bytes(TEXT, "application/x-own") }).headers["content-encoding"])
  end)

  it("changes no value that an app keeps", function()
    local kept = perigee.text(TEXT)
    for _ = 1, 2 do
      equal("br", answer(nil, "br", { kept }).headers["content-encoding"])
      equal(TEXT, kept.body)
      equal(nil, next(kept.headers))
    end
  end)

  it("says which settings make no sense", function()
    for _, case in ipairs {
      { { gzip = 0 }, "gzip is a level from 1 to 9" }, { { gzip = 10 }, "gzip is a level" },
      { { gzip = 1.5 }, "gzip is a level" }, { { brotli = -1 }, "brotli is a level from 0 to 11" },
      { { brotli = 12 }, "brotli is a level" }, { { gzip = false, brotli = false }, "both off" },
      { { min_size = -1 }, "min_size is a number of bytes" }, { { file_size = 0.5 }, "file_size is a number" },
      { { types = { "html" } }, "types[1] is no type" }, { { types = { 7 } }, "types[1] is no type" },
      { { level = 5 }, "no setting 'level'" }, { { types = "text/html" }, "types is a table" },
    } do
      raises(case[2], compress, case[1])
    end
  end)
end)
