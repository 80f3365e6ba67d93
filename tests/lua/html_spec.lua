local html = require "perigee.html"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

describe("escape", function()
  it("leaves nothing that could end a text or a quoted attribute", function()
    equal("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;", html.escape("<script>alert('x')</script>", "x"))
    equal("&quot; onclick=&quot;evil()", html.escape('" onclick="evil()', "x"))
    equal("&amp;lt;", html.escape("&lt;", "x"))
    equal("", html.escape("", "x"))
    equal(("&amp;"):rep(4096), html.escape(("&"):rep(4096), "x"))
    equal(("&#39;"):rep(10000), html.escape(("'"):rep(10000), "x"))
    equal(("x"):rep(10000), html.escape(("x"):rep(10000), "x"))
    equal("a\0b\255ä", html.escape("a\0b\255ä", "x"))
  end)

  it("shows numbers, booleans and what has a tostring of its own, escaped", function()
    equal("7", html.escape(7, "x"))
    equal("0.5", html.escape(0.5, "x"))
    equal("false", html.escape(false, "x"))
    equal("&lt;b&gt;", html.escape(setmetatable({}, { __tostring = function() return "<b>" end }), "x"))
  end)

  it("raises on what a page can't show, naming it", function()
    raises("nothing to show for 'user': it is nil", html.escape, nil, "user")
    raises("'user' is a table, which a page can't show", html.escape, {}, "user")
    raises("'user' is a function, which a page can't show", html.escape, print, "user")
    raises("'user' is a userdata, which a page can't show", html.escape, perigee.null, "user")
  end)
end)

describe("raw", function()
  it("goes in as it is", function()
    equal("<b>", html.escape(html.raw("<b>"), "x"))
    equal("7", html.escape(html.raw(7), "x"))
    equal("<b>", tostring(html.raw(html.raw("<b>"))))
    raises("bad argument #1 to 'raw' (string expected, got nil)", html.raw, nil)
    raises("bad argument #1 to 'raw' (string expected, got table)", html.raw, {})
  end)
end)

describe("fill", function()
  it("replaces {identifier} and nothing else", function()
    equal("<p>a &amp; b</p>", html.fill("<p>{x}</p>", { x = "a & b" }))
    equal("11", html.fill("{a_1}{a_1}", { a_1 = 1 }))
    for _, text in ipairs { "", "{}", "{ x }", "{x y}", "{1}", "{x-y}", "{{}}", "a { color: red }", "{x", "x}" } do
      equal(text, html.fill(text, {}))
    end
    equal("{1}", html.fill("{{x}}", { x = 1 }))
  end)

  it("keeps every byte of the text around", function()
    local around = 'quotes " and \\ and \\n \r\n \0 \t end'
    equal(around .. "1" .. around, html.fill(around .. "{x}" .. around, { x = 1 }))
  end)

  it("raises on a name without a value", function()
    raises("nothing to show for 'b': it is nil", html.fill, "{a}{b}", { a = 1 })
  end)

  it("fills hundreds of names", function()
    local parts, values, expected = {}, {}, {}
    for i = 1, 1000 do
      parts[i], values["n" .. i], expected[i] = "{n" .. i .. "}-", i, i .. "-"
    end
    equal(table.concat(expected), html.fill(table.concat(parts), values))
  end)

  it("forgets templates that are not used again", function()
    for i = 1, 3000 do
      equal(i .. " 7", html.fill(i .. " {x}", { x = 7 }))
    end
    local large = ("x"):rep(2 ^ 20)
    equal(large .. "7", html.fill(large .. "{x}", { x = 7 }))
    equal("1 8", html.fill("1 {x}", { x = 8 }))
  end)
end)

describe("perigee.html", function()
  it("is a page, filled when there are values", function()
    local made = perigee.html("<b>{x}</b>")
    equal("<b>{x}</b>", made.body)
    equal("text/html; charset=utf-8", made.type)
    equal("<b>&lt;</b>", perigee.html("<b>{x}</b>", { x = "<" }).body)
    equal("<b><i></b>", perigee.html("<b>{x}</b>", { x = perigee.raw("<i>") }).body)
  end)

  it("takes a string or a template, and a table", function()
    raises("bad argument #1 to 'html' (string or template expected, got nil)", perigee.html)
    raises("bad argument #1 to 'html' (string or template expected, got table)", perigee.html, {})
    raises("bad argument #2 to 'html' (table expected, got string)", perigee.html, "x", "y")
  end)
end)
