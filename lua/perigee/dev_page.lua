-- The page that shows an error to its developer.

local template = require "perigee.template"

local STYLE = [[
:root { color-scheme: light dark; --text: #1d2330; --soft: #5c6575; --back: #f6f7f9; --card: #fff; --line: #dde1e8;
  --mark: #fdecea; --accent: #b3261e; --code: #f2f4f7 }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7ee; --soft: #98a1b3; --back: #14171d; --card: #1c2029;
  --line: #303642; --mark: #43211f; --accent: #ff8a80; --code: #161a21 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.55 system-ui, sans-serif }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1 { margin: 0; font-size: 1rem; font-weight: 600; color: var(--accent) }
h2 { margin: 2rem 0 .6rem; font-size: 1rem; font-weight: 600 }
pre, code, table, .source { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 13px }
.message { margin: .4rem 0 .8rem; font-size: 18px; line-height: 1.45; white-space: pre-wrap; overflow-wrap: anywhere }
.soft { color: var(--soft) }
details, .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0;
  overflow: hidden }
summary { padding: .55rem .9rem; cursor: pointer; overflow-wrap: anywhere }
details[open] > summary { border-bottom: 1px solid var(--line) }
.source { margin: 0; padding: .5rem 0; background: var(--code); overflow-x: auto; line-height: 1.6; tab-size: 4 }
.source div { padding: 0 .9rem; min-width: max-content; white-space: pre }
.source .now { background: var(--mark); box-shadow: inset 3px 0 var(--accent) }
.source i { display: inline-block; width: 3.2rem; padding-right: 1rem; text-align: right; font-style: normal;
  color: var(--soft); user-select: none }
table { width: 100%; border-collapse: collapse }
td { padding: .3rem .9rem; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
tr:first-child td { border-top: 0 }
td:first-child { width: min(14rem, 32%); color: var(--soft) }
.trace { margin: 0; padding: .6rem .9rem; white-space: pre-wrap; overflow-wrap: anywhere }
footer { margin-top: 2.5rem; font-size: 13px }
]]

local PAGE = [[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ raw(style) }}</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
{% for _, problem in ipairs(problems) do %}
<p class="message">{{ problem.message }}</p>
{% if problem.note then %}
<p class="soft">{{ problem.note }}</p>
{% end %}
{% local opened = false %}
{% for _, frame in ipairs(problem.frames) do %}
<details{{ opened and "" or raw(" open") }}>
{% opened = true %}
<summary>
<code>{{ frame.place }}</code> <span class="soft">{{ frame.name and "in " .. frame.name or "" }}</span>
</summary>
{% if #frame.lines > 0 then %}
<div class="source">
{% for _, line in ipairs(frame.lines) do %}
<div{{ line.current and raw(' class="now"') or "" }}><i>{{ line.number }}</i>{{ line.text }}</div>
{% end %}
</div>
{% end %}
{% if #frame.locals > 0 then %}
<table>
{% for _, one in ipairs(frame.locals) do %}
<tr><td>{{ one.name }}</td><td>{{ one.value }}</td></tr>
{% end %}
</table>
{% end %}
</details>
{% end %}
{% if problem.trace then %}
<details><summary class="soft">traceback</summary><pre class="trace">{{ problem.trace }}</pre></details>
{% end %}
{% end %}
{% if request then %}
<h2>Request</h2>
<div class="card"><table>
{% for _, one in ipairs(request) do %}
<tr><td>{{ one.name }}</td><td>{{ one.value }}</td></tr>
{% end %}
</table></div>
{% end %}
<footer class="soft">{{ footer }}</footer>
</main>
</body>
</html>
]]

local page = template.compile(PAGE, "lua/perigee/dev_page.lua")

local M = {}

--- The page as a string.
---@param title string
---@param problems { message: string, note?: string, frames: perigee.Frame[], trace?: string }[]
---@param request? { name: string, value: string }[]
---@param footer string
---@return string
function M.render(title, problems, request, footer)
  local text = page:render { title = title, problems = problems, request = request, footer = footer, style = STYLE }
  return text
end

M.HEADERS = {
  ["cache-control"] = "no-store",
  ["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'",
}

return M
