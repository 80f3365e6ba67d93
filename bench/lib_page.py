"""bench/report/index.html: one page without scripts that asks nothing of any host."""

import html
import json

import lib_svg
from lib_machine import SOURCE
from lib_tables import cell_text, heading

FOLDER = SOURCE / "report"
KNOWN = ["perigee", "nginx+lua", "nginx static", "go", "floor"]  # servers keep their colours from chart to chart
COLOURS = 8
STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --dim: #5b6570; --paper: #fff; --card: #f6f7f9; --rule: #dde1e6;
  --good: #18794e; --bad: #b42318; --c0: #2f6feb; --c1: #c2570c; --c2: #12805c; --c3: #8a4fd0; --c4: #7d8590; --c5: #b8860b;
  --c6: #c0267f; --c7: #0e7c93; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --dim: #9aa4af; --paper: #14171a; --card: #1c2024;
  --rule: #333a41; --good: #57c293; --bad: #ff8a7a; --c0: #6ea8ff; --c1: #f0944d; --c2: #4fc59a; --c3: #b992f5; --c4: #98a1ab;
  --c5: #e0b53f; --c6: #f07bb8; --c7: #4db8cf; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { margin: .4rem 0; } .dim, .note { color: var(--dim); font-size: .9rem; }
nav a { margin-right: .8rem; white-space: nowrap; display: inline-block; } a { color: var(--c0); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; margin: .6rem 0; font-size: .9rem; }
dt { color: var(--dim); } dd { margin: 0; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
td small { color: var(--dim); display: block; font-size: .72rem; } .ours td, .ours th { font-weight: 600; }
td small.good, .good { color: var(--good); } td small.bad, .bad { color: var(--bad); }
figure { margin: .6rem 0; padding: .8rem; background: var(--card); border-radius: 8px; }
svg text { fill: var(--ink); font-size: 12px; } svg .tick { fill: var(--dim); } svg .group { font-weight: 600; font-size: 13px; }
.grid { stroke: var(--rule); } .spread { stroke: var(--ink); stroke-width: 1.5; opacity: .65; } .line { stroke-width: 2; }
.legend { margin: 0 0 .5rem; font-size: .85rem; } .key { margin-right: 1rem; display: inline-block; }
.key i { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .35em; }
ul { padding-left: 1.2rem; } li { margin: .2rem 0; } pre { overflow-x: auto; font-size: .8rem; background: var(--card);
  padding: .8rem; border-radius: 8px; }
""" + "\n".join(f".c{n} {{ background: var(--c{n}); }} .f{n} {{ fill: var(--c{n}); }} .s{n} {{ stroke: var(--c{n}); }}"
                for n in range(COLOURS))


def colours_of(names):
    colours = {name: number for number, name in enumerate(KNOWN)}
    for name in names:
        colours.setdefault(name, len(colours) % COLOURS)
    return colours


def cell(table, row, column, changes):
    """The median, and small below it what was seen besides and how it changed."""
    figure = table.rows[row].get(column)
    if figure is None:
        return "<td>–</td>"
    small = ""
    shown = cell_text(figure, table.digits)
    if isinstance(figure, dict):
        shown, _, spread = shown.partition(" ")
        small = f"<small>{html.escape(spread.strip('()'))}</small>"
    change = changes.get((heading(table), row, column))
    if change:
        kind = "" if change.better is None else "good" if change.better else "bad"
        small += f'<small class="{kind}">{change.share:+.1%}</small>'
    return f"<td>{html.escape(shown)}{small}</td>"


def table_html(table, changes):
    head = "".join(f"<th>{html.escape(str(column))}</th>" for column in table.columns)
    rows = []
    for name, cells in table.rows.items():
        if cells:
            kind = ' class="ours"' if name == "perigee" else ""
            rows.append(f"<tr{kind}><td>{html.escape(name)}</td>"
                        + "".join(cell(table, name, column, changes) for column in table.columns) + "</tr>")
    return f'<div class="scroll"><table><tr><th></th>{head}</tr>{"".join(rows)}</table></div>'


def chart(table):
    colours = colours_of(table.rows)
    draw = {"bars": lib_svg.bars, "lines": lib_svg.lines,
            "time": lambda *these: lib_svg.lines(*these, even=True)}[table.chart]
    return f"<figure>{draw(table, colours)}</figure>"


def section(name, title, tables, changes):
    parts = [f'<h2 id="{name}">{html.escape(title)}</h2>']
    for table in tables:
        parts.append(f"<h3>{html.escape(heading(table))}</h3>")
        if table.note:
            parts.append(f'<p class="note">{html.escape(table.note)}</p>')
        if table.chart and any(True for _ in table.figures()):
            parts.append(chart(table))
        if table.chart != "time":
            parts.append(table_html(table, changes))
    return "".join(parts)


def facts(pairs):
    return "<dl>" + "".join(f"<dt>{html.escape(str(name))}</dt><dd>{html.escape(str(value))}</dd>"
                            for name, value in pairs.items() if value != "") + "</dl>"


def listed(lines, kind=""):
    return "<ul>" + "".join(f'<li class="{kind}">{html.escape(line)}</li>' for line in lines) + "</ul>"


def budgets(lines):
    if not lines:
        return '<p class="good">All budgets held.</p>'
    return listed(lines, "bad")


def difference(changes, before):
    if before is None:
        return "<p>There is no run of this kind before this one.</p>"
    where = f'{before["time"]}, commit {before["environment"]["commit"]}'
    if not changes:
        return f"<p>Nothing changed beyond the noise since {html.escape(where)}.</p>"
    rows = []
    for change in sorted(changes.values(), key=lambda change: -abs(change.share)):
        kind = "" if change.better is None else "good" if change.better else "bad"
        cells = (f"{change.title}: {change.row}, {change.column}", cell_text(change.before), cell_text(change.now))
        rows.append("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in cells)
                    + f'<td class="{kind}">{change.share:+.1%}</td></tr>')
    head = "<tr><th>figure</th><th>then</th><th>now</th><th></th></tr>"
    return (f'<p class="note">To {html.escape(where)}; only what is beyond the noise of both runs.</p>'
            f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>')


def page(report, parts, broken, changes, before):
    """parts: [(name, title, tables)]"""
    links = "".join(f'<a href="#{name}">{html.escape(title)}</a>' for name, title, _ in parts)
    noise = report.get("noise", {})
    body = [
        "<h1>Perigee, measured</h1>",
        f'<p class="dim">{html.escape(report["time"])}, commit {html.escape(report["environment"]["commit"])}, '
        f'{html.escape(report["effort"])} run</p>', f"<nav>{links}</nav>",
        '<h2 id="budgets">Budgets</h2>', budgets(broken),
        (f'<h2 id="missing">Missing</h2>{listed(report["missing"], "bad")}' if report["missing"] else ""),
        *(section(name, title, tables, changes) for name, title, tables in parts),
        '<h2 id="difference">Since the last run</h2>', difference(changes, before),
        '<h2 id="machine">Machine, versions, noise</h2>', facts(report["environment"] | report["peers"] | noise),
        '<h2 id="commands">Commands</h2>',
        "<pre>" + html.escape("\n".join(f"{name}: {line}" for name, line in report["commands"].items())) + "</pre>",
    ]
    return ('<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Perigee, measured</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<style>{STYLE}</style></head><body>{''.join(body)}</body></html>\n")


def write(folder, report, parts, broken, changes, before):
    """The page, and beside it everything that was measured as JSON. Returns the page's file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(page(report, parts, broken, changes, before), encoding="utf-8")
    return folder / "index.html"
