"""The sessions' store alone, with few and with many: instructions of an operation, expiry included."""

from lib_bench import say
from lib_build import build
from lib_count import instructions_per_operation
from lib_tables import Table

NAME, TITLE = "sessions", "Sessions alone"


def measure(bench):
    counts = {}
    program = bench.attempt(TITLE, lambda: build("sessions"))
    for what in ("find", "make") if program else ():
        for living in bench.effort.sessions:
            say(f"instructions: {what} a session among {living:,}")
            count = bench.attempt(TITLE, lambda: instructions_per_operation(program, what, living))
            if count is not False:
                counts.setdefault(what, {})[f"{living:,}"] = count
    return counts


def tables(figures):
    columns = list(dict.fromkeys(name for cells in figures.values() for name in cells))
    return [Table("User instructions of an operation, among so many sessions", columns, figures, steady=True)]
