-- What development mode adds (`serve --dev`): errors shown to the client, and new globals reported. In production
-- nothing loads this.

local core = require "perigee.core"
local error_text = require "perigee.error_text"
local page = require "perigee.dev_page"
local report = require "perigee.dev_report"
local request = require "perigee.request"
local response = require "perigee.response"
local values = require "perigee.dev_values"

local M = {}

local FOOTER = "Shown because the server is in development mode. In production a client sees the request's id only."

--- Whether the client shows pages.
function M.wants_page(req)
  local ok, accepted = pcall(req.header, req, "accept")
  return ok and accepted ~= nil and accepted:find("text/html", 1, true) ~= nil
end

local function sorted(map)
  local names = {}
  for name in pairs(map) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- A URL whose query shows no secret.
local function without_secrets(url)
  return (url:gsub("([?&])([^=&#]+)=([^&#]*)", function(mark, name)
    return values.is_secret(name) and mark .. name .. "=" .. values.HIDDEN or nil
  end))
end

-- The request, as rows of a table.
local function rows_of(req)
  local rows = {
    { name = "request", value = req.method .. " " .. without_secrets(req.target) },
    { name = "route", value = req.route or "none" },
    { name = "id", value = req.id },
    { name = "from", value = req.remote_addr },
  }
  for _, name in ipairs(sorted(req.headers)) do
    local value = values.is_secret(name) and values.HIDDEN or req.headers[name]
    rows[#rows + 1] = { name = name, value = name == "referer" and without_secrets(value) or value }
  end
  for _, row in ipairs(rows) do
    row.value = values.utf8(row.value)
  end
  return rows
end

-- What was raised last, and its report: where it is caught the stack is gone.
local raised, taken_of_raised, trace_of_raised

--- A message handler of xpcall that keeps a report of the error, unless there is one of where it came from.
---@param above? integer how many message handlers stand between this and the error
function M.keep_report(err, above)
  local level = 2 + (above or 0)
  if not response.is_response(err) and not (taken_of_raised and rawequal(raised, err)) then
    raised, taken_of_raised = err, report.take(err, level)
    trace_of_raised = debug.traceback(error_text.describe(err), level)
  end
  return err
end

local function pass(ok, ...)
  if not ok then
    error((...), 0)
  end
  return ...
end

--- A handler that leaves a report of what it raises.
---@param handler function
---@return function
function M.guard(handler)
  return function(req)
    return pass(xpcall(handler, M.keep_report, req))
  end
end

--- What is known of an error: its report, and its traceback as text where there is one.
---@param err any
---@return { message: string, frames: perigee.Frame[] } taken, string? trace
function M.report(err)
  local taken, trace = taken_of_raised, trace_of_raised
  local known = taken ~= nil and rawequal(raised, err)
  raised, taken_of_raised, trace_of_raised = nil, nil, nil
  if known then
    return taken, trace
  end
  return { message = values.utf8(error_text.describe(err)), frames = {} }
end

-- The frames of the app; where nothing is left of the handler, its first line.
local function frames_of(taken, place)
  local frames = {}
  for _, frame in ipairs(taken.frames) do
    frames[#frames + 1] = not frame.library and frame or nil
  end
  local handler = #frames == 0 and place and report.frame_at(place)
  if handler then
    return { handler }, "Of the handler nothing is left on the stack: it begins at " .. place .. "."
  end
  return frames
end

-- Where every frame stands, a line each, but for ours that called the handler.
local function places_of(taken, frames)
  local all, last = #taken.frames > 0 and taken.frames or frames, 0
  for i, frame in ipairs(all) do
    last = frame.library and last or i
  end
  local lines = {}
  for i, frame in ipairs(all) do
    if i > last and last > 0 then
      break
    end
    lines[i] = frame.place .. (frame.name and " in " .. frame.name or "")
  end
  return lines
end

--- The answer to an uncaught error: a page for browsers, the problem with its traceback for others.
---@param problem perigee.Response the one that production sends
---@param taken { message: string, frames: perigee.Frame[] } of M.report
---@param task table the task's view
---@return perigee.Response
function M.answer(problem, taken, task)
  local req, route = request.live[task.serial] or request.new(task), request.routes[task.request.route + 1]
  local frames, note = frames_of(taken, route and route.place)
  if M.wants_page(req) then
    local title = ("%d %s"):format(problem.status, core.reason(problem.status))
    local trace = table.concat(places_of(taken, frames), "\n")
    local text = page.render(title, { { message = taken.message, note = note, frames = frames, trace = trace } },
      rows_of(req), FOOTER)
    local answer = response.html(text)
    answer.status, answer.cause = problem.status, problem.cause
    for name, value in pairs(page.HEADERS) do
      answer.headers[name] = value
    end
    return answer
  end
  problem.body.error = taken.message
  problem.body.traceback = setmetatable(places_of(taken, frames), core.array_mark)
  return problem
end

local function report_global(globals, name, value)
  rawset(globals, name, value)
  if value == nil then
    return
  end
  local info = debug.getinfo(2, "Sl")
  local place = info and info.what ~= "C" and ("%s:%d"):format(info.source:gsub("^[@=]", ""), info.currentline) or "C"
  if core.first_time(("%s %s"):format(place, tostring(name))) then
    core.log("warn", ("%s: a new global '%s', which every request of a worker shares: is a `local` missing?"):format(
      place, tostring(name)))
  end
end

--- Hides what the types of a route call secret: the fields of its specs, and those within them.
---@param plan table what the specs have come to
function M.hide_secrets(plan)
  for _, record in pairs(plan) do
    if type(record) == "table" then
      for _, field in ipairs(record.fields or record) do
        if field.type and field.type.secret then
          values.hide(field.name)
        end
        M.hide_secrets { field.type }
      end
      M.hide_secrets { record.item }
    end
  end
end

--- From here on a new global is reported, once for each place. An app that watches its globals itself is left alone.
function M.watch_globals()
  if select(1, core.worker()) == 1 then
    core.first_time()
  end
  if debug.getmetatable(_G) == nil then
    setmetatable(_G, { __newindex = report_global })
  end
end

return M
