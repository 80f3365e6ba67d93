local compiler = require "perigee.template_compiler"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local environment = { __safe = { ipairs = ipairs, string = string }, __escape = tostring }

-- What a template writes.
local function render(source, values)
  local out = { put = function(self, text) self[#self + 1] = text end }
  compiler.compile(source, "t.html", environment).main(out, values or {}, {}, 1, 0)
  return table.concat(out)
end

describe("a compiled template", function()
  it("sees its values and the safe functions, and nothing else", function()
    equal("1 nil 2", render("{{ a }} {{ os }} {{ string.len('ab') }}", { a = 1 }))
    equal("mine", render("{{ string }}", { string = "mine" }))
    equal("nil nil", render("{{ print }} {{ _G }}"))
  end)

  it("takes words in strings, fields and keywords for no values", function()
    local asked = {}
    local values = setmetatable({}, { __index = function(_, key) asked[key] = true return { b = 1 } end })
    render("{% local c = a.b if not c then d = { ['e f'] = 'g' } end %}{{ a . h == nil }}{{ [[i]] .. 'j' -- k }}",
      values)
    for _, name in ipairs { "b", "e", "f", "g", "h", "i", "j", "k", "if", "not", "nil" } do
      equal(nil, asked[name])
    end
    equal(true, asked.a)
  end)

  it("keeps what it assigns to itself", function()
    equal("7", render("{% leaked = 7 %}{{ leaked }}"))
    equal(nil, rawget(_G, "leaked"))
    equal(nil, rawget(environment, "leaked"))
    equal("nil", render("{{ leaked }}"))
  end)

  it("has loops, conditions, locals and functions", function()
    equal("1b,2c,", render("{% for i, x in ipairs(list) do %}{{ i }}{{ x }},{% end %}", { list = { "b", "c" } }))
    equal("yes", render("{% if a and #a > 0 then %}yes{% else %}no{% end %}", { a = "x" }))
    equal("<4><9>", render("{% local function square(x) %}<{{ x * x }}>{% end %}{% square(2) square(3) %}"))
    equal("once", render("once{% do return end %}never"))
  end)

  it("keeps every byte of the text around", function()
    local around = 'quotes " and \\ and \\n \r\n \0 \t end'
    equal(around .. "1" .. around, render(around .. "{{ 1 }}" .. around))
  end)
end)

describe("a mistake in a template", function()
  it("names template and line, when it is compiled and when it runs", function()
    raises("t.html:3:", compiler.compile, "a\n\n{{ b b }}", "t.html", environment)
    raises("t.html:2: 'end' expected (to close 'if' at line 1)", compiler.compile,
      "{% if a then %}\nb", "t.html", environment)
    raises("t.html:2: '<eof>' expected near 'end'", compiler.compile, "a\n{% end %}", "t.html", environment)
    raises("t.html:4: attempt to index local 'user'", render, "a\n{% local x = 1 -- [[\n%}\n{{ user.name }}")
    raises("t.html:5: ", render, "{#\n\n#}\n{% if true then %}\n{{ nothing() }}{% end %}")
    raises("t.html:1: ", compiler.compile, "{% if %}\na", "t.html", environment)
    raises("t.html:3: ", compiler.compile, "{{ a }}\n{% block x %}\n{{ ( }}{% endblock %}", "t.html", environment)
  end)

  it("is told in Lua's words where other templates have others", function()
    for source, message in pairs {
      ["{% if a %}x{% end %}"] = "t.html:1: 'then' expected: {% if a then %}",
      ["{% if a then %}\n{% elseif dothen %}{% end %}"] = "t.html:2: 'then' expected: {% elseif dothen then %}",
      ["\n{% for x in list %}{% end %}"] = "t.html:2: 'do' expected: {% for x in list do %}",
      ["{% while true %}"] = "t.html:1: 'do' expected: {% while true do %}",
      ["{% if a then %}\n{% endif %}"] = "t.html:2: {% end %} ends every block of Lua, there is no 'endif'",
    } do
      raises(message, compiler.compile, source, "t.html", environment)
    end
    equal("12", render("{% for i = 1, 2 do %}{{ i }}{% end %}"))
  end)

  it("is told of blocks too", function()
    for source, message in pairs {
      ["a\n{% block b %}"] = "t.html:2: block 'b' is never closed by {% endblock %}",
      ["a\n{% endblock %}"] = "t.html:2: there is no block to end here",
      ["{% super %}"] = "t.html:1: super stands in a block",
      ["{% block b %}{% endblock %}\n{% block b %}{% endblock %}"] =
        "t.html:2: the block 'b' was there already, in line 1",
      ["{% block b %}{% endblock %}\n{% extends 'a' %}"] = "t.html:2: extends stands once, and before everything else",
      ["{% extends 'a' %}\n{% extends 'a' %}"] = "t.html:2: extends stands once, and before everything else",
      ["{% extends 'a' %}\n\ntext"] = "t.html:2: only blocks may stand in a template that extends 'a'",
      ["{% extends 'a' %}\n{% local b = 1 %}"] = "t.html:2: only blocks may stand in a template that extends 'a'",
    } do
      raises(message, compiler.compile, source, "t.html", environment)
    end
  end)

  it("is a template with more names than a function has room for", function()
    local parts = {}
    for i = 1, 151 do
      parts[i] = "{{ n" .. i .. " }}"
    end
    raises("t.html:1: uses 151 names, more than 150: split it up by include", compiler.compile, table.concat(parts),
      "t.html", environment)
  end)
end)
