"""The history, one line of JSON a run, and the difference of a run to the one before."""

import json

from dataclasses import dataclass

from lib_machine import ROOT, SOURCE
from lib_tables import cell_text, compared, ends, heading, middle

FILE = SOURCE / "history" / "runs.jsonl"
STEADY = 0.03  # a count that changed by less has not changed
SINGLE = 0.10  # a figure that was taken once, likewise
KEPT = ("time", "effort", "environment", "noise", "peers", "counter", "missing")


def line_of(report, tables):
    """What is kept of a run: where it ran, and every figure, a spread as [least, median, most]."""
    figures = {}
    for table in compared(tables):
        for row, column, figure in table.figures():
            low, high = ends(figure)
            kept = [low, middle(figure), high] if isinstance(figure, dict) else figure
            figures.setdefault(heading(table), {}).setdefault(row, {})[str(column)] = rounded(kept)
    return {key: report[key] for key in KEPT if key in report} | {"figures": figures}


def rounded(figure):
    return [rounded(one) for one in figure] if isinstance(figure, list) else float(f"{figure:.6g}")


def append(line, file=None):
    file = file or ROOT / FILE
    file.parent.mkdir(exist_ok=True)
    with open(file, "a", encoding="utf-8") as runs:
        runs.write(json.dumps(line, separators=(",", ":")) + "\n")


def kind(line):
    """Figures are compared within a kind: the same effort, machine and counter."""
    return line.get("effort"), line.get("environment", {}).get("machine"), line.get("counter")


def last(report, file=None):
    """The last line of the report's kind, or None. A line that cannot be read is passed over."""
    file = file or ROOT / FILE
    found = None
    for text in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            line = json.loads(text)
            found = line if kind(line) == kind(report) and "figures" in line else found
        except (ValueError, AttributeError):
            continue
    return found


@dataclass(frozen=True)
class Change:
    title: str
    row: str
    column: str
    before: float
    now: float
    better: bool | None  # None: neither direction is

    @property
    def share(self):
        return self.now / self.before - 1 if self.before else 0.0


def changes(tables, line):
    """{(title, row, column): Change} of what is beyond the noise of both runs: the medians differ, and neither lies
    among what the other saw; a count by more than three percent, what was taken once by more than ten."""
    found = {}
    for table in compared(tables):
        old = line["figures"].get(heading(table), {}) if line else {}
        for row, column, figure in table.figures():
            before = old.get(row, {}).get(str(column))
            if before is not None and differs(before, figure, table.steady):
                then, now = (before[1] if isinstance(before, list) else before), middle(figure)
                better = (now < then) == (table.better == "less") if table.better else None
                found[heading(table), row, column] = Change(heading(table), row, str(column), then, now, better)
    return found


def differs(before, figure, steady):
    then, now = before[1] if isinstance(before, list) else before, middle(figure)
    if isinstance(before, list) and isinstance(figure, dict) and not steady:
        low, high = ends(figure)
        return not (before[0] <= now <= before[2] or low <= then <= high)
    return abs(now - then) > (STEADY if steady else SINGLE) * abs(then)


def told(found, before):
    """The difference as lines for the terminal."""
    if before is None:
        return []
    lines = [f"since {before['time']}, commit {before['environment']['commit']}: "
             + (f"{len(found)} figures changed beyond the noise" if found else "nothing changed beyond the noise")]
    for change in sorted(found.values(), key=lambda one: -abs(one.share)):
        lines.append(f"  {change.share:+8.1%}  {change.title}: {change.row}, {change.column}: "
                     f"{cell_text(change.before)} -> {cell_text(change.now)}")
    return lines
