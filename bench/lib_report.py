"""The report as text for the terminal, as JSON for machines and as a line of history."""

import datetime
import json

from lib_machine import BUILD, ROOT, SOURCE

NAME = 20
NOT_SATURATED = 0.9  # a server that had this share of its core at most was not the bottleneck


def table(title, columns, rows):
    """rows: {name: {column: text}}; names without any text are left out."""
    shown = {"": {column: column for column in columns}} | {name: cells for name, cells in rows.items() if cells}
    texts = {name: [cells.get(column, "-") for column in columns] for name, cells in shown.items()}
    width = max((len(text) for row in texts.values() for text in row), default=0) + 2
    lines = [f"  {name:<{NAME}}" + "".join(f"{text:>{width}}" for text in row) for name, row in texts.items()]
    return "\n".join([title, *lines, ""])


def spread_text(spread, digits=0):
    low, middle, high = (f"{spread[key]:,.{digits}f}" for key in ("min", "median", "max"))
    return f"{middle} ({low} - {high})"


def rate_text(summary):
    thousands = {key: value / 1000 for key, value in summary["rps"].items()}
    waiting = " !" if summary["busy"]["median"] < NOT_SATURATED else ""
    return spread_text(thousands, 1) + waiting


def latency_text(summary):
    return " / ".join(f"{summary[key]['median']:,.0f}" for key in ("p50_us", "p99_us", "p999_us"))


def rounds_tables(report, columns):
    rounds = report["rounds"]

    def cells(text):
        return {name: {key: text(value) for key, value in scenarios.items()} for name, scenarios in rounds.items()}

    return [
        table("Processor time, microseconds a request: median (min - max)", columns,
              cells(lambda summary: spread_text(summary["cpu_us"], 2))),
        table("Thousand requests a second: median (min - max); ! the server was not busy all the time", columns,
              cells(rate_text)),
        table("Latency in the closed loop, microseconds: p50 / p99 / p99.9", columns, cells(latency_text)),
    ]


def terminal(report):
    columns = report["scenarios"]
    counts = {name: {key: f"{value:,.0f}" for key, value in scenarios.items()}
              for name, scenarios in report["instructions"].items()}
    sessions = counts.pop("sessions alone", {})
    idle = {name: {"bytes a connection": f"{value['each']:,.0f}", "connections": f"{value['connections']:,}"}
            for name, value in report["idle"].items()}
    parts = [
        "\n".join(f"{key:<12} {value}" for key, value in report["environment"].items()) + "\n",
        table(f"User instructions a request, by {report['counter']}", columns, counts),
        table("User instructions of an operation, among so many", list(sessions), {"sessions alone": sessions}),
        *(rounds_tables(report, columns) if report["rounds"] else []),
        table("Idle keep-alive connection", ["bytes a connection", "connections"], idle) if idle else "",
        *(f"missing: {line}" for line in report["missing"]),
    ]
    return "\n".join(part for part in parts if part)


def write(report):
    file = BUILD / "report.json"
    (ROOT / file).write_text(json.dumps(report, indent=2) + "\n")
    return file


def record(report):
    """Appends the run's figures to the history, one line a run."""
    folder = ROOT / SOURCE / "history"
    folder.mkdir(exist_ok=True)
    line = {key: value for key, value in report.items() if key != "commands"}
    with open(folder / "runs.jsonl", "a", encoding="utf-8") as runs:
        runs.write(json.dumps(line, separators=(",", ":")) + "\n")


def timestamp():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
