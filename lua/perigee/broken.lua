-- In development: the app that stands in for one that does not load, and answers everything with why.

local page = require "perigee.dev_page"
local dev = require "perigee.dev"
local perigee = require "perigee"
local report = require "perigee.dev_report"
local values = require "perigee.dev_values"

local app = perigee.app()

local TITLE = "The app does not load"
local FOOTER = "Save a file, and load this page again. The server is in development mode."

local TRACE = "\nstack traceback:\n"

-- A mistake apart: what it says, the place that it names, and its traceback.
local function read(mistake)
  local text = values.utf8(mistake)
  local at = text:find(TRACE, 1, true)
  local message, trace = at and text:sub(1, at - 1) or text, at and text:sub(at + #TRACE) or nil
  local frame = report.frame_at(message:gsub("^app:start: ", ""))
  return { message = message, frames = { frame }, trace = trace and trace:gsub("\n?\t", "\n"):gsub("^\n", "") }
end

local function answer(req)
  local mistakes = perigee.config.mistakes
  if not dev.wants_page(req) then
    return perigee.problem(500, "the app does not load", { mistakes = perigee.array(mistakes) })
  end
  local problems = {}
  for i, mistake in ipairs(mistakes) do
    problems[i] = read(mistake)
  end
  return 500, perigee.html(page.render(TITLE, problems, nil, FOOTER)), page.HEADERS
end

app:any("/", answer)
app:any("/{path*}", answer)

return app
