#!/usr/bin/env python3
"""The bench's run: what it does about servers that fail, and how figures become tables, page and history."""

import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import unittest

import lib_budgets
import lib_history
import lib_page
import lib_svg
import lib_tables
import part_stress
from lib_machine import ROOT
from lib_peers import named
from lib_servers import Running, ServerError
from lib_tables import Table

FLOOR = "build/bench/floor {port}"


def bench(*arguments):
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-B", "bench/run.py", "--quick", "--report", folder, *arguments]
        result = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        file = pathlib.Path(folder, "report.json")
        return result, json.loads(file.read_text()) if file.exists() else None


class BadInput(unittest.TestCase):
    def test_a_peer_that_is_missing_is_named_and_left_out(self):
        result, report = bench("--peer", "ghost=no-such-program {port}", "--only", "ghost", "--only", "floor",
                               "--only", "rounds", "--only", "hello")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertEqual(report["missing"], ["ghost: there is no no-such-program"])
        self.assertEqual(list(report["rounds"]), ["floor"])
        self.assertIn("missing: ghost: there is no no-such-program", result.stdout)

    def test_a_server_that_fails_to_start_is_named_with_its_last_words(self):
        result, report = bench("--peer", "broken=sh -c 'echo no configuration; exit 1'", "--only", "broken", "--only", "rounds",
                               "--only", "hello")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertEqual(report["missing"], ["broken: broken ended at once: no configuration"])

    def test_a_peer_of_the_command_line_is_measured(self):
        subprocess.run([sys.executable, "-B", "-c", "import lib_build; lib_build.build('floor')"],
                       cwd=pathlib.Path(__file__).parent, check=True)
        result, report = bench("--peer", f"another={FLOOR}", "--only", "another", "--only", "rounds", "--only", "hello")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(report["rounds"]["another"]["hello"]["rps"]["median"], 0)

    def test_a_port_in_use_is_an_error(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            server = named("late=build/bench/floor {port}")
            server.command = lambda _: setattr(server, "port", port) or ["true"]
            with self.assertRaisesRegex(ServerError, f"late: port {port} is in use"):
                Running(server, None)

    def test_a_program_that_cannot_be_run_is_an_error(self):
        with self.assertRaisesRegex(ServerError, "cannot be started: No such file"):
            Running(named("none=/no/such/program"), None)

    def test_a_run_that_is_ended_leaves_no_server_behind(self):
        argv = [sys.executable, "-B", "bench/run.py", "--quick", "--only", "floor", "--only", "connections"]
        with tempfile.TemporaryDirectory() as folder, subprocess.Popen(
                [*argv, "--report", folder], cwd=ROOT, stderr=subprocess.PIPE, text=True) as run:
            while "connections: 1" not in run.stderr.readline():
                self.assertIsNone(run.poll())
            children = [int(pid) for pid in pathlib.Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()]
            commands = {pid: pathlib.Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
            servers = [pid for pid, command in commands.items() if command.startswith("build/bench/floor")]
            self.assertEqual(len(servers), 1)
            run.terminate()
            run.wait(30)
            self.assertFalse(pathlib.Path(f"/proc/{servers[0]}").exists())

    def test_unknown_names_are_refused(self):
        result, _ = bench("--only", "helo")
        self.assertEqual(result.returncode, 1)
        self.assertIn("there is no 'helo'", result.stderr)
        result, _ = bench("--peer", "nothing")
        self.assertIn("--peer wants NAME=COMMAND", result.stderr)

    def test_a_budget_that_cannot_be_checked_does_not_hold(self):
        result, _ = bench("--check", "--only", "floor", "--only", "routes")
        self.assertEqual(result.returncode, 1)
        self.assertIn("budget broken: 500 routes: not measured", result.stdout)


def table(value=100, **more):
    return Table("Speed", ["one", "two"], {"perigee": {"one": value, "two": "text"}}, **more)


def spread(low, middle, high):
    return {"min": low, "median": middle, "max": high}


class Tables(unittest.TestCase):
    def test_numbers_have_as_many_digits_as_say_something(self):
        for value, digits, text in ((1234567, 2, "1,234,567"), (12.345, 1, "12.3"), (0.0456, 0, "0.046"), (0, 0, "0"),
                                    (spread(1, 2, 3), 0, "2 (1-3)"), (spread(2, 2, 2), 0, "2"), ("as it is", 0, "as it is")):
            self.assertEqual(lib_tables.cell_text(value, digits), text)

    def test_columns_that_do_not_fit_go_below(self):
        columns = [f"column {i}" for i in range(9)]
        wide = Table("Wide", columns, {"row": {column: 1 for column in columns}})
        self.assertTrue(all(len(line) <= 80 for line in lib_tables.terminal(wide, 80).splitlines()))
        self.assertEqual(lib_tables.terminal(wide, 80).count("row"), 2)

    def test_texts_are_no_figures(self):
        self.assertEqual(list(table().figures()), [("perigee", "one", 100)])


class History(unittest.TestCase):
    REPORT = {"time": "2026-01-02T03:04:05Z", "effort": "full", "environment": {"commit": "abc"}, "missing": []}

    def changes(self, before, now, **more):
        line = json.loads(json.dumps(lib_history.line_of(self.REPORT, [table(before, **more)])))
        return [(change.before, change.now, change.better) for change in
                lib_history.changes([table(now, **more)], line).values()]

    def test_the_last_line_of_the_same_kind_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "runs.jsonl")
            self.assertIsNone(lib_history.last(self.REPORT, file))
            elsewhere = {"environment": {"commit": "abc", "machine": "another"}}
            for other, value in (({}, 1), ({}, 2), ({"effort": "quick"}, 3), (elsewhere, 4), ({"counter": "perf"}, 5)):
                lib_history.append(lib_history.line_of(self.REPORT | other, [table(value)]), file)
            with open(file, "a", encoding="utf-8") as lines:
                lines.write("half a li")
            self.assertEqual(lib_history.last(self.REPORT, file)["figures"], {"Speed": {"perigee": {"one": 2}}})

    def test_a_count_has_changed_by_more_than_three_percent_what_was_taken_once_by_more_than_ten(self):
        self.assertEqual(self.changes(1000, 1029, steady=True), [])
        self.assertEqual(self.changes(1000, 1040, steady=True), [(1000, 1040, False)])
        self.assertEqual(self.changes(1000, 900, steady=True, better="more"), [(1000, 900, False)])
        self.assertEqual(self.changes(1000, 1090), [])
        self.assertEqual(self.changes(1000, 1110), [(1000, 1110, False)])

    def test_a_time_has_changed_when_neither_run_saw_the_others_median(self):
        self.assertEqual(self.changes(spread(90, 100, 110), spread(80, 105, 120)), [])
        self.assertEqual(self.changes(spread(90, 100, 110), spread(98, 112, 120)), [])
        self.assertEqual(self.changes(spread(90, 100, 110), spread(111, 120, 130)), [(100, 120, False)])
        self.assertEqual(self.changes(spread(90, 100, 110), spread(60, 70, 80)), [(100, 70, True)])

    def test_nothing_is_compared_with_nothing(self):
        self.assertEqual(lib_history.changes([table()], None), {})
        self.assertEqual(lib_history.told({}, None), [])


class Page(unittest.TestCase):
    REPORT = {"time": "now", "effort": "quick", "environment": {"commit": "abc", "machine": "a <machine>"}, "peers": {},
              "missing": ["<script>alert(1)</script>"], "commands": {"x": "a && b"}, "noise": {}}

    def page(self, tables):
        return lib_page.page(self.REPORT, [("part", "A part", tables)], ["broken <one>"], {}, None)

    def test_names_are_escaped_and_nobody_else_is_asked(self):
        hostile = '"><img src=//example.org/x>'
        bars = Table(hostile, [hostile], {hostile: {hostile: spread(1, 2, 3)}}, chart="bars")
        text = self.page([bars])
        self.assertNotIn("<img", text)
        self.assertNotIn("<script", text)
        text = text.replace(lib_page.html.escape(hostile), "")
        self.assertIsNone(re.search(r"(src|href)=[\"']?(https?:|//)|url\(|@import", text))

    def test_charts_have_a_mark_for_every_figure(self):
        rows = {"perigee": {"1": spread(1, 2, 3), "10": 5, "100": 7}, "floor": {"1": 3, "10": 8}}
        columns = ["1", "10", "100"]
        colours = lib_page.colours_of(rows)
        self.assertEqual(lib_svg.bars(Table("t", columns, rows, chart="bars"), colours).count("<rect"), 5)
        drawn = lib_svg.lines(Table("t", columns, rows, chart="lines"), colours)
        self.assertEqual((drawn.count("<circle"), drawn.count(" line\"")), (5, 3))

    def test_a_single_point_and_zeros_can_be_drawn(self):
        for rows in ({"perigee": {"1": 5}}, {"perigee": {"1": 0}}):
            self.assertIn("<svg", self.page([Table("t", ["1"], rows, chart="bars")]))
        self.assertIn("<svg", self.page([Table("t", ["1"], {"perigee": {"1": 5}}, chart="lines")]))
        self.assertIn("<svg", self.page([Table("t", ["1"], {"perigee": {"1": 5}}, chart="time")]))


class Budgets(unittest.TestCase):
    def test_a_ratio_is_of_the_same_run(self):
        report = {"latency": {"same": {"perigee": {"p99": spread(1, 16, 99)}, "floor": {"p99": spread(1, 10, 99)}}}}
        self.assertEqual(lib_budgets.broken(report, ["latency"]),
                         ["p99 at half of the capacity, against the floor's: 16 us, allowed 15"])
        report["latency"]["same"]["perigee"]["p99"]["median"] = 15
        self.assertEqual(lib_budgets.broken(report, ["latency"]), [])

    def test_of_two_workers_instructions_or_time_must_hold(self):
        workers = {"1": {"instructions": 1000, "cpu_us": 10}, "2": {"instructions": 1100, "cpu_us": 10.4}, "added": 1}
        self.assertEqual(lib_budgets.broken({"workers": workers}, ["workers"]), [])
        workers["2"]["cpu_us"] = 11
        self.assertEqual(len(lib_budgets.broken({"workers": workers}, ["workers"])), 2)

    def test_a_short_run_may_grow_a_little(self):
        for slope, growth, lines in ((0.5, 9_000_000, 0), (2, 900_000, 0), (2, 1_100_000, 1)):
            report = {"stress": {"bytes_a_request": slope, "growth": growth}}
            self.assertEqual(len(lib_budgets.broken(report, ["stress"])), lines)
        self.assertEqual(lib_budgets.broken({"stress": {}}, ["stress"]), ["stress: not measured"])

    def test_a_slope_is_that_of_the_line_through_the_points(self):
        self.assertAlmostEqual(part_stress.slope([(x, 3 * x + 7) for x in range(10)]), 3)
        self.assertEqual(part_stress.slope([(1, 5)]), 0)


if __name__ == "__main__":
    unittest.main()
