"""The house is tidy: no machine's paths, nothing left undone, no room too large, every test a fact."""

import re
import unittest

from source import ROOT, files, kept_files, name

TEXT = {".cc", ".h", ".c", ".lua", ".py", ".md", ".toml", ".txt", ".cmake", ".json", ".yml", ".sh", ""}
OWN = ROOT / "tests/house/test_tidy.py"
VECTORS = ROOT / "tests/conformance/vectors"
FUZZ_INPUTS = ROOT / "tests/fuzz/regression"


def texts():
    """Every text file of ours, with its text."""
    for path in kept_files():
        if path.suffix not in TEXT or path == OWN or VECTORS in path.parents or FUZZ_INPUTS in path.parents:
            continue
        try:
            yield path, path.read_text()
        except UnicodeDecodeError:
            continue


class Tidy(unittest.TestCase):
    def lines_with(self, pattern):
        return [f"{name(path)}:{number}: {line.strip()[:100]}" for path, text in texts()
                for number, line in enumerate(text.splitlines(), 1) if re.search(pattern, line)]

    def test_no_machine_is_named(self):
        self.assertEqual(self.lines_with(r"(?<![\w.])/(work|farm)/|/home/\w+/|/root/"), [])

    def test_nothing_is_left_undone(self):
        self.assertEqual(self.lines_with(r"\b(TODO|FIXME|XXX|HACK)\b"), [])

    def test_no_test_is_passed_over(self):
        self.assertEqual(self.lines_with(r"unittest\.skip|skipTest|@skip|expectedFailure|GTEST_SKIP|\[!mayfail\]|\[!shouldfail\]"), [])
        cases = re.compile(r'TEST_CASE\([^)]*"[^"]*\[\.')
        self.assertEqual([name(path) for path, text in texts() if path.suffix == ".cc" and cases.search(text)], [])

    def test_every_source_file_is_under_500_lines(self):
        large = {name(path): count for path in files("engine", "tests", "bench", suffixes={".cc", ".h"})
                 if (count := len(path.read_text().splitlines())) >= 500}
        self.assertEqual(large, {})

    def test_no_line_ends_in_white_space_and_every_file_ends_in_a_line(self):
        wrong = [name(path) for path, text in texts() if path.suffix in (".cc", ".h", ".lua", ".py", ".toml")
                 and (re.search(r"[ \t]+$", text, re.MULTILINE) or (text and not text.endswith("\n")))]
        self.assertEqual(wrong, [])

    def test_a_unit_test_mirrors_a_file_of_the_engine(self):
        orphans = []
        for path in files("tests", suffixes={".cc"}):
            folder, stem = path.parent.name, path.stem
            if stem == "memory_faults_test":  # how all of a folder bears it
                continue
            if stem.endswith("_test") and folder in ("base", "http", "net", "script", "server"):
                mirrored = ROOT / "engine" / folder / stem.removesuffix("_test")
                if not (mirrored.with_suffix(".cc").exists() or mirrored.with_suffix(".h").exists()):
                    orphans.append(name(path))
        self.assertEqual(orphans, [])

    def test_the_name_of_a_unit_test_is_a_fact(self):
        # "subject: what holds", and no two alike in one program.
        wrong, seen = [], {}
        for path in files("tests", suffixes={".cc"}):
            for case in re.findall(r'TEST_CASE\(\s*"((?:[^"\\]|\\.)*)"', path.read_text()):
                if ": " not in case or len(case.split(": ", 1)[1].split()) < 2:
                    wrong.append(f"{name(path)}: {case}")
                if seen.setdefault((path.parent, case), path) != path:
                    wrong.append(f"twice: {case}")
        self.assertEqual(wrong, [])

    def test_every_test_of_the_server_is_run_by_ctest(self):
        listed = (ROOT / "tests/CMakeLists.txt").read_text()
        self.assertIn("file(GLOB system_tests CONFIGURE_DEPENDS system/test_*.py)", listed)
        for folder in ("house", "conformance"):
            for path in files(f"tests/{folder}", suffixes={".py"}):
                if path.stem.startswith("test_"):
                    self.assertIn(path.stem.removeprefix("test_"), listed)


if __name__ == "__main__":
    unittest.main()
