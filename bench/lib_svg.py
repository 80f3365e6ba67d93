"""Charts in SVG, drawn in shares of the width so that their letters stay as large on a phone. Colours come from the
page's style sheet, so dark and light are its affair."""

import html
import math

from lib_tables import ends, middle, number_text

BAR, GAP, GROUP, TOP = 18, 4, 26, 8   # pixels of height
LEFT, RIGHT = 0, 78                   # shares of the width between which bars are drawn; their figures stand behind
PLOT_LEFT, PLOT_RIGHT, PLOT_HEIGHT = 12, 95, 240


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(str(words))}</text>'


def drawing(height, label, parts):
    return (f'<svg role="img" aria-label="{html.escape(label)}" width="100%" height="{height:.0f}">'
            f'{"".join(parts)}</svg>')


def legend(names, colours):
    keys = "".join(f'<span class="key"><i class="c{colours[name]}"></i>{html.escape(name)}</span>' for name in names)
    return f'<p class="legend">{keys}</p>'


def bar(y, share, spread, colour, label):
    """spread: (least, most) as shares of the width, for the line through the end of the bar."""
    low, high = spread
    parts = [f'<rect x="{LEFT}%" y="{y}" width="{max(share, 0.2):.2f}%" height="{BAR}" rx="2" class="f{colour}"/>']
    if high - low > 0.3:
        parts.append(f'<line x1="{low:.2f}%" x2="{high:.2f}%" y1="{y + BAR / 2}" y2="{y + BAR / 2}" class="spread"/>')
    parts.append(f'<svg x="{max(share, high):.2f}%" y="{y}" overflow="visible">{text(6, BAR - 5, label, "figure")}</svg>')
    return parts


def bars(table, colours):
    """A group of bars for each column, one bar a row."""
    cells = [(column, [(name, row[column]) for name, row in table.drawn_rows().items()
                       if not isinstance(row.get(column, ""), str)]) for column in table.charted or table.columns]
    cells = [(column, group) for column, group in cells if group]
    most = max((ends(figure)[1] for _, group in cells for _, figure in group), default=0) or 1
    scale, y, parts = (RIGHT - LEFT) / most, TOP, []
    for column, group in cells:
        if len(cells) > 1:
            parts.append(text(0, y + 14, column, "group"))
            y += GROUP - GAP
        for name, figure in group:
            spread = tuple(end * scale for end in ends(figure))
            parts += bar(y, middle(figure) * scale, spread, colours[name], number_text(middle(figure), table.digits))
            y += BAR + GAP
        y += GROUP - BAR
    names = [name for name in table.rows if any(name == one for _, group in cells for one, _ in group)]
    return legend(names, colours) + drawing(y, table.title, parts)


def ticks_of(low, high):
    """Powers of ten from the one below `low` to the one above `high`."""
    first, end = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    return [10.0 ** power for power in range(first, max(end, first + 1) + 1)]


def short(value):
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


class Scale:
    """From values to places, by their logarithms, or evenly."""

    def __init__(self, ends_of_values, places, even):
        self.low, self.high = ends_of_values
        self.first, self.last = places
        self.even = even

    def __call__(self, value):
        if self.even:
            share = (value - self.low) / ((self.high - self.low) or 1)
        else:
            share = math.log(value / self.low) / (math.log(self.high / self.low) or 1)
        return self.first + share * (self.last - self.first)


def lines(table, colours, even=False):
    """A line a row; the columns are numbers. Both axes are logarithmic, or both even."""
    points = {name: [(float(column), middle(row[column])) for column in table.columns
                     if not isinstance(row.get(column, ""), str) and (even or middle(row[column]) > 0)]
              for name, row in table.drawn_rows().items()}
    points = {name: some for name, some in points.items() if some}
    values = [y for some in points.values() for _, y in some]
    places = [x for some in points.values() for x, _ in some]
    marks = [0, max(values) * 0.5, max(values)] if even else ticks_of(min(values), max(values))
    down = Scale((marks[0], marks[-1]), (PLOT_HEIGHT, TOP), even)
    across = Scale((min(places), max(places)), (PLOT_LEFT, PLOT_RIGHT), even)
    parts = []
    for mark in marks:
        y = down(mark)
        parts.append(f'<line x1="{PLOT_LEFT}%" x2="{PLOT_RIGHT}%" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(text(f"{PLOT_LEFT - 1.5}%", y + 4, short(float(f"{mark:.3g}")), "tick", "end"))
    shown = sorted(set(places)) if len(set(places)) <= 8 else [min(places), (min(places) + max(places)) / 2, max(places)]
    for x in shown:
        parts.append(text(f"{across(x):.2f}%", PLOT_HEIGHT + 18, short(float(f"{x:.3g}")), "tick", "middle"))
    for name, some in points.items():
        parts += line(some, across, down, colours[name], dots=len(some) <= 16)
    return legend(points, colours) + drawing(PLOT_HEIGHT + 26, table.title, parts)


def line(points, across, down, colour, dots):
    places = [(across(x), down(y)) for x, y in points]
    parts = [f'<line x1="{x1:.2f}%" y1="{y1:.1f}" x2="{x2:.2f}%" y2="{y2:.1f}" class="s{colour} line"/>'
             for (x1, y1), (x2, y2) in zip(places, places[1:])]
    return parts + ([f'<circle cx="{x:.2f}%" cy="{y:.1f}" r="3.5" class="f{colour}"/>' for x, y in places] if dots else [])
