"""`perigee bench`: figures that Go's tools read, on several workers too, and what it says of those that fail."""

import re
import unittest

from folder_case import FolderCase
from pprof import Pprof

APP = r'''
local perigee = require "perigee"
local app = perigee.app()
app:get("/", function() return "Hello, World!" end)
app:get("/count", function() return tostring(perigee.shared("n"):incr("hits")) end)
return app
'''
LINE = re.compile(r"^Benchmark(\S+?)(?:-\d+)?\s+(\d+)\s+([\d.]+) ns/op\s+(\d+) B/op\s+(\d+) allocs/op$", re.MULTILINE)


class Benchmarks(FolderCase):
    FILES = {"lua/app.lua": APP}

    def bench(self, text, *arguments):
        self.write("bench/app_bench.lua", text)
        return self.perigee("bench", "--time", "0.02", *arguments)

    def figures(self, text, *arguments):
        result = self.bench(text, *arguments)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result, LINE.findall(result.stdout)

    def test_figures_are_in_gos_format_and_the_noise_is_shown(self):
        result, lines = self.figures(r'''
local client = require "perigee.test".app "lua/app.lua"
bench("hello", function(b) for _ = 1, b.n do client:get("/") end end)
bench("some name", function(b) for _ = 1, b.n do client:get("/") end end)''', "--count", "2")
        self.assertEqual([line[0] for line in lines], ["Hello", "Hello", "SomeName", "SomeName"])
        self.assertTrue(all(int(n) > 1 and float(ns) > 0 for _, n, ns, _, _ in lines))
        self.assertRegex(result.stdout, r"^goos: linux\ngoarch: \w+\ncpu: .+\npkg: bench/app_bench\.lua\n")
        self.assertTrue(result.stdout.endswith("PASS\n"))
        self.assertEqual(len(re.findall(r"Hello: \+-[\d.]+% between rounds, [\d.e+]+ to [\d.e+]+ ns/op", result.stderr)), 2)

    def test_profiles_say_where_time_and_memory_go(self):
        work = r'''
local function spend() local t = {} for i = 1, 100 do t[i] = { i, tostring(i) } end return t end
bench("tables", function(b) for _ = 1, b.n do spend() end end)'''
        result, lines = self.figures(work, "--count", "10", "--cpuprofile", "cpu.pb.gz", "--memprofile", "mem.folded")
        self.assertGreater(int(lines[0][4]), 100)
        cpu = Pprof((self.folder / "cpu.pb.gz").read_bytes())
        self.assertIn("cpu", cpu.types)
        functions = {place[0] for stack, _, _ in cpu.samples for place in stack}
        self.assertTrue(any("spend" in function for function in functions), functions)
        self.assertRegex((self.folder / "mem.folded").read_text(), r"spend bench/app_bench\.lua:2.* \d+\n")
        result = self.bench(work, "--cpuprofile", "no/where")
        self.assertEqual((result.returncode, result.stderr), (1, "perigee: no/where can't be written: No such file or directory\n"))
        self.assertNotIn("Benchmark", result.stdout)
        result = self.bench(work, "--memprofile", "a.html")
        self.assertEqual(result.returncode, 1)
        self.assertIn("a.html: benches write no page", result.stderr)
        self.assertFalse((self.folder / "a.html").exists())
        self.assertNotIn("Benchmark", result.stdout)

    def test_allocations_are_counted(self):
        _, lines = self.figures(r'''
local kept = 0
bench("tables", function(b) for i = 1, b.n do kept = { i, tostring(i) .. "a string" } end end)
bench("nothing", function(b) for i = 1, b.n do kept = i end end)
bench("reset", function(b) local t = {} for i = 1, 1e4 do t[i] = {} end b:reset() for i = 1, b.n do kept = i end end)''')
        self.assertGreaterEqual(int(lines[0][3]), 40)
        self.assertGreaterEqual(int(lines[0][4]), 1)
        self.assertEqual([line[3:] for line in lines[1:]], [("0", "0"), ("0", "0")])

    def test_parallel_benchmarks_share_their_apps_state_over_workers(self):
        _, lines = self.figures(r'''
local perigee = require "perigee"
local client = require "perigee.test".app "lua/app.lua"
local lane = perigee.worker.id
bench("parallel", { parallel = true }, function(b) for _ = 1, b.n do client:get("/count") end end)
bench("sum", function(b)
  if b.n == 1 then io.stderr:write("hits ", client:get("/count").body, "\n") end
  for _ = 1, b.n do client:get("/") end
end)''')
        self.assertEqual([line[0] for line in lines], ["Parallel", "Sum"])
        self.assertGreater(int(lines[0][1]), 1)

    def test_what_is_printed_is_apart_from_figures(self):
        result = self.bench('print("hello", 1)\nbench("a", function() end)')
        self.assertIn("hello\t1\n", result.stderr)
        self.assertNotIn("hello", result.stdout)

    def test_what_every_vm_allocates_is_counted(self):
        self.write("lua/job.lua", "return { text = function(n) return ('x'):rep(3000) .. n end }")
        self.write("lua/app.lua", APP.replace("return app", """
local n = 0
local function another() n = n + 1 return n end
app:get("/job", function() return (perigee.run("job", "text", another())) end)
app:get("/large", function() return ("x"):rep(5000) .. another() end)
return app"""))
        _, lines = self.figures(r'''
local test = require "perigee.test"
local client, server = test.app "lua/app.lua", test.server "lua/app.lua"
bench("alone", function(b) for _ = 1, b.n do client:get("/") end end)
bench("served", function(b) for _ = 1, b.n do server:get("/large") end end)
bench("job", function(b) for _ = 1, b.n do client:get("/job") end end)
bench("own", function(b) for i = 1, b.n do b.kept = { ("y"):rep(7000) .. i } end end)''')
        bytes = {line[0]: int(line[3]) for line in lines}
        self.assertLess(bytes["Alone"], 3000)  # some hundreds, but for the compiler's in so few rounds
        self.assertGreater(bytes["Served"], 9900)  # the server's string, and the client's
        self.assertGreater(bytes["Job"], 8900)  # on the other VM, in the app and in the client
        self.assertGreater(bytes["Own"], 7000)

    def test_a_filter_chooses(self):
        _, lines = self.figures('bench("one", function() end)\nbench("two", function() end)', "--filter", "^two$")
        self.assertEqual([line[0] for line in lines], ["Two"])
        result = self.bench('bench("one", function() end)', "--filter", "three")
        self.assertEqual((result.returncode, result.stderr),
                         (0, "perigee: no benchmark was run: the filter chooses none\n"))

    def test_names_keep_their_letters(self):
        _, lines = self.figures('bench("größe of ünder, now!", function() end)')
        self.assertEqual([line[0] for line in lines], ["GrößeOfünderNow"])

    def test_one_that_errs_is_named_and_the_others_run(self):
        result = self.bench('bench("bad", { parallel = true }, function() error("no luck") end)\n'
                            'bench("worse", function() local x; x() end)\nbench("good", function() end)')
        self.assertEqual(result.returncode, 1)
        self.assertIn("--- FAIL: BenchmarkBad\n    bench/app_bench.lua:1: no luck", result.stdout)
        self.assertIn("--- FAIL: BenchmarkWorse\n    bench/app_bench.lua:2: attempt to call local 'x'", result.stdout)
        self.assertEqual([line[0] for line in LINE.findall(result.stdout)], ["Good"])
        self.assertTrue(result.stdout.endswith("FAIL\n"))

    def test_one_that_takes_all_memory_is_stopped_and_the_next_runs(self):
        result = self.bench('bench("all", function() local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end)\n'
                            'bench("next", function() end)', "--set", 'limits.memory="32MB"')
        self.assertIn("--- FAIL: BenchmarkAll\n    bench/app_bench.lua:1: over its memory budget", result.stdout)
        self.assertEqual([line[0] for line in LINE.findall(result.stdout)], ["Next"])

    def test_two_of_a_name_are_told_apart(self):
        _, lines = self.figures('for _ = 1, 3 do bench("same", function() end) end')
        self.assertEqual([line[0] for line in lines], ["Same", "Same#01", "Same#02"])

    def test_what_can_not_be_run_is_said(self):
        for text, part in (("local x = = 1", "bench/app_bench.lua:1: unexpected symbol"),
                           ('bench("x")', "bench takes a name, options or none, and a function"),
                           ('bench("x", { paralel = true }, print)', "bench has no option 'paralel'"),
                           ('require "perigee.test".app "none.lua"', "cannot open none.lua")):
            result = self.bench(text)
            self.assertEqual(result.returncode, 1, text)
            self.assertIn(part, result.stdout)
        result = self.perigee("bench", "lua")
        self.assertEqual((result.returncode, result.stderr), (1, "perigee: no files *_bench.lua in lua\n"))

    def test_two_runs_are_compared(self):
        self.write("old.txt", "".join(f"BenchmarkA-2 10 {ns} ns/op 100 B/op 3 allocs/op\n" for ns in (100, 102, 101, 99)))
        self.write("new.txt", "".join(f"BenchmarkA-2 10 {ns} ns/op 100 B/op 3 allocs/op\n" for ns in (51, 50, 52, 49)))
        result = self.perigee("bench", "--compare", "old.txt", "new.txt")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"name +old ns/op +new ns/op +delta\nA-2 +100ns \+-\d% +50\.5ns \+-\d% +-49\.75%  "
                                        r"\(p=0\.029 n=4\+4\)\n")
        self.assertRegex(result.stdout, r"A-2 +100B \+-0% +100B \+-0% +~  \(p=1\.000 n=4\+4\)")
        self.write("empty.txt", "PASS\n")
        for name, why in (("empty.txt", "holds no benchmarks"), (".", "can't be read: Is a directory"),
                          ("none.txt", "can't be read: No such file or directory")):
            result = self.perigee("bench", "--compare", "old.txt", name)
            self.assertEqual((result.returncode, result.stderr), (1, f"perigee: {name} {why}\n"))


if __name__ == "__main__":
    unittest.main()
