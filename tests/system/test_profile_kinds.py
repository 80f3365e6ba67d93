"""Profiles of allocation, waits and stops: what was planted is named, with its share."""

import threading
import time

from harness import ServerCase
from pprof import Pprof
from test_profile import Load

APP = """
local perigee = require "perigee"
local ffi = require "ffi"
ffi.cdef "int system(const char*);"
local app = perigee.app()

local TEXT = ("x"):rep(1000)

local function little(n)
  local kept
  for i = 1, n do
    local pair = { i } -- LINE little
    kept = pair
  end
  return kept
end

local function much(n)
  local kept
  for i = 1, n do
    kept = TEXT .. i -- LINE much
  end
  return kept
end

local function stored(n)
  local pair = {}
  for i = 1, n do
    pair.x = { i, { i } } -- LINE stored
    pair.y = i
  end
  return pair
end

local function interpreted(n)
  local kept
  for i = 1, n do
    kept = { i, i, i, i, i, i, i, i } -- LINE interpreted
    kept[1] = i
  end
  return kept
end
jit.off(interpreted)

app:get("/much", function() return tostring(#much(2000)) .. tostring(#little(2000)) end)
app:get("/stored", function() return tostring(stored(20000).y) end)
app:get("/rep/{n:integer}", function(req)
  local text = ("y"):rep(100000 + req.params.n) -- LINE rep
  return tostring(#text)
end)
app:get("/tables", function() return tostring(#interpreted(4000)) end)

local function upstream(n)
  local res = perigee.http.get(perigee.config.upstream .. "/nap/" .. n) -- LINE upstream
  return res.body
end

app:get("/nap/{ms:integer}", function(req)
  perigee.sleep(req.params.ms / 1000) -- LINE nap
  return "rested"
end)
app:get("/call/{ms:integer}", function(req) return upstream(req.params.ms) end)
app:get("/inner", function()
  return coroutine.wrap(function()
    perigee.sleep(0.2) -- LINE inner
    return "inner"
  end)()
end)

app:get("/stop", function()
  os.execute("sleep 0.2") -- LINE execute
  return "stopped"
end)
app:get("/foreign", function()
  local before = 1
  ffi.C.system("sleep 0.1") -- LINE foreign
  local after = before
  return tostring(after)
end)
local function spin(seconds)
  local over = os.clock() + seconds
  local x = 0
  while os.clock() < over do
    for i = 1, 1000000 do
      x = (x + i) % 7 -- LINE spin
    end
  end
  return x
end
app:get("/spin", function() return tostring(spin(0.1)) end)
app:get("/fail", function() error("planned") end)
app:get("/", function() return "hello" end)
return app
"""

LINES = {line.split("-- LINE ")[1]: number for number, line in enumerate(APP.splitlines(), 1) if "-- LINE " in line}


class Kinds(ServerCase):
    APP = APP
    WORKERS = 1
    SETTINGS = {"limits.cpu": 0, "log.level": "error"}

    def record(self, kind, seconds=1.0, hz=99, server=None):
        with (server or self.server).admin() as client:
            response = client.request("GET", f"/debug/pprof/{kind}?seconds={seconds}&hz={hz}", host="127.0.0.1")
        self.assertEqual(response.status, 200, response)
        return Pprof(response.body)

    def share(self, profile, line, samples=None):
        """The part of all that was spent in stacks through the line."""
        samples = profile.samples if samples is None else samples
        total = sum(value for _, _, value in samples)
        self.assertGreater(total, 0, profile.samples)
        through = sum(value for stack, _, value in samples
                      if any(file.endswith("app.lua") and number == LINES[line] for _, file, number in stack))
        return through / total

    def hottest(self, profile):
        """The innermost frame with most."""
        sums = {}
        for stack, _, value in profile.samples:
            sums[stack[0]] = sums.get(stack[0], 0) + value
        return max(sums, key=sums.get)


class Allocation(Kinds):
    def test_the_line_that_allocates_is_named_with_its_bytes(self):
        with Load(self.server, "/much"):
            profile = self.record("allocs")
        self.assertEqual(profile.types, ["alloc_objects", "alloc_space"])
        self.assertEqual(self.hottest(profile)[2], LINES["much"])
        self.assertGreater(self.share(profile, "much"), 0.75)
        routed = sum(value for _, labels, value in profile.samples if labels.get("route") == "GET /much")
        self.assertGreater(routed, 0.75 * sum(value for _, _, value in profile.samples))

    def test_a_compiled_line_that_stores_what_it_allocates_is_named_and_not_the_next(self):
        with Load(self.server, "/stored"):
            profile = self.record("allocs")
        self.assertGreater(self.share(profile, "stored"), 0.9)
        self.assertEqual(self.hottest(profile)[2], LINES["stored"])

    def test_an_interpreted_line_that_allocates_is_named_and_not_the_next(self):
        with Load(self.server, "/tables"):
            profile = self.record("allocs")
        self.assertGreater(self.share(profile, "interpreted"), 0.9)
        self.assertEqual(self.hottest(profile)[2], LINES["interpreted"])

    def test_a_function_in_c_that_allocates_has_the_place_of_its_caller(self):
        server = self.start(APP, workers=1, settings={"limits.cpu": 0})
        with server.admin() as client:
            client.send(b"GET /debug/pprof/allocs?seconds=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            for n in range(200):
                self.assertEqual(server.get(f"/rep/{n}").status, 200)
            profile = Pprof(client.read_response().body)
        self.assertGreater(self.share(profile, "rep"), 0.9)
        self.assertEqual(self.hottest(profile)[2], LINES["rep"])

    def test_the_sum_is_what_was_allocated(self):
        server = self.start(APP, workers=1, settings={"limits.cpu": 0})
        with server.admin() as client:
            client.send(b"GET /debug/pprof/allocs?seconds=5 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            self.record("allocs", 0.1, server=server)  # one after the other: the first has begun
            for _ in range(50):
                self.assertEqual(server.get("/tables").status, 200)
                time.sleep(0.01)  # the recorder keeps up
            profile = Pprof(client.read_response().body)
        spent = sum(value for _, _, value in profile.samples) * self.share(profile, "interpreted")
        true = 50 * 4000 * (64 + 9 * 8)  # a table, and an array of 0 to 8
        self.assertGreater(spent / true, 0.8)
        self.assertLess(spent / true, 1.2)

    def test_a_reload_meanwhile_is_recorded_too(self):
        server = self.start(APP, workers=1, settings={"limits.cpu": 0})
        with Load(server, "/much"):
            found = []
            recording = threading.Thread(target=lambda: found.append(self.record("allocs", 1.5, server=server)))
            recording.start()
            server.reload()
            server.reload()
            recording.join()
        self.assertGreater(self.share(found[0], "much"), 0.75)


class Waits(Kinds):
    def test_a_wait_is_charged_to_its_line_operation_and_route(self):
        with Load(self.server, "/nap/20", 4):
            profile = self.record("wait")
        self.assertEqual(profile.types, ["waits", "delay"])
        self.assertEqual(self.hottest(profile)[0::2], ("[perigee.sleep]", LINES["nap"]))
        self.assertGreater(self.share(profile, "nap"), 0.75)
        spent = sum(value for _, labels, value in profile.samples if labels.get("route") == "GET /nap/{ms:integer}")
        self.assertGreater(spent, 2.0e9)  # of 4 s: four clients, always waiting
        self.assertLess(spent, 4.1e9)

    def test_a_slow_upstream_is_named_with_its_peer(self):
        upstream = "http://{}:{}".format(*self.server.address)
        server = self.start(APP, workers=1, settings={"app.upstream": upstream})
        with Load(server, "/call/50", 4), Load(server, "/nap/1", 1):
            profile = self.record("wait", server=server)
        called = [sample for sample in profile.samples if sample[1]["operation"] == "perigee.http"]
        self.assertEqual({sample[1]["peer"] for sample in called}, {upstream.removeprefix("http://")})
        self.assertEqual(self.share(profile, "upstream", called), 1)
        self.assertEqual(self.hottest(profile)[2], LINES["upstream"])

    def test_a_wait_in_a_coroutine_of_the_programs_has_its_whole_stack(self):
        with Load(self.server, "/inner", 2):
            profile = self.record("wait")
        self.assertGreater(self.share(profile, "inner"), 0.5)

    def test_what_began_before_and_lasts_longer_counts_as_far_as_it_was_seen(self):
        with self.server.client() as client:
            client.send(b"GET /nap/1500 HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(self.server.get("/").status, 200)
            profile = self.record("wait", 0.5)
            self.assertEqual(client.read_response().status, 200)
        spent = sum(value for _, labels, value in profile.samples if labels.get("route") == "GET /nap/{ms:integer}")
        self.assertGreater(spent, 0.45e9)
        self.assertLess(spent, 0.75e9)
        self.assertEqual(self.share(profile, "nap"), 1)

    def test_totals_are_kept_always(self):
        self.assertEqual(self.server.get("/nap/20").status, 200)
        with self.server.admin() as client:
            page = client.request("GET", "/metrics", host="127.0.0.1").text
        self.assertRegex(page, r'perigee_waits_total\{operation="perigee.sleep",peer=""\} [1-9]')
        self.assertRegex(page, r'perigee_wait_seconds_total\{operation="perigee.sleep",peer=""\} [0-9.]+')


class Stops(Kinds):
    def stops(self, path, line, clients=1, hz=99):
        with Load(self.server, path, clients):
            profile = self.record("block", 1.5, hz)
        self.assertEqual(profile.types, ["stops", "delay"])
        long = [sample for sample in profile.samples if sample[1]["stop"] == "50 ms or more" and sample[0]]
        # Not all: the last stop may not be over yet, and a line's neighbour may be met.
        self.assertGreater(self.share(profile, line, long), 0.6, profile.samples)
        return profile, sum(value for _, _, value in long)

    def test_a_program_that_is_run_is_named_by_its_line(self):
        profile, spent = self.stops("/stop", "execute")
        self.assertGreater(spent, 0.9e9)  # of 1.5 s in which the worker does nothing else
        self.assertLess(spent, 1.6e9)
        self.assertTrue(any(labels.get("route") == "GET /stop" for _, labels, _ in profile.samples), profile.samples)

    def test_a_foreign_function_that_sleeps_is_named_by_its_line(self):
        self.stops("/foreign", "foreign")

    def test_a_long_computation_is_named_by_its_line(self):
        self.stops("/spin", "spin")

    def test_what_does_not_stop_the_worker_is_no_stop(self):
        with Load(self.server, "/"):
            profile = self.record("block")
        self.assertLess(sum(value for _, _, value in profile.samples), 0.3e9, profile.samples)
