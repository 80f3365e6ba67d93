"""Figures as tables: what every part of the bench hands to the terminal, the page and the history."""

import textwrap

from dataclasses import dataclass, field

NAME = 24  # characters of a row's name in the terminal


@dataclass(frozen=True)
class Table:
    """rows: {name: {column: figure}}. A figure is a number, a spread {"min", "median", "max"}, or a text, which is
    shown and never compared. What has no figure is left out."""

    title: str
    columns: list
    rows: dict
    unit: str = ""
    note: str = ""
    better: str = "less"    # or "more", or "" where neither is
    chart: str = ""         # "bars", "lines" (a row is a line, columns are numbers), or "time": likewise, and nothing else
    charted: list = field(default_factory=list)  # columns in the chart; all when empty
    drawn: list = field(default_factory=list)    # rows in the chart; all when empty
    digits: int = 0
    steady: bool = False    # repeats to a percent or so, as counts do

    def drawn_rows(self):
        return {name: cells for name, cells in self.rows.items() if not self.drawn or name in self.drawn}

    def figures(self):
        """(row, column, figure) of all that are numbers or spreads."""
        for row, cells in self.rows.items():
            for column in self.columns:
                if not isinstance(cells.get(column, ""), str):
                    yield row, column, cells[column]


def compared(tables):
    """Those whose figures mean the same in another run: not what went on from moment to moment."""
    return [table for table in tables if table.chart != "time"]


def middle(figure):
    return figure["median"] if isinstance(figure, dict) else figure


def ends(figure):
    """(least, most) that were seen."""
    return (figure["min"], figure["max"]) if isinstance(figure, dict) else (figure, figure)


def number_text(value, digits=0):
    """With thousands apart; more digits where they would say nothing, none where they would say too much."""
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    while digits < 3 and value and abs(value) < 10 ** (1 - digits):
        digits += 1
    return f"{value:,.{digits}f}"


def cell_text(figure, digits=0):
    if isinstance(figure, str):
        return figure
    if isinstance(figure, dict):
        low, high = ends(figure)
        if low == high:
            return number_text(low, digits)
        return f"{number_text(middle(figure), digits)} ({number_text(low, digits)}-{number_text(high, digits)})"
    return number_text(figure, digits)


def heading(table):
    return table.title + (f", {table.unit}" if table.unit else "")


def with_rows(tables):
    return [table for table in tables if any(table.rows.values())]


def terminal(table, width=132):
    """Aligned; columns that do not fit go below each other in further blocks."""
    rows = {name: cells for name, cells in table.rows.items() if cells}
    texts = {name: [cell_text(cells[column], table.digits) if column in cells else "-" for column in table.columns]
             for name, cells in rows.items()}
    wide = max([len(text) for row in texts.values() for text in row] + [len(column) for column in table.columns]) + 2
    left = max([NAME] + [len(name) + 1 for name in rows])
    at_once = max(1, (width - left) // wide)
    lines = [heading(table)]
    for first in range(0, len(table.columns), at_once):
        some = slice(first, first + at_once)
        lines.append(" " * (left + 2) + "".join(f"{column:>{wide}}" for column in table.columns[some]))
        lines += [f"  {name:<{left}}" + "".join(f"{text:>{wide}}" for text in row[some]) for name, row in texts.items()
                  if any(text != "-" for text in row[some])]
    note = textwrap.wrap(table.note, width, initial_indent="  ", subsequent_indent="  ")
    return "\n".join([*lines, *note, ""])
