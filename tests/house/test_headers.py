"""Every header compiles alone."""

import concurrent.futures
import subprocess
import unittest

from source import ROOT, files, name

PACKAGES = ["luajit", "libevent"]


def flags():
    found = subprocess.run(["pkg-config", "--cflags", *PACKAGES], capture_output=True, text=True, check=True).stdout.split()
    return ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-x", "c++",
            "-I", str(ROOT / "engine"), *found]


class Headers(unittest.TestCase):
    def test_every_header_compiles_alone(self):
        command = ["g++", *flags()]

        def compile_one(path):
            text = f'#include "{path.relative_to(ROOT / "engine")}"\n'
            result = subprocess.run([*command, "-"], input=text, capture_output=True, text=True)
            return f"{name(path)}:\n{result.stderr}" if result.returncode else None

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            wrong = [problem for problem in pool.map(compile_one, files("engine", suffixes={".h"})) if problem]
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_every_header_begins_with_pragma_once(self):
        wrong = [name(path) for path in files("engine", suffixes={".h"}) if "#pragma once" not in path.read_text()[:4000]]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
