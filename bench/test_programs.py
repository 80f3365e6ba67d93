"""The bench's own programs fit the engine as it is."""

import subprocess
import unittest

from lib_build import PROGRAMS
from lib_machine import ROOT


def check(command):
    """The command with no library and nothing written."""
    words = [word for word in command if not word.startswith(("-l", "-Wl,")) and not word.endswith(".a")]
    return subprocess.run([*words, "-fsyntax-only", "-Werror"], cwd=ROOT, capture_output=True, text=True, check=False)


class Programs(unittest.TestCase):
    def test_each_compiles(self):
        for name, command in PROGRAMS.items():
            with self.subTest(program=name):
                result = check(command)
                self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main()
