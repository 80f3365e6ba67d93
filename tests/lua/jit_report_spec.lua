local report = require "perigee.jit_report"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

local function row(began, more)
  local made = { kind = "loop", began = began, at = began, detail = "FNEW", defined = "app.lua:1", route = "GET /",
    library = false, hint = "make it once" }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

local function worker(...)
  return { traces = 5, compiled = 3, links = { interpreter = 1, stitch = 2, root = 2 }, flushes = 7, rows = { ... } }
end

describe("the report", function()
  it("adds the workers up, the app's own places before the library's", function()
    local merged = report.merge { worker(row("lua/perigee/x.lua:1", { library = true }), row("app.lua:3")),
      worker(row("app.lua:2"), row("lua/perigee/x.lua:1", { library = true }), row("app.lua:3")) }
    equal(2, #merged.workers)
    equal(2, merged.workers[2].worker)
    equal(3, merged.workers[2].blacklisted)
    equal("app.lua:3", merged.blacklisted[1].began)
    equal("1, 2", table.concat(merged.blacklisted[1].workers, ", "))
    equal("app.lua:2", merged.blacklisted[2].began)
    equal("2", table.concat(merged.blacklisted[2].workers, ", "))
    equal("lua/perigee/x.lua:1", merged.blacklisted[3].began)
  end)

  it("is a text for terminals", function()
    local text = report.text(report.merge { worker(row("app.lua:3", { at = "app.lua:4" })) })
    equal("1 5 3 3 1 7", (text:match("\n(1 [%d ]+)\n"):gsub(" +", " ")))
    equal(true, text:find("\nloop     app.lua:3\n         given up by worker 1 (GET /): FNEW at app.lua:4\n"
      .. "         make it once\n", 1, true) ~= nil)
  end)

  it("is the parts of a page, and lets no name become markup", function()
    local parts = report.html(report.merge { worker(row("<b>app.lua:3", { at = "app.lua:4", route = [["'&]] })) })
    equal("1 place is interpreted for good, on some worker.", parts.summary)
    equal(nil, parts.places:find("<b>", 1, true))
    equal(true, parts.places:find("<td>&lt;b&gt;app.lua:3</td><td>&quot;&#39;&amp;</td>", 1, true) ~= nil)
    equal(true, parts.places:find("<td>make it once</td>", 1, true) ~= nil)
    equal(true, parts.workers:find('<td>1</td><td class="number">5</td>', 1, true) ~= nil)
    equal("No loop and no function was given up.", report.html(report.merge { worker() }).summary)
  end)

  it("says so when there is nothing, or a worker had nothing to say", function()
    equal(true, report.text(report.merge { worker(), {} }):find("was given up.\n", 1, true) ~= nil)
  end)

  it("lets no name drive a terminal or break a line", function()
    local text = report.text(report.merge { worker(row("a\27[31m\nb:1", { route = "GET /\194\155m\r\n" })) })
    equal(nil, text:find("[%z\1-\9\11-\31\127]"))
    equal(true, text:find("a?[31m?b:1", 1, true) ~= nil)
    equal(true, text:find("(GET /?m??)", 1, true) ~= nil)
  end)
end)
