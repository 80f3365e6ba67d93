"""`perigee test` and `perigee bench`: Lua that never ends, in tests, benchmarks and what they load."""

import unittest

from folder_case import FolderCase


class EndlessSpecs(FolderCase):
    def errors_of(self, spec, *arguments):
        self.write("tests/app_spec.lua", spec)
        result = self.perigee("test", *arguments)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        return result.stdout

    def test_what_never_ends_in_an_app_ends_with_its_test(self):
        self.write("lua/endless.lua", "while true do end")
        self.write("lua/restless.lua", r'''
local perigee = require "perigee"
return perigee.app():start(function() perigee.every(0.001, function() for _ = 1, 1e5 do end end) end)''')
        said = self.errors_of(r'''
local test = require "perigee.test"
it("loads", function() test.app "lua/endless.lua" end)
it("is fine", function() end)
it("moves the clock", function() test.app "lua/restless.lua" test.clock:advance(math.huge) end)''',
                          "--timeout", "0.3")  # of processor time, and of a busy machine's there is less
        self.assertIn("1 success / 0 failures / 2 errors", said)
        self.assertRegex(said, r"the app does not load:\nlua/endless.lua:1: the app did not load within 0\.\d+ s \(--timeout\)")

    def test_a_test_that_never_ends_is_stopped_and_cleaned_up_after(self):
        said = self.errors_of(r'''
randomize(false)
local cleaned = {}
after_each(function() cleaned[#cleaned + 1] = true end)
it("computes", function() while true do end end)
it("catches", function() while true do pcall(function() while true do end end) end end)
it("is fine", function() assert.equal(2, #cleaned) end)''', "--timeout", "0.3")
        self.assertIn("1 success / 0 failures / 2 errors", said)
        self.assertIn("computes\ntests/app_spec.lua:5: did not end within 0.3 s (--timeout)", said)
        self.assertIn("catches\ntests/app_spec.lua:6: did not end within 0.3 s (--timeout)", said)

    def test_one_that_asks_an_app_for_ever_is_stopped(self):
        self.write("lua/app.lua", 'return require "perigee".app():get("/", function() return "x" end)')
        said = self.errors_of(r'''
randomize(false)
local client = require "perigee.test".app "lua/app.lua"
after_each(function() assert.equal("x", client:get("/").body) end)
it("asks", function() while true do client:get("/") end end)
it("does not mind", function() while true do pcall(client.get, client, "/") end end)
it("is fine", function() assert.equal(200, client:get("/").status) end)''', "--timeout", "0.3")
        self.assertIn("1 success / 0 failures / 2 errors", said)
        self.assertRegex(said, r"asks\ntests/app_spec.lua:5: .*\(--timeout\)")
        self.assertIn("does not mind\ntests/app_spec.lua:6: did not end within 0.3 s (--timeout)", said)

    def test_a_file_that_never_ends_loading_says_what_stopped_it(self):
        said = self.errors_of("while true do end", "--timeout", "0.3")
        self.assertIn("the file as a whole\ntests/app_spec.lua:1: did not end within 0.3 s (--timeout)", said)

    def bench(self, text, *arguments):
        self.write("bench/a_bench.lua", text)
        return self.perigee("bench", "--time", "0.02", "--timeout", "0.3", *arguments)

    def test_a_benchmark_that_never_ends_is_stopped_and_the_next_runs(self):
        self.write("lua/app.lua", 'return require "perigee".app():get("/", function() return "x" end)')
        result = self.bench(r'''
local client = require "perigee.test".app "lua/app.lua"
bench("empty", function() while true do end end)
bench("caught", { parallel = true }, function() while true do pcall(function() while true do end end) end end)
bench("asks", function() while true do client:get("/") end end)
bench("unmoved", function() while true do pcall(client.get, client, "/") end end)
bench("good", function(b) for _ = 1, b.n do client:get("/") end end)''')
        self.assertEqual(result.returncode, 1, result.stdout)
        for name, line in (("Empty", 3), ("Caught", 4), ("Unmoved", 6)):
            self.assertIn(f"--- FAIL: Benchmark{name}\n    bench/a_bench.lua:{line}: did not end within 0.3 s (--timeout)",
                          result.stdout)
        self.assertRegex(result.stdout, r"--- FAIL: BenchmarkAsks\n    bench/a_bench.lua:5: .*\(--timeout\)")
        self.assertIn("BenchmarkGood", result.stdout)
        self.assertTrue(result.stdout.endswith("FAIL\n"))

    def test_a_benchmark_whose_time_never_comes_ends(self):
        result = self.bench(r'''
local x
bench("forgets", function(b) for i = 1, b.n do x = tostring(i) end b:reset() end)
bench("good", function() end)''')
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertRegex(result.stdout, r"--- FAIL: BenchmarkForgets\n    bench/a_bench.lua:3: did not end within 0.3 s "
                                        r"\(--timeout\)")
        self.assertIn("BenchmarkGood", result.stdout)

    def test_a_file_of_benchmarks_that_never_ends_loading_says_what_stopped_it(self):
        result = self.bench("while true do end")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("--- FAIL: bench/a_bench.lua\n    ", result.stdout)
        self.assertIn("bench/a_bench.lua:1: did not end within 0.3 s (--timeout)", result.stdout)

    def test_what_can_not_be_stopped_is_named(self):
        reads = r'''
local ffi = require "ffi"
ffi.cdef "int pipe(int *); ssize_t read(int, void *, size_t);"
local ends, byte = ffi.new "int[2]", ffi.new "char[1]"
ffi.C.pipe(ends)
local function read() ffi.C.read(ends[0], byte, 1) end
'''
        self.write("tests/other_spec.lua", 'it("is fine", function() end)')
        said = self.errors_of(reads + r'''
randomize(false)
it("is fine", function() end)
it("reads", read)
it("comes later", function() end)''', "--timeout", "0.3", "--jobs", "1")
        self.assertIn("2 successes / 0 failures / 1 error", said)
        self.assertIn("tests/app_spec.lua:10\nreads\ndid not end within 0.3 seconds (--timeout) and can't be stopped: the rest "
                      "of the file is given up", said)
        result = self.bench(reads + 'bench("good", function() end)\nbench("reads", read)')
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("BenchmarkGood", result.stdout)
        self.assertIn("--- FAIL: BenchmarkReads\n    bench/a_bench.lua:8: did not end within 0.3 s (--timeout) and can't be "
                      "stopped\nFAIL\n", result.stdout)


if __name__ == "__main__":
    unittest.main()
