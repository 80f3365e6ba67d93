local page = require "perigee.dev_page"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("the page", function()
  local text = page.render("500 <title>", { {
    message = "<script>alert(1)</script>", note = "a <note>", trace = "a <trace>",
    frames = {
      { place = "<a>.lua:1", name = "<fn>", locals = { { name = "<x>", value = "\"<v>\"" } },
        lines = { { number = 1, text = "<b>", current = true }, { number = 2, text = "c", current = false } } },
      { place = "b.lua:2", locals = {}, lines = {} },
    },
  } }, { { name = "<h>", value = "<v>" } }, "the <end>")

  it("escapes all that it shows", function()
    for _, wrong in ipairs { "<title> ", "<script", "<note>", "<trace>", "<a>", "<fn>", "<x>",
      "<v>", "<h>", "<end>" } do
      equal(nil, text:find(wrong, 1, true))
    end
    equal(true, text:find("&lt;script&gt;alert(1)&lt;/script&gt;", 1, true) ~= nil)
    equal(true, text:find('<div class="now"><i>1</i>&lt;b&gt;</div>', 1, true) ~= nil)
  end)

  it("opens the first frame only, and loads nothing", function()
    equal(1, select(2, text:gsub("<details open>", "")))
    equal(0, select(2, text:gsub("https?://", "")))
    equal("default-src 'none'; style-src 'unsafe-inline'", page.HEADERS["content-security-policy"])
  end)

  it("needs neither frames nor a request", function()
    equal("string", type(page.render("t", { { message = "m", frames = {} } }, nil, "f")))
  end)
end)
