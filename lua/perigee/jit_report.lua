-- What /jit on the admin port shows: what the workers say, added up, as JSON or as a text table.

local core = require "perigee.core"
local html = require "perigee.html"
local perigee = require "perigee"

local shown = core.shown -- a place may be called anything by who wrote the app
local M = {}

local function key_of(row)
  return table.concat({ row.kind, row.began, row.at, row.detail }, "\0")
end

local function add_row(rows, by_key, row, worker)
  local key = key_of(row)
  local merged = by_key[key]
  if not merged then
    merged = { kind = row.kind, began = row.began, at = row.at, detail = row.detail, defined = row.defined,
      route = row.route, library = row.library, hint = row.hint, workers = perigee.array {} }
    by_key[key] = merged
    rows[#rows + 1] = merged
  end
  merged.workers[#merged.workers + 1] = worker
end

--- Adds up what the workers say. The app's own places come before the library's.
---@param workers table[] jit_health.report() of each
---@return { workers: table[], blacklisted: table[] }
function M.merge(workers)
  local each, rows, by_key = {}, {}, {}
  for i, worker in ipairs(workers) do
    each[i] = { worker = i, traces = worker.traces or 0, compiled = worker.compiled or 0,
      blacklisted = #(worker.rows or {}), links = worker.links or {}, flushes = worker.flushes or 0 }
    for _, row in ipairs(worker.rows or {}) do
      add_row(rows, by_key, row, i)
    end
  end
  table.sort(rows, function(a, b)
    if a.library ~= b.library then
      return b.library
    elseif #a.workers ~= #b.workers then
      return #a.workers > #b.workers
    end
    return key_of(a) < key_of(b)
  end)
  return { workers = perigee.array(each), blacklisted = perigee.array(rows) }
end

local function row_lines(lines, row)
  lines[#lines + 1] = ("%-8s %s"):format(row.kind, shown(row.began))
  local why = row.detail ~= "" and (": %s at %s"):format(row.detail, shown(row.at)) or ""
  local where = row.route ~= "" and (" (%s)"):format(shown(row.route)) or ""
  lines[#lines + 1] = ("         given up by worker %s%s%s"):format(table.concat(row.workers, ", "), where, why)
  lines[#lines + 1] = "         " .. row.hint
end

--- What merge() returns, as a text for terminals.
---@return string
function M.text(report)
  local lines = { "worker   traces  that go on interpreted  compiled places  given up  flushes" }
  for _, worker in ipairs(report.workers) do
    lines[#lines + 1] = ("%-6d %8d %24d %16d %9d %8d"):format(worker.worker, worker.traces,
      (worker.links.interpreter or 0) + (worker.links.stitch or 0), worker.compiled, worker.blacklisted,
      worker.flushes)
  end
  lines[#lines + 1] = ""
  for _, row in ipairs(report.blacklisted) do
    row_lines(lines, row)
  end
  if #report.blacklisted == 0 then
    lines[#lines + 1] = "No loop and no function was given up."
  end
  return table.concat(lines, "\n") .. "\n"
end

local function cell(value, class)
  local text = html.escape(shown(tostring(value)), "a cell")
  return ("<td%s>%s</td>"):format(class and ' class="' .. class .. '"' or "", text)
end

local function place_row(row)
  local why = row.detail ~= "" and ("%s at %s"):format(row.detail, row.at) or ""
  local whose = row.library and "(Perigee's own)" or row.route
  return "<tr>" .. cell(row.kind) .. cell(row.began) .. cell(whose) .. cell(why) .. cell(row.hint)
    .. cell(table.concat(row.workers, ", "), "number") .. "</tr>"
end

local function worker_row(worker)
  local interpreted = (worker.links.interpreter or 0) + (worker.links.stitch or 0)
  return "<tr>" .. cell(worker.worker) .. cell(worker.traces, "number") .. cell(interpreted, "number")
    .. cell(worker.compiled, "number") .. cell(worker.blacklisted, "number") .. cell(worker.flushes, "number")
    .. "</tr>"
end

local function rows_of(list, row)
  local rows = {}
  for i, item in ipairs(list) do
    rows[i] = row(item)
  end
  return table.concat(rows, "\n")
end

--- What merge() returns, as the parts of a page: everything in them is escaped.
---@return { summary: string, places: string, workers: string }
function M.html(report)
  local count = #report.blacklisted
  return {
    summary = count == 0 and "No loop and no function was given up." or
      ("%d %s interpreted for good, on some worker."):format(count, count == 1 and "place is" or "places are"),
    places = rows_of(report.blacklisted, place_row),
    workers = rows_of(report.workers, worker_row),
  }
end

return M
