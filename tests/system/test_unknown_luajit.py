"""A LuaJIT that is unknown, in one part or in all: the server says so, serves, and profiles as well as it can."""

import collections
import json
import os
import unittest

from harness import ServerCase, run_perigee
from pprof import Pprof
from test_profile import APP as HOT_SPOTS
from test_profile import LINES, Load

# A stay in compiled code is told of when it is over: these are short.
APP = HOT_SPOTS.replace('app:get("/",', """
app:get("/litter", function() return tostring(#garbage(2e3)) end)
app:get("/inner", function()
  return coroutine.wrap(function() return tostring(select(2, pcall(compiled_loop, 2e5))) end)()
end)
app:get("/",""")

PARTS = ("interrupt", "state", "collector", "instruction")
SAID = {
    "interrupt": "how compiled code is brought back to the interpreter was not found: profiles charge compiled code to the",
    "state": "where a VM keeps what it does was not found: profiles tell neither",
    "collector": "where a VM keeps what its garbage collector does, or which coroutine runs was not found: a large block",
    "instruction": "where a coroutine keeps its next instruction was not found: profiles may charge",
}
LOOP = LINES["compiled"] - 1  # where the trace of that loop starts


class UnknownLuajit(ServerCase):
    APP = APP

    def serve(self, *unknown, **options):
        options = {"settings": {"limits.cpu": 0}, "env": {"PERIGEE_UNKNOWN_LUAJIT": ",".join(unknown)}, **options}
        return self.start(APP, **options)

    def ask(self, server, target):
        with server.admin() as client:
            response = client.request("GET", target, host="127.0.0.1")
        self.assertEqual(response.status, 200, response)
        return response

    def innermost(self, server, path, line, kind="cpu", seconds=1, hz=250):
        """The function that most of the time below handlers is charged to itself, and the share of the line given."""
        with Load(server, path) as load:
            text = self.ask(server, f"/debug/folded?seconds={seconds}&hz={hz}&type={kind}").text
        self.assertEqual(load.statuses, {200})
        own, named, total = collections.Counter(), 0, 0
        for row in text.splitlines():
            stack, value = row.rsplit(" ", 1)
            frames = [frame for frame in stack.split(";") if "app.lua:" in frame]
            if frames and not stack.startswith("admin;"):
                own[frames[-1]] += int(value)
                total += int(value)
                named += int(value) if frames[-1].endswith(f"app.lua:{line}") else 0
        self.assertGreater(total, 0, text)
        return own.most_common(1)[0][0], named / total

    def test_a_known_one_is_not_talked_about(self):
        server = self.serve()
        self.assertNotIn("unknown", server.stderr.text)
        self.assertNotIn("unknown", self.ask(server, "/debug/top?seconds=0.1").text)

    def test_each_part_is_told_by_itself_in_the_log_and_by_check(self):
        for unknown in [(part,) for part in PARTS] + [PARTS]:
            server = self.serve(*unknown)
            warnings = server.stderr.lines("this LuaJIT is an unknown one")
            checked = run_perigee("check", "--app", server.app_path,
                                  env={**os.environ, "PERIGEE_UNKNOWN_LUAJIT": ",".join(unknown)})
            self.assertEqual(checked.returncode, 0, checked.stderr)
            for said in (warnings, checked.stderr.splitlines()):
                self.assertEqual(len(said), len(unknown), said)
                for part, line in zip(unknown, said, strict=True):
                    self.assertIn(SAID[part], line)
            self.assertIn("warn", warnings[0])

    def test_profiles_of_each_form_say_so(self):
        server = self.serve(*PARTS)
        said = SAID["interrupt"]
        admin = "{}:{}".format(*server.admin_address)
        self.assertIn(said, run_perigee("profile", "--admin", admin, "--seconds", "0.1").stdout)
        self.assertIn(said, " ".join(json.loads(self.ask(server, "/debug/flame.json?seconds=0.1").body)["comments"]))
        self.assertIn(said, self.ask(server, "/debug/flame.html?seconds=0.1").text)
        self.assertTrue(any(said in text for text in Pprof(self.ask(server, "/debug/pprof/allocs?seconds=0.1").body).comments))
        self.assertNotIn(said, self.ask(server, "/debug/top?seconds=0.1&type=wait").text)

    def test_answers_are_the_same_where_tables_and_stacks_are_not_known(self):
        app = APP.replace('app:get("/",', """
          local perigee = require "perigee"
          local rows = { { id = 1, name = "a\\n" }, { id = 2.5, list = { true, perigee.null, perigee.array {} } } }
          app:get("/rows", function() return { rows = rows, deep = { { { { {} } } } } } end)
          app:get("/text", function() return perigee.encode(rows) end)
          app:get("/wrong", function() return { rows = { 1, print } } end)
          app:get("/",""")
        answers = []
        for unknown in ("", "table", "stack", "table,stack"):
            server = self.start(app, env={"PERIGEE_UNKNOWN_LUAJIT": unknown})
            answers.append([server.get("/rows").json(), json.loads(server.get("/text").body), server.get("/").text])
            self.assertEqual(server.get("/wrong").status, 500)
            server.stderr.wait(r"a function at \$\.rows\[2\] can't be written as JSON")
            self.assertNotIn("unknown", server.stderr.text)
        self.assertEqual(answers[1:], [answers[0]] * 3)
        self.assertEqual(answers[0][0]["rows"][1], {"id": 2.5, "list": [True, None, []]})

    def test_a_compiled_loop_is_charged_to_where_its_trace_starts(self):
        for unknown in (("interrupt",), ("interrupt", "state"), PARTS):
            server = self.serve(*unknown, workers=2)
            self.assertEqual(server.get("/brief").status, 200)
            for path in ("/brief", "/inner"):
                name, share = self.innermost(server, path, LOOP)
                self.assertRegex(name, rf"^compiled_loop \[trace\] \S*app\.lua:{LOOP}$", (unknown, path))
                self.assertGreaterEqual(share, 0.7, (unknown, path))

    def test_the_labels_of_a_trace_are_those_of_compiled_code(self):
        for unknown in (("interrupt",), PARTS):
            server = self.serve(*unknown)
            with Load(server, "/brief"):
                profile = Pprof(self.ask(server, "/debug/pprof/profile?seconds=1&hz=250").body)
            found = [labels for stack, labels, _ in profile.samples if stack and "[trace]" in str(stack[0])]
            self.assertTrue(found, unknown)
            for labels in found:
                self.assertEqual(labels["state"], "compiled")
                self.assertGreaterEqual(int(labels["trace"]), 1)
            self.assertIn("GET /brief", {labels.get("route") for labels in found})

    def test_interpreted_code_and_functions_in_c_stay_exact(self):
        for unknown in (("interrupt",), ("interrupt", "state")):
            server = self.serve(*unknown)
            for path in ("interpreted", "native"):
                _, share = self.innermost(server, "/" + path, LINES[path])
                self.assertGreaterEqual(share, 0.7, (unknown, path))

    def test_compiled_code_stays_exact_without_the_other_parts(self):
        server = self.serve("state", "collector", "instruction")
        _, share = self.innermost(server, "/brief", LINES["compiled"])
        self.assertGreaterEqual(share, 0.7)

    def test_what_a_trace_allocates_is_charged_to_its_start(self):
        for unknown in (("interrupt",), PARTS):
            server = self.serve(*unknown)
            self.assertEqual(server.get("/litter").status, 200)
            name, _ = self.innermost(server, "/litter", LINES["garbage"] - 1, kind="alloc")
            self.assertRegex(name, rf"app\.lua:{LINES['garbage'] - 1}$", unknown)

    def test_interpreted_code_is_still_stopped_while_it_is_recorded(self):
        endless = APP.replace('app:get("/",', """
          local function endless() while true do end end
          jit.off(endless)
          app:get("/endless", endless)
          app:get("/",""")
        for unknown in (("interrupt",), PARTS):
            server = self.start(endless, settings={"limits.cpu": 0.2}, env={"PERIGEE_UNKNOWN_LUAJIT": ",".join(unknown)})
            with Load(server, "/endless", 1) as load:
                text = self.ask(server, "/debug/top?seconds=1&hz=1000").text
            self.assertEqual(load.statuses, {503})
            self.assertIn("endless  ", text)
            self.assertEqual(server.get("/").status, 200)

    def test_a_thousand_samples_a_second_harm_nobody(self):
        churn = APP.replace('app:get("/",', """
          app:get("/churn", function()
            local n = 0
            for i = 1, 20 do
              local f = loadstring("local n = ... for i = 1, 200 do n = n + i % 3 end return n")
              n = n + f(i) + #string.format("%s", {})
            end
            require("jit").flush()
            return tostring(n)
          end)
          app:get("/",""")
        for unknown in [(part,) for part in PARTS] + [("interrupt", "state"), PARTS]:
            server = self.start(churn, workers=2, settings={"limits.cpu": 0},
                                env={"PERIGEE_UNKNOWN_LUAJIT": ",".join(unknown)})
            with Load(server, "/churn") as churned, Load(server, "/garbage", 2) as load, Load(server, "/coroutine", 2):
                for kind in ("cpu", "alloc", "block"):
                    self.ask(server, f"/debug/folded?seconds=0.7&hz=1000&type={kind}")
                server.reload()
                self.ask(server, "/debug/folded?seconds=0.5&hz=1000")
            self.assertEqual(churned.statuses | load.statuses, {200}, unknown)
            self.assertNotIn("VM handler failed", server.stderr.text)
            server.stop()


if __name__ == "__main__":
    unittest.main()
