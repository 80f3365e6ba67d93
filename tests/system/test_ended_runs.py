"""`perigee test` and `perigee bench` where something ends them: a crash, an exit that nobody sees, Ctrl-C."""

import os
import signal
import subprocess
import unittest
import xml.etree.ElementTree as ET

from folder_case import FolderCase
from harness import BINARY, PATIENCE

FFI = """
local ffi = require "ffi"
ffi.cdef [[
  void _exit(int); void exit(int); void abort(void); int raise(int); int getpid(void); int kill(int, int);
  int execv(const char *, const char *const *);
]]
"""


class EndedRuns(FolderCase):
    def test_a_test_that_ends_the_process_is_an_error(self):
        for call, how in (("ffi.C._exit(0)", "with code 0"), ("ffi.C.abort()", "by signal 6 (Aborted)"),
                          ("ffi.C._exit(3)", "with code 3"),
                          ("ffi.C.execv('/bin/true', ffi.new('const char *[2]', { '/bin/true' }))", "with code 0"),
                          ("ffi.C.kill(ffi.C.getpid(), 9)", "by signal 9 (Killed)"),
                          ("ffi.C.raise(10)", "by signal 10 (User defined signal 1)")):
            self.write("tests/a_spec.lua", FFI + f"""
randomize(false)
it("is fine", function() end)
it("fails", function() assert.equal(1, 2) end)
it("ends", function() {call} end)
it("comes later", function() end)""")
            result = self.perigee("test", "--junit", "out.xml")
            said = result.stdout
            self.assertEqual(result.returncode, 1, call + said)
            self.assertTrue(said.startswith(".F\n1 success / 1 failure / 1 error / 0 pending"), call + said)
            self.assertIn("Error -> tests/a_spec.lua:11\nends\nthe process ended here, " + how + "\n", said)
            self.assertIn("Expected values to be equal", said)
            self.assertIn(f"perigee: the process that ran the tests ended {how}, before all had run", result.stderr)
            suite = ET.parse(self.folder / "out.xml").getroot().find("testsuite")
            self.assertEqual((suite.get("tests"), suite.get("errors")), ("3", "1"))

    def test_a_file_that_ends_the_process_is_an_error(self):
        self.write("tests/a_spec.lua", FFI + "ffi.C._exit(0)")
        result = self.perigee("test")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("Error -> tests/a_spec.lua\nthe file as a whole\nthe process ended here, with code 0", result.stdout)

    def test_of_tests_beside_each_other_both_are_named(self):
        for name, other in (("a", "b"), ("b", "a")):
            self.write(f"tests/{name}_spec.lua", FFI + f"""
it("runs {name}", function()
  io.open("{name}", "w"):close()
  local there
  repeat there = io.open("{other}") until there
  if "{name}" == "a" then ffi.C._exit(0) end
  while true do end
end)""")
        result = self.perigee("test", "--jobs", "2")
        self.assertEqual(result.returncode, 1, result.stdout)
        for name in "ab":
            self.assertIn(f"runs {name}\nthe process ended here, with code 0, or in a test that ran beside it: --jobs 1 tells",
                          result.stdout)

    def test_a_benchmark_that_ends_the_process_is_a_failure(self):
        self.write("bench/a_bench.lua", FFI + """
bench("fine", function() end)
bench("ends", function() ffi.C._exit(0) end)""")
        result = self.perigee("bench", "--time", "0.02")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("BenchmarkFine", result.stdout)
        self.assertTrue(result.stdout.endswith("--- FAIL: BenchmarkEnds\n    bench/a_bench.lua:9: the process ended here, "
                                               "with code 0\nFAIL\n"), result.stdout)

    def interrupted(self, command, signals, wait_for):
        # A group of its own, as a shell gives each command that it starts.
        def heed_ctrl_c():  # which programs in the background do not
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        process = subprocess.Popen([BINARY, *command], cwd=self.folder, text=True, start_new_session=True,
                                   preexec_fn=heed_ctrl_c, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        seen = ""
        while wait_for not in seen:
            letter = process.stdout.read(1)
            self.assertTrue(letter, seen)
            seen += letter
        for send in signals:
            send(process.pid)
        out, err = process.communicate(timeout=PATIENCE)
        process.stdout.close()
        process.stderr.close()
        return process.returncode, seen + out, err

    def test_ctrl_c_tells_what_has_run(self):
        self.write("tests/a_spec.lua", """
local perigee = require "perigee"
randomize(false)
it("is fine", function() end)
it("hangs", function() print "now" perigee.sleep(1000) end)
it("comes later", function() end)""")
        for signals, code, name in (([lambda pid: os.killpg(pid, signal.SIGINT)], 130, "SIGINT"),
                                    ([lambda pid: os.kill(pid, signal.SIGINT)] * 2, 130, "SIGINT"),
                                    ([lambda pid: os.kill(pid, signal.SIGTERM)], 143, "SIGTERM")):
            returned, out, _ = self.interrupted(["test"], signals, "now\n")
            self.assertEqual(returned, code, out)
            self.assertIn("1 success / 0 failures / 1 error / 0 pending", out)
            self.assertIn(f"Error -> tests/a_spec.lua:5\nhangs\ninterrupted by {name}: the rest of the file is not run", out)

    def test_ctrl_c_ends_benchmarks(self):
        self.write("bench/a_bench.lua", """
bench("fine", function() end)
bench("long", function() io.write "now\\n" io.flush() while true do end end)""")
        returned, out, err = self.interrupted(["bench", "--time", "0.02"],
                                              [lambda pid: os.killpg(pid, signal.SIGINT)], "now\n")
        self.assertEqual(returned, 130, out + err)
        self.assertIn("BenchmarkFine", out)
        self.assertIn("perigee: interrupted in bench/a_bench.lua", err)

    def test_one_that_lost_its_descriptors_is_an_error_in_the_counts(self):
        self.write("tests/a_spec.lua", """
local ffi = require "ffi"
ffi.cdef "int close(int);"
it("closes all", function() for i = 3, 200 do ffi.C.close(i) end end)""")
        result = self.perigee("test", "--junit", "out.xml")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn("by signal 6 (Aborted)", result.stdout)
        self.assertIn("an event loop has lost its descriptor", result.stderr)
        suite = ET.parse(self.folder / "out.xml").getroot().find("testsuite")
        self.assertEqual(suite.get("errors"), "1")

    def test_what_ends_the_watching_process_ends_the_tests(self):
        self.write("tests/a_spec.lua", """
it("tells its number", function()
  local file = io.open("/proc/self/stat")
  print(file:read("*n"))
  while true do end
end)""")
        process = subprocess.Popen([BINARY, "test"], cwd=self.folder, text=True, stdout=subprocess.PIPE)
        number = int(process.stdout.readline())
        process.kill()
        process.stdout.read()  # until the last that could write has gone
        process.wait()
        process.stdout.close()
        self.assertNotEqual(number, process.pid)


if __name__ == "__main__":
    unittest.main()
