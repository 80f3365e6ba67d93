local files = require "perigee.files"
local perigee = require "perigee"
local response = require "perigee.response"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local HERE = debug.getinfo(1, "S").source:match("^@(.*)/") .. "/"
HERE = HERE:sub(1, 1) == "/" and HERE or nil

describe("perigee.file", function()
  it("is a response value", function()
    local found = files.file(HERE .. "spec.lua")
    equal(true, response.is_response(found))
    equal("file", found.kind)
    equal(nil, next(found.headers))
  end)

  it("is a 404 where there is none, or none that may be served", function()
    for _, path in ipairs { "none", "../lua/spec.lua", "", "spec.lua\0", "." } do
      equal(404, files.file(HERE .. path).status)
    end
    for _, path in ipairs { "none", "../lua/spec.lua", "/etc/passwd", ".", "", "spec.lua/", "spec.lua\0" } do
      equal(404, files.file(path, { root = HERE }).status)
    end
    equal("file", files.file("spec.lua", { root = HERE }).kind)
  end)

  it("names a download, in ASCII and where it must in UTF-8", function()
    local function disposition(name)
      return files.file(HERE .. "spec.lua", { download = name }).headers["content-disposition"]
    end
    equal('attachment; filename="spec.lua"', disposition(true))
    equal('attachment; filename="a b.txt"', disposition("a b.txt"))
    equal("attachment; filename=\"n__.txt\"; filename*=UTF-8''n%C3%A4.txt", disposition("n\195\164.txt"))
    equal("attachment; filename=\"a__b_\"; filename*=UTF-8''a%0D%0Ab%22", disposition("a\r\nb\""))
  end)

  it("takes no other options, and a path that is a string", function()
    raises("bad argument #1 to 'file' (string expected, got nil)", files.file)
    raises("perigee.file has no option 'rot'", files.file, "x", { rot = "y" })
    raises("perigee.file's option 'type' can't be a number", files.file, "x", { type = 7 })
    raises("perigee.file's options are a table, got string", files.file, "x", "y")
    raises("control byte", files.file, HERE .. "spec.lua", { type = "a\r\nb" })
  end)
end)

describe("app:static", function()
  it("wants a folder that is there", function()
    local app = perigee.app()
    raises("can't be served: No such file or directory", app.static, app, "/x", HERE .. "none")
    raises("can't be served: Not a directory", app.static, app, "/x", HERE .. "spec.lua")
    raises("a folder is a path, got nil", app.static, app, "/x")
    raises("a folder is a path, got an empty string", app.static, app, "/x", "")
    raises("the prefix 'x' does not begin with a slash", app.static, app, "x", HERE)
    raises("app:static has no option 'list'", app.static, app, "/x", HERE, { list = true })
    raises("app:static's option 'fallback' can't be a boolean", app.static, app, "/x", HERE, { fallback = true })
    raises("control byte", app.static, app, "/x", HERE, { cache_control = "a\r\nb" })
    equal(0, #app.routes)
  end)

  it("makes two routes, the second of which yields", function()
    local app = perigee.app()
    equal(app, app:static("/x/", HERE))
    equal("GET /x/{path*}", app.routes[1].method .. " " .. app.routes[1].pattern)
    equal("GET /x/", app.routes[2].method .. " " .. app.routes[2].pattern)
    equal(true, app.routes[2].yields)
    equal(true, app.routes[1].place:find("files_spec.lua", 1, true) ~= nil)
  end)
end)
