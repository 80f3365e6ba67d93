local html = require "perigee.html"
local perigee = require "perigee"
local template = require "perigee.template"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local read = template.read

-- Renders `main` of a folder that holds these files.
local function with(files)
  template.forget()
  template.read = function(name)
    if files[name] then
      return files[name]
    end
    return nil, "not in this folder"
  end
  return perigee.template("main")
end

local function render(files, values)
  local made = with(type(files) == "table" and files or { main = files })
  return made:render(values)
end

describe("a template", function()
  it("escapes what it shows, in text and in quoted attributes", function()
    equal("&lt;b&gt; &amp; <a title=\"&quot;&#39;\">", render("{{ a }} &amp; <a title=\"{{ b }}\">", { a = "<b>",
      b = "\"'" }))
    equal("<b>", render("{{ raw(a) }}", { a = "<b>" }))
    equal("<b>", render("{{ a }}", { a = html.raw("<b>") }))
    equal("7 true", render("{{ 7 }} {{ true }}"))
  end)

  it("raises on nil, saying what it was", function()
    raises("templates/main:2: nothing to show for 'user.name': it is nil", render, "\n{{ user.name }}", { user = {} })
    equal("-", render("{{ user.name or '-' }}", { user = {} }))
    raises("'{}' is a table, which a page can't show", render, "{{ {} }}")
  end)

  it("is an answer when it is called, and a part of one", function()
    local page = with { main = "<i>{{ a }}</i>" }
    equal("<i>&amp;</i>", page({ a = "&" }).body)
    equal("text/html; charset=utf-8", page({ a = 1 }).type)
    equal("<i>1</i>", perigee.html(page, { a = 1 }).body)
    equal("<i>1</i>", page:render { a = 1 })
    raises("bad argument #1 to 'render' (table expected, got string)", page.render, page, "x")
  end)

  it("may be rendered within its own rendering", function()
    local page
    page = with { main = "({{ n > 0 and inner(n - 1) or 'end' }})" }
    local function inner(n)
      return perigee.raw(page:render { n = n, inner = inner })
    end
    equal("(((end)))", page:render { n = 2, inner = inner })
  end)

  it("is as good as before after it has failed", function()
    local page = with { main = "a{{ b }}c" }
    raises("nothing to show for 'b'", page.render, page)
    equal("a1c", page:render { b = 1 })
    local large = ("x"):rep(2 ^ 17)
    equal("a" .. large .. "c", page:render { b = large })
    equal("a1c", page:render { b = 1 })
  end)

  it("writes JSON for scripts and parts of URLs", function()
    equal([[{"a":"\u003c/script\u003e\u0026\u0027"}]], render("{{ json(x) }}", { x = { a = "</script>&'" } }))
    equal("null", render("{{ json(x) }}"))
    equal("?q=a%26b%20%C3%A4", render("?q={{ url(q) }}", { q = "a&b ä" }))
  end)
end)

describe("include", function()
  it("sees the page's values, and those given before them", function()
    equal("<1><2>", render({ main = "{% include 'row' %}{% include 'row', { a = 2 } %}", row = "<{{ a }}>" },
      { a = 1 }))
    equal("12", render({ main = "{% for i = 1, 2 do %}{% include name, { i = i } %}{% end %}", row = "{{ i }}" },
      { name = "row" }))
  end)

  it("goes as deep as a tree, but not without end", function()
    local tree = "{{ name }}{% for _, child in ipairs(children or {}) do %}({% include 'main', child %}){% end %}"
    equal("a(b(c))(d)", render(tree, { name = "a", children = {
      { name = "b", children = { { name = "c", children = {} } } }, { name = "d", children = {} } } }))
    raises("templates/other:1: templates include each other more than 50 deep", render,
      { main = "{% include 'other' %}", other = "{% include 'main' %}" })
  end)

  it("raises on what is no template, with its place", function()
    raises("templates/main:2: no template 'gone': not in this folder", render, "\n{% include 'gone' %}")
    raises("templates/main:2: no template 'gone': not in this folder", render, "\n{% include name %}",
      { name = "gone" })
    raises("templates/main:1: include takes the name of a template, got a nil", render, "{% include name %}")
    raises("templates/main:1: include takes its values as a table, got a number", render, "{% include 'main', 7 %}")
    raises("templates/row:1:", render, { main = "\n{% include 'row' %}", row = "{{ a b }}" })
  end)
end)

describe("extends", function()
  local LAYOUT = "<{% block title %}none{% endblock %}|{% block body %}{% block inner %}in{% endblock %}{% endblock %}>"

  it("puts blocks in the place of the layout's", function()
    equal("<none|in>", render { main = LAYOUT })
    equal("<page|in>", render { main = "{% extends 'layout' %}\n{% block title %}page{% endblock %}\n",
      layout = LAYOUT })
    equal("<none|x>", render({ main = "{% extends 'layout' %}{% block inner %}{{ a }}{% endblock %}", layout = LAYOUT },
      { a = "x" }))
  end)

  it("goes over several layouts, with what they had by super", function()
    equal("<page - site|in>", render {
      main = "{% extends 'site' %}{% block title %}page - {% super %}{% endblock %}",
      site = "{% extends 'layout' %}{% block title %}site{% endblock %}", layout = LAYOUT })
    equal("<|in>", render { main = "{% extends 'layout' %}{% block title %}{% endblock %}", layout = LAYOUT })
    equal("a", render { main = "{% block a %}{% super %}a{% endblock %}" })
  end)

  it("raises on a circle and on a layout that is not there", function()
    raises("templates/b:1: templates extend each other in a circle: 'b' extends 'main'", render,
      { main = "{% extends 'b' %}", b = "{% extends 'main' %}" })
    raises("templates/main:1: no template 'gone': not in this folder", render, "{% extends 'gone' %}")
  end)

  it("gives an included template blocks of its own", function()
    equal("[1]2", render { main = "[{% include 'part' %}]{% block a %}2{% endblock %}",
      part = "{% block a %}1{% endblock %}" })
  end)
end)

describe("perigee.template", function()
  it("compiles a template once", function()
    local page = with { main = "x" }
    equal(page, perigee.template("main"))
    template.read = function() return "y" end
    equal("x", perigee.template("main"):render())
  end)

  it("reads files of its folder only", function()
    template.read = read
    template.forget()
    for _, name in ipairs { "../app.lua", "/etc/passwd", "a/../../b", "./a", "a//b", "", "a\0b", "a\\b" } do
      raises("a template's name is a path within the folder", perigee.template, name)
    end
    raises("no template 'gone.html': ", perigee.template, "gone.html")
    raises("bad argument #1 to 'template' (string expected, got nil)", perigee.template)
  end)

  it("shows itself", function()
    equal("perigee.Template 'main'", tostring(with { main = "" }))
  end)
end)
