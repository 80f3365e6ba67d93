"""Every header compiles alone: as the first that its own .cc includes, which the build shows, or by a compilation here."""

import concurrent.futures
import shutil
import subprocess
import unittest

from source import ROOT, files, name

PACKAGES = ["luajit", "libevent"]
STUBS = ROOT / "build/headers"


def compiler():
    """Through ccache a header that did not change costs a look-up; that wants whole compilations and lasting paths."""
    flags = subprocess.run(["pkg-config", "--cflags", *PACKAGES], capture_output=True, text=True, check=True).stdout.split()
    cached = ["ccache"] if shutil.which("ccache") else []
    return [*cached, "g++", "-std=c++20", "-O0", "-Wall", "-Wextra", "-I", str(ROOT / "engine"), *flags]


def stands_first(header):
    """Whether the header's own .cc includes it before anything else."""
    source = header.with_suffix(".cc")
    if not source.exists():
        return False
    first = next((line for line in source.read_text().splitlines() if line.startswith("#include")), "")
    return first == f'#include "{header.relative_to(ROOT / "engine")}"'


class Headers(unittest.TestCase):
    def test_every_header_compiles_alone(self):
        command = compiler()
        STUBS.mkdir(parents=True, exist_ok=True)

        def compile_one(path):
            header = str(path.relative_to(ROOT / "engine"))
            stub = STUBS / (header.replace("/", "-") + ".cc")
            stub.write_text(f'#include "{header}"\n')
            result = subprocess.run([*command, "-c", str(stub), "-o", str(stub.with_suffix(".o"))], cwd=STUBS,
                                    capture_output=True, text=True)
            return f"{name(path)}:\n{result.stderr}" if result.returncode else None

        headers = [path for path in files("engine", suffixes={".h"}) if not stands_first(path)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            wrong = [problem for problem in pool.map(compile_one, headers) if problem]
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_every_header_begins_with_pragma_once(self):
        wrong = [name(path) for path in files("engine", suffixes={".h"}) if "#pragma once" not in path.read_text()[:4000]]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
