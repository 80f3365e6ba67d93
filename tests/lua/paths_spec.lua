local paths = require "perigee.paths"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("a prefix", function()
  it("begins with a slash and ends without one", function()
    equal("/api", paths.prefix("/api"))
    equal("/api/v1", paths.prefix("/api/v1/"))
    equal("", paths.prefix("/"))
    equal("", paths.prefix(""))
  end)

  it("is refused with a reason", function()
    for text, why in pairs { api = "does not begin with a slash", ["/a/{rest*}"] = "has a rest parameter" } do
      local prefix, err = paths.prefix(text)
      equal(nil, prefix)
      equal(why, err:match(why))
    end
    equal("a prefix is a string, got number", select(2, paths.prefix(7)))
  end)

  it("goes before a pattern; its own root is the prefix itself", function()
    equal("/api/users", paths.join("/api", "/users"))
    equal("/api", paths.join("/api", "/"))
    equal("/api", paths.join("/api", ""))
    equal("/", paths.join("", "/"))
    equal("/api/users/", paths.join("/api", "/users/"))
  end)
end)

describe("whether a pattern lies below a prefix", function()
  it("is known where both are literal", function()
    for _, case in ipairs {
      { "", "/anything", "always" }, { "/admin", "/admin", "always" }, { "/admin", "/admin/x", "always" },
      { "/admin", "/admin/", "always" }, { "/admin", "/administrator", "never" }, { "/admin", "/", "never" },
      { "/admin/x", "/admin", "never" }, { "/a/{id}", "/a/{name:integer}/b", "always" },
      { "/a/{id}", "/a/7", "always" },
    } do
      equal(case[3], paths.covers(case[1], case[2]))
    end
  end)

  it("is known only of a request where the pattern takes anything", function()
    equal("perhaps", paths.covers("/admin", "/{section}/x"))
    equal("perhaps", paths.covers("/admin", "/{path*}"))
    equal("perhaps", paths.covers("/admin/x", "/admin/{path*}"))
    equal("never", paths.covers("/admin/x", "/{section}"))
  end)
end)

describe("a matcher", function()
  it("takes whole segments", function()
    local covers = paths.matcher("/admin")
    for path, expected in pairs { ["/admin"] = true, ["/admin/"] = true, ["/admin/x/y"] = true,
      ["/administrator"] = false,
      ["/"] = false, [""] = false, ["/adm"] = false, ["//admin"] = false, ["/x/admin"] = false } do
      equal(expected, covers(path))
    end
  end)

  it("takes any segment for a parameter, but not an empty one", function()
    local covers = paths.matcher("/t/{tenant}/api")
    equal(true, covers("/t/a/api/x"))
    equal(false, covers("/t//api"))
    equal(false, covers("/t/a/apis"))
  end)

  it("of the root takes everything", function()
    equal(true, paths.matcher("")("/x"))
    equal(true, paths.matcher("")(""))
  end)
end)
