"""CPU profiles of a running server: planted hot spots are named, in every worker, in every form."""

import gzip
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.request

from harness import ServerCase, run_perigee, wait_until
from peers import free_port
from pprof import Pprof

APP = """
local perigee = require "perigee"
local app = perigee.app()

local function compiled_loop(n)
  local x = 0
  for i = 1, n do
    x = (x + i * 3) % 1000003 -- LINE compiled
  end
  return x
end

local function storing_loop(n)
  local sums = { x = 0, y = 0 }
  for i = 1, n do
    sums.x = (i * 7 % 13) * (i % 11) % 5 + (i % 17) * (i % 19) -- LINE storing
    sums.y = i
  end
  return sums.x
end

local function interpreted_loop(n)
  local x = 0
  for i = 1, n do x = (x + i * 3) % 1000003 end -- LINE interpreted
  return x
end
jit.off(interpreted_loop)

local text = ("abc "):rep(100000)
local function native_function()
  return (text:gsub("[xyz]", "q")) -- LINE native
end

local function closures(n)
  local kept
  for i = 1, n do
    local made = function() return i end -- LINE closures
    kept = made
  end
  return kept
end

local function garbage(n)
  local kept
  for i = 1, n do
    kept = { i, { i }, tostring(i) } -- LINE garbage
  end
  return kept
end

app:get("/compiled", function() return tostring(compiled_loop(2e7)) end)
app:get("/slow/{id}", function()
  perigee.sleep(0)
  return tostring(compiled_loop(2e5))
end)
app:get("/brief", function() return tostring(compiled_loop(2e5)) end)
app:get("/storing", function() return tostring(storing_loop(3e6)) end)
app:get("/interpreted", function() return tostring(interpreted_loop(3e6)) end)
app:get("/native", function() return tostring(#native_function()) end)
app:get("/closures", function() return tostring(closures(1e5)()) end)
app:get("/garbage", function() return tostring(#garbage(1e5)) end)
app:get("/coroutine", function()
  return coroutine.wrap(function() return tostring(select(2, pcall(compiled_loop, 2e7))) end)()
end)
app:get("/", function() return "hello" end)
return app
"""

LINES = {line.split("-- LINE ")[1]: number for number, line in enumerate(APP.splitlines(), 1) if "-- LINE " in line}


def answers(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class Load:
    """Requests for a path, one after the other on each of some connections, until it is left."""

    def __init__(self, server, path, clients=4):
        self.server, self.path = server, path
        self.over = False
        self.statuses = set()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def run(self):
        while not self.over:
            self.statuses.add(self.server.get(self.path).status)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()


class Profiles(ServerCase):
    APP = APP
    WORKERS = 2
    SETTINGS = {"limits.cpu": 0}

    def admin_get(self, target, server=None):
        with (server or self.server).admin() as client:
            return client.request("GET", target, host="127.0.0.1")

    def stacks(self, seconds=1, hz=250):
        """(frames from the outermost on, nanoseconds) of a recording."""
        response = self.admin_get(f"/debug/folded?seconds={seconds}&hz={hz}")
        self.assertEqual(response.status, 200, response)
        lines = [line.rsplit(" ", 1) for line in response.text.splitlines()]
        return [(line.split(";"), int(value)) for line, value in lines]

    def of_workers(self, stacks):
        return [(frames, value) for frames, value in stacks if frames[0] != "admin"]

    def share_of_line(self, stacks, line):
        """Of the time below handlers, the part of the stacks that go through a line."""
        mark = f"app.lua:{line}"
        lua = [(frames, value) for frames, value in self.of_workers(stacks) if any("app.lua:" in frame for frame in frames)]
        total = sum(value for _, value in lua)
        self.assertGreater(total, 0, stacks)
        return sum(value for frames, value in lua if any(frame.endswith(mark) for frame in frames)) / total

    def assert_named(self, path, line):
        with Load(self.server, path):
            stacks = self.stacks()
        self.assertGreaterEqual(self.share_of_line(stacks, LINES[line]), 0.9, stacks)
        return stacks

    def test_a_compiled_line_is_named_in_every_worker(self):
        stacks = self.assert_named("/compiled", "compiled")
        self.assertEqual({frames[0] for frames, _ in self.of_workers(stacks)}, {"worker-1", "worker-2"})
        self.assertTrue(any("compiled_loop" in frame for frames, _ in stacks for frame in frames), stacks)
        self.assertTrue(any("Worker::serve" in frame for frames, _ in stacks for frame in frames), stacks)

    def test_a_compiled_line_that_ends_with_a_store_is_named_and_not_the_next(self):
        self.assert_named("/storing", "storing")

    def test_the_route_is_a_label_also_after_a_wait_and_a_reload(self):
        server = self.start(APP, workers=1, settings={"limits.cpu": 0})
        with Load(server, "/brief"), Load(server, "/slow/7"):
            server.reload()
            response = self.admin_get("/debug/pprof/profile?seconds=1&hz=250", server)
        routes = {}
        for _, labels, value in Pprof(response.body).samples:
            if "route" in labels:
                routes[labels["route"]] = routes.get(labels["route"], 0) + value
        self.assertEqual(set(routes), {"GET /brief", "GET /slow/{id}"})
        self.assertGreater(min(routes.values()), 0.05 * max(routes.values()), routes)

    def test_an_interpreted_line_is_named(self):
        self.assert_named("/interpreted", "interpreted")

    def test_a_native_function_is_named_below_its_line(self):
        stacks = self.assert_named("/native", "native")
        self.assertTrue(any("[native function]" in frames for frames, _ in stacks), stacks)

    def test_the_collector_is_named_below_the_line_that_allocates(self):
        stacks = self.assert_named("/garbage", "garbage")
        self.assertTrue(any(frames[-1] == "[garbage collection]" for frames, _ in stacks), stacks)

    def test_the_collector_is_named_below_an_interpreted_line_and_not_the_next(self):
        with Load(self.server, "/closures"):
            stacks = self.stacks()
        collecting = [(frames, value) for frames, value in stacks if frames[-1] == "[garbage collection]"]
        self.assertGreaterEqual(self.share_of_line(collecting, LINES["closures"]), 0.9, collecting)

    def test_a_line_below_pcall_in_a_coroutine_is_named(self):
        self.assert_named("/coroutine", "compiled")

    def test_a_reload_meanwhile_changes_nothing(self):
        server = self.start(APP, workers=2, settings={"limits.cpu": 0})
        with Load(server, "/compiled") as load:
            done = threading.Event()

            def reload():
                while not done.is_set():
                    server.reload()

            reloading = threading.Thread(target=reload)
            reloading.start()
            response = self.admin_get("/debug/top?seconds=2&hz=1000", server)
            done.set()
            reloading.join()
        self.assertEqual(response.status, 200, response)
        self.assertIn(f"app.lua:{LINES['compiled']}", response.text)
        self.assertEqual(load.statuses, {200})

    def test_two_recordings_at_once_both_see_it(self):
        found = []
        with Load(self.server, "/compiled"):
            both = [threading.Thread(target=lambda hz=hz: found.append(self.stacks(1, hz))) for hz in (50, 500)]
            for thread in both:
                thread.start()
            for thread in both:
                thread.join()
        self.assertEqual(len(found), 2)
        for stacks in found:
            self.assertGreaterEqual(self.share_of_line(stacks, LINES["compiled"]), 0.9, stacks)

    def test_a_client_that_leaves_half_way_harms_nobody(self):
        with self.server.admin() as client:
            client.send(b"GET /debug/folded?seconds=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        with Load(self.server, "/compiled"):
            self.assertGreaterEqual(self.share_of_line(self.stacks(1), LINES["compiled"]), 0.9)

    def test_absurd_parameters_are_refused(self):
        for query in ("seconds=0", "seconds=601", "seconds=-1", "seconds=nan", "seconds=x", "hz=0", "hz=1001", "hz=1.5",
                      "type=gpu"):
            self.assert_problem(self.admin_get(f"/debug/folded?{query}"), 400)
        self.assert_problem(self.admin_get("/debug/pprof/heap"), 400)

    def test_stopping_does_not_wait_for_a_recording(self):
        server = self.start(APP)
        with server.admin() as client:
            client.send(b"GET /debug/folded?seconds=600 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            self.assertEqual(server.get("/").status, 200)
            server.stop()

    def test_the_command_prints_a_table_and_writes_files(self):
        admin = "{}:{}".format(*self.server.admin_address)
        with Load(self.server, "/compiled"), tempfile.TemporaryDirectory() as folder:
            def profile(*words):
                return run_perigee("profile", "--admin", admin, "--seconds", "1", *words, cwd=folder)

            table = profile("--hz", "250")
            self.assertEqual(table.returncode, 0, table.stderr)
            self.assertRegex(table.stdout.splitlines()[3], rf"compiled_loop +\S*app\.lua:{LINES['compiled']}$")
            for name in ("a.pb.gz", "a.folded", "a.html"):
                result = profile("-o", name)
                self.assertEqual(result.returncode, 0, result.stderr)
            path = pathlib.Path(folder)
            self.assertIn(b"compiled_loop", gzip.decompress((path / "a.pb.gz").read_bytes()))
            self.assertIn("compiled_loop", (path / "a.folded").read_text())
            self.assertIn("compiled_loop", (path / "a.html").read_text())
            nobody = run_perigee("profile", "--admin", f"127.0.0.1:{free_port()}", "-o", "b.pb.gz", cwd=folder)
            self.assertEqual(nobody.returncode, 1)
            self.assertFalse((path / "b.pb.gz").exists())
            refused = profile("-o", "missing/a.pb.gz")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("missing/a.pb.gz can't be written", refused.stderr)

    def test_pprof_reads_what_is_recorded(self):
        go = shutil.which("go")
        self.assertIsNotNone(go, "this test needs Go's pprof (Debian: golang-go); ./dev test installs it")
        with Load(self.server, "/compiled"), tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "cpu.pb.gz"
            response = self.admin_get("/debug/pprof/profile?seconds=1&hz=250")
            file.write_bytes(response.body)

            def pprof(*words):
                environment = {**os.environ, "HOME": folder, "PPROF_TMPDIR": folder}
                result = subprocess.run([go, "tool", "pprof", *words, str(file)], capture_output=True, text=True, timeout=60,
                                        cwd=self.server.directory, env=environment, check=False)
                self.assertEqual(result.returncode, 0, result.stderr)
                return result.stdout

            self.assertRegex(pprof("-top", "-nodecount=3"), r"compiled_loop")
            self.assertIn("x = (x + i * 3) % 1000003 -- LINE compiled", pprof("-list", "compiled_loop"))
            self.assertIn("compiled_loop", pprof("-top", "-tagfocus=worker=worker-1"))
            self.assertNotIn("compiled_loop", pprof("-top", "-tagfocus=worker=worker-9"))
            self.assertIn("flat%", pprof("-top", "-diff_base", str(file)))
            self.assertIn("state: Total", pprof("-tags"))
            port = free_port()
            serving = subprocess.Popen([go, "tool", "pprof", "-no_browser", f"-http=127.0.0.1:{port}", str(file)], text=True,
                                       stderr=subprocess.PIPE, env={**os.environ, "HOME": folder, "PPROF_TMPDIR": folder})
            try:
                next(line for line in serving.stderr if "Serving web UI" in line)
                wait_until(lambda: answers(port), "pprof")  # it says that it serves a little early
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/ui/top", timeout=30) as page:
                    self.assertIn("compiled_loop", page.read().decode())
            finally:
                serving.terminate()
                serving.communicate()


if __name__ == "__main__":
    unittest.main()
