"""`perigee profile --table`: every call is counted, and what was never called is told."""

import re
import threading

from harness import ServerCase, run_perigee

APP = """
local perigee = require "perigee"
local app = perigee.app()

local function leaf(i)
  return { i }
end

local function busy(n)
  local kept
  for i = 1, n do
    kept = leaf(i)
  end
  return #kept
end

local function never()
  return "never"
end

app:get("/busy", function() return tostring(busy(1000)) end)
app:get("/never", function() return never() end)
app:get("/", function() return "hello" end)
return app
"""


class Table(ServerCase):
    APP = APP
    WORKERS = 2
    SETTINGS = {"limits.cpu": 0}

    def counted(self, requests, seconds="1.5"):
        admin = "{}:{}".format(*self.server.admin_address)
        found = []
        command = threading.Thread(target=lambda: found.append(
            run_perigee("profile", "--table", "--admin", admin, "--seconds", seconds)))
        command.start()
        over = threading.Event()
        sent = 0
        while command.is_alive() and not over.wait(0.05):
            for _ in range(requests):
                self.assertEqual(self.server.get("/busy").status, 200)
                sent += 1
        command.join()
        self.assertEqual(found[0].returncode, 0, found[0].stderr)
        return found[0].stdout, sent

    def test_calls_time_and_allocation_of_each_function_and_those_never_called(self):
        text, sent = self.counted(2)
        lines = text.splitlines()
        self.assertRegex(lines[0], r"^ +seconds \| +gc \| +consed \| +calls \| +sec/call \| name$")
        rows = {re.split(r"  +", line.split("|")[5].strip())[0]: [part.strip().replace(",", "") for part in line.split("|")]
                for line in lines if line.count("|") == 5}
        calls = int(rows["busy"][3])
        self.assertGreater(calls, 0)
        self.assertLessEqual(calls, sent)
        self.assertEqual(int(rows["leaf"][3]), 1000 * calls)
        self.assertGreaterEqual(int(rows["leaf"][2]), 64 * 1000 * calls)
        self.assertIn("total", rows)
        uncalled = text.split("These functions were never called:\n")[1]
        self.assertIn(" never  ", uncalled)
        self.assertIn(' get "/never"  ', uncalled)
        self.assertNotIn(" leaf ", uncalled)

    def test_two_at_once_come_one_after_the_other_and_nothing_stays_behind(self):
        found = []
        both = [threading.Thread(target=lambda: found.append(self.counted(1, "0.5"))) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        self.assertEqual(len(found), 2)
        for text, _ in found:
            self.assertRegex(text, r"\| busy +\S*app\.lua:")

    def test_who_leaves_ends_the_count_begun_or_not(self):
        clients = [self.server.admin() for _ in range(3)]
        for client in clients:
            client.send(b"GET /debug/calls?seconds=600 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for client in reversed(clients):
            client.abort()
        text, sent = self.counted(1, "0.5")  # it would wait for the others
        self.assertRegex(text, r"\| busy +\S*app\.lua:")
        self.assertGreater(sent, 0)

    def test_a_reload_meanwhile_ends_the_count_of_the_old_app(self):
        admin = "{}:{}".format(*self.server.admin_address)
        found = []
        command = threading.Thread(target=lambda: found.append(
            run_perigee("profile", "--table", "--admin", admin, "--seconds", "1")))
        command.start()
        self.server.reload()
        self.assertEqual(self.server.get("/busy").status, 200)
        command.join()
        self.assertEqual(found[0].returncode, 0, found[0].stderr)
        self.assertIn("| total", found[0].stdout)

    def test_a_file_named_as_a_profile_is_refused(self):
        refused = run_perigee("profile", "--table", "--admin", "127.0.0.1:1", "-o", "calls.pb.gz")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--table writes text", refused.stderr)

    def test_absurd_parameters_are_refused(self):
        with self.server.admin() as client:
            for query in ("seconds=0", "seconds=601", "seconds=x"):
                self.assert_problem(client.request("GET", f"/debug/calls?{query}", host="127.0.0.1"), 400)
