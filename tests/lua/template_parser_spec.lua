local parser = require "perigee.template_parser"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

-- A template's nodes as one line: kind, line and text of each.
local function nodes(source)
  local shown = {}
  for i, node in ipairs(parser.parse(source, "t.html")) do
    shown[i] = ("%s %d (%s)"):format(node.kind, node.line, (node.text:gsub("\n", "|")))
  end
  return table.concat(shown, ", ")
end

describe("a tag", function()
  it("is text, an expression or a statement", function()
    equal("text 1 (a), show 1 ( b ), text 1 (c), code 1 ( if d then ), text 1 (e), code 1 ( end )",
      nodes("a{{ b }}c{% if d then %}e{% end %}"))
    equal("", nodes(""))
    equal("text 1 ({ a } % # }} %})", nodes("{ a } % # }} %}"))
  end)

  it("ends where Lua's strings, tables and comments have ended", function()
    equal("show 1 ( '}}' )", nodes("{{ '}}' }}"))
    equal("show 1 ( \"\\\"}}\" )", nodes("{{ \"\\\"}}\" }}"))
    equal("show 1 ( [[ }} ' ]] )", nodes("{{ [[ }} ' ]] }}"))
    equal("show 1 ( [==[ ]] }} ]==] )", nodes("{{ [==[ ]] }} ]==] }}"))
    equal("show 1 ( #{ a = {b={}}} )", nodes("{{ #{ a = {b={}}} }}"))
    equal("show 1 ( a  )", nodes("{{ a -- it's }}"))
    equal("code 1 ( a(1)  )", nodes("{% a(1) --[[ %} ' ]]%}"))
    equal("show 1 ( a % b )", nodes("{{ a % b }}"))
  end)

  it("knows the line it is in", function()
    equal("text 1 (a||), show 3 ( b| ), text 4 (|), show 5 (c)", nodes("a\n\n{{ b\n }}\n{{c}}"))
  end)

  it("is a word of templates, or else Lua", function()
    equal("include 1 ( 'a.html', { b = 1 } )", nodes("{% include 'a.html', { b = 1 } %}"))
    equal("extends 1 (a.html)", nodes("{% extends 'a.html' %}"))
    equal("block 1 (a), super 1 (), endblock 1 ()", nodes("{% block a %}{% super %}{% endblock %}"))
    equal("block 1 (a)", nodes("{% block \"a\" %}"))
    equal("code 1 ( include = 1 )", nodes("{% include = 1 %}"))
    equal("code 1 ( block = super )", nodes("{% block = super %}"))
  end)
end)

describe("a comment", function()
  it("leaves nothing", function()
    equal("text 1 (a), text 1 (b)", nodes("a{# {{ ' %} #}b"))
    equal("text 1 (a|), text 4 (b)", nodes("a\n{# c\n d #}\nb"))
  end)
end)

describe("a statement alone on its line", function()
  it("takes the line along", function()
    equal("text 1 (<ul>|), code 2 ( for i = 1, 2 do ), text 3 (  <li>|), code 4 ( end ), text 5 (</ul>|)",
      nodes("<ul>\n  {% for i = 1, 2 do %}  \n  <li>\n  {% end %}\n</ul>\n"))
    equal("code 1 ( a() ), text 2 (b)", nodes("{% a() %}\r\nb"))
    equal("text 1 (a|), code 2 ( b() )", nodes("a\n {% b() %} "))
  end)

  it("leaves a line that holds something else", function()
    equal("text 1 (a ), code 1 ( b() ), text 1 ( |c)", nodes("a {% b() %} \nc"))
    equal("text 1 ( ), show 1 ( b ), text 1 (|c)", nodes(" {{ b }}\nc"))
    equal("code 1 ( a() ), code 1 ( b() ), text 1 (|c)", nodes("{% a() %}{% b() %}\nc"))
  end)
end)

describe("a mistake", function()
  it("names template and line", function()
    raises("t.html:2: '{{' is never closed by '}}'", parser.parse, "a\n{{ b", "t.html")
    raises("t.html:2: '{{' is never closed by '}}'", parser.parse, "a\n{{ 'b }}\nc'", "t.html")
    raises("t.html:1: '{%' is never closed by '%}'", parser.parse, "{% b }}", "t.html")
    raises("t.html:1: '{#' is never closed by '#}'", parser.parse, "{# b", "t.html")
    raises("t.html:3: '{{ }}' is empty", parser.parse, "\n\n{{ }}", "t.html")
    raises("t.html:1: '{% %}' is empty", parser.parse, "{% -- nothing %}", "t.html")
    raises("t.html:1: a block's name is a word", parser.parse, "{% block 'a b' %}", "t.html")
    raises("t.html:1: extends takes one name in quotes", parser.parse, "{% extends 'a' .. b %}", "t.html")
  end)
end)
