"""What memory comes to. Not for sanitizers: they keep freed memory, and end the process where there is none."""

import pathlib
import re
import resource
import unittest

from harness import ServerCase

GREEDY = """
local perigee = require "perigee"
local app = perigee.app()
app:get("/small", function() local list = {} for i = 1, 1e9 do list[i] = { i } end return list end)
app:get("/large", function() local list = {} for i = 1, 1e9 do list[i] = ("x"):rep(50000) .. i end return list end)
app:get("/string", function() return ("x"):rep(1900000000) end)
app:get("/fine", function() return "fine" end)
return app
"""

MILLION = """
local perigee = require "perigee"
local app, d = perigee.app(), perigee.shared("d")
app:get("/million/{part:integer}", function(req)
  for i = 1, 100000 do d:set("million" .. req.params.part .. ":" .. i, i) end
  return tostring(d:count())
end)
return app
"""


class OutOfMemory(ServerCase):
    def test_a_handler_that_takes_all_memory_is_a_500_and_gives_it_back(self):
        self.take_all_memory(GREEDY)

    def test_within_middleware_it_is_one_too(self):
        self.take_all_memory(GREEDY.replace("return app", """
            for _ = 1, 3 do app:use(function(req, inner) local res = inner(req) return res end) end
            return app"""))

    def take_all_memory(self, app):
        settings = {"limits.cpu": 0, "limits.memory": 0, "limits.vm_memory": 0, "limits.vm_memory_most": 0}
        server = self.start(app, settings=settings)
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        limit = int(re.search(r"VmSize:\s+(\d+) kB", status).group(1)) * 1024 + 256 * 2**20
        resource.prlimit(server.pid, resource.RLIMIT_AS, (limit, limit))
        for path in ("/string", "/small", "/large") * 3:
            with self.subTest(path=path):
                self.assert_problem(server.get(path), 500)
                self.assertEqual(server.get("/fine").text, "fine")
        server.stderr.wait("not enough memory for the handler at .*app.lua", count=9)


class Uploads(ServerCase):
    def test_uploads_in_crowds_leave_no_memory_behind(self):
        server = self.start("""
            local perigee = require "perigee"
            local app = perigee.app()
            app:post("/", function(req) perigee.sleep(0.3) return "taken" end)
            return app""")
        before = server.resident()
        clients = [self.enterContext(server.client()) for _ in range(300)]
        for client in clients:
            client.send_request("POST", "/", body=b"x" * 900_000)
        for client in clients:
            self.assertEqual(client.read_response().text, "taken")
        self.assertLess(server.resident() - before, 64 * 2**20)


class Dictionaries(ServerCase):
    def test_a_million_keys_stay_within_the_bound(self):
        server = self.start(MILLION, config='[shared.d]\nsize = "8MiB"\n', workers=2)
        server.get("/million/0")
        before = server.resident()
        for part in range(1, 10):
            count = int(server.get(f"/million/{part}").text)
        self.assertLess(count, 100_000)
        self.assertLess(server.resident() - before, 30 << 20)


if __name__ == "__main__":
    unittest.main()
