"""The examples' own tests and benchmarks pass, run as their READMEs say."""

import pathlib
import tempfile
import unittest

from harness import ROOT, run_perigee

EXAMPLES = ROOT / "examples"


class ExampleTests(unittest.TestCase):
    def test_every_example_with_tests_passes_them(self):
        folders = sorted(path.parent for path in EXAMPLES.glob("*/tests"))
        self.assertGreaterEqual(len(folders), 3)
        for folder in folders:
            with self.subTest(example=folder.name):
                result = run_perigee("test", cwd=folder)
                self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
                self.assertRegex(result.stdout, r"[1-9]\d* success(es)? / 0 failures / 0 errors / 0 pending")

    def test_the_visitors_are_benchmarked_and_covered(self):
        result = run_perigee("bench", "--time", "0.05", cwd=EXAMPLES / "visitors")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"BenchmarkHi(-\d+)?\s+\d+\s+[\d.]+ ns/op\s+\d+ B/op\s+\d+ allocs/op\n")
        self.assertIn("BenchmarkHiParallel", result.stdout)
        with tempfile.TemporaryDirectory(prefix="perigee-test-") as folder:
            result = run_perigee("test", "--coverage", "--coverage-dir", folder, cwd=EXAMPLES / "visitors")
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertRegex(result.stdout, r"app\.lua +\d+ +\d+ +100\.0%\n")
            self.assertIn("You are visitor number", (pathlib.Path(folder) / "index.html").read_text())


if __name__ == "__main__":
    unittest.main()
