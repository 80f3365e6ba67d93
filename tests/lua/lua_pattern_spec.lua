local lua_pattern = require "perigee.lua_pattern"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("a Lua pattern as a regular expression", function()
  it("keeps what both write alike", function()
    for pattern, regex in pairs {
      ["^abc$"] = "^abc$", ["a+b*c?"] = "a+b*c?", ["[abc]"] = "[abc]", ["[^a-z]"] = "[^a-z]", ["(a)"] = "(a)",
    } do
      equal(regex, lua_pattern.to_ecma(pattern))
    end
  end)

  it("says what Lua writes otherwise", function()
    for pattern, regex in pairs {
      ["^%w*$"] = "^[A-Za-z0-9]*$", ["%D"] = "[^0-9]", ["[%w_-]"] = "[A-Za-z0-9_\\-]", ["a-b"] = "a*?b",
      ["%."] = "\\.", ["a.b"] = "a[^]b", ["a{2}|b"] = "a\\{2\\}\\|b", ["a^b"] = "a\\^b", ["a$b"] = "a\\$b",
      ["[]]"] = "[\\]]", ["[%]]"] = "[\\]]", ["^Bearer "] = "^Bearer ", ["%-"] = "\\-",
    } do
      equal(regex, lua_pattern.to_ecma(pattern))
    end
  end)

  it("has none for what only Lua can say", function()
    for _, pattern in ipairs { "%b()", "%f[%w]", "(a)%1", "[%W]", "()" } do
      equal(nil, lua_pattern.to_ecma(pattern))
    end
  end)
end)
