"""limits.time: whatever a handler waits for, it ends with a 503 whose traceback says where."""

import os
import re
import socket
import tempfile
import threading
import unittest

from harness import PATIENCE, Server, ServerCase
from peers import Peer

# What each handler waits in, on line 2 of its chunk. PORT never answers, UDP and PATH neither.
WAITS = {
    "sleep": "perigee.sleep(60)",
    "sleep-in-pcall": "local ok, err = pcall(perigee.sleep, 60) error(err, 0)",
    "task": "perigee.spawn(perigee.sleep, 60):wait()",
    "own-task": "req:spawn(perigee.sleep, 60):wait()",
    "all": "perigee.all { function() perigee.sleep(60) end, function() perigee.sleep(60) end }",
    "semaphore": "taken:acquire()",
    "fetch": "perigee.shared('x'):fetch('key', 60, function() perigee.sleep(60) return 1 end)",
    "joined-fetch": "perigee.shared('x'):fetch('busy', 60, function() return 1 end)",
    "coroutine": "coroutine.wrap(function() perigee.sleep(60) end)()",
    "iterator": "for _ in coroutine.wrap(function() perigee.sleep(60) end) do break end",
    "tcp-receive": "local s = perigee.socket.tcp() assert(s:connect('127.0.0.1', PORT)) s:settimeout(60) assert(s:receive(1))",
    "tcp-until": "local s = perigee.socket.tcp() assert(s:connect('127.0.0.1', PORT)) s:settimeout(60) assert(s:receiveuntil('x')())",
    "tcp-send": "local s = perigee.socket.tcp() assert(s:connect('127.0.0.1', PORT)) s:settimeout(60) assert(s:send(('x'):rep(2e7)))",
    "tls": "local s = perigee.socket.tcp() s:settimeout(60) assert(s:connect('127.0.0.1', PORT)) assert(s:sslhandshake())",
    "unix": "local s = perigee.socket.unix() assert(s:connect('PATH')) s:settimeout(60) assert(s:receive(1))",
    "udp": "local s = perigee.socket.udp() assert(s:connect('127.0.0.1', UDP)) s:settimeout(60) assert(s:receive())",
    "http": "assert(perigee.http.get('http://127.0.0.1:PORT/', { timeout = 60 }))",
}

APP = """
local perigee = require "perigee"
local app = perigee.app()
local taken = perigee.semaphore(1)
app:start(function()
  taken:acquire()
  perigee.spawn(function() perigee.shared("x"):fetch("busy", 60, function() perigee.sleep(60) return 1 end) end)
end)
app:get("/", function() return "fine" end)
app:get("/stubborn", function()
  local begun = perigee.monotonic()
  while perigee.monotonic() - begun < 2 do pcall(perigee.sleep, 60) perigee.shield(perigee.sleep, 0.01) end
end)
app:get("/shielded", function()
  perigee.shield(perigee.sleep, 2)
end)
"""


class TimeLimits(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        over = threading.Event()
        cls.addClassCleanup(over.set)
        peer = Peer(lambda connection, number: over.wait(PATIENCE))
        cls.addClassCleanup(peer.close)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        cls.addClassCleanup(udp.close)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        path = os.path.join(folder.name, "peer")
        local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        local.bind(path)
        local.listen(10)
        cls.addClassCleanup(local.close)
        app = APP
        cls.lines = {}
        for name, body in WAITS.items():
            body = body.replace("PORT", str(peer.port)).replace("UDP", str(udp.getsockname()[1])).replace("PATH", path)
            app += f'app:get("/{name}", function(req) local _ = req\n  {body}\n  return "waited" end)\n'
            cls.lines[name] = app.count("\n") - 1
        cls.server = Server(app + "return app\n", settings={"limits.time": 0.1})
        cls.addClassCleanup(cls.server.stop)

    def test_every_wait_ends_with_it(self):
        clients = {}
        for name in WAITS:
            clients[name] = self.connect()
            clients[name].send_request("GET", f"/{name}")
        for name, client in clients.items():
            with self.subTest(wait=name):
                problem = self.assert_problem(client.read_response(), 503)
                self.assertEqual(problem["detail"], "the handler was over its time limit")
                line = self.server.stderr.wait(f"error .{problem['request_id']}. .*").group(0)
                self.assertIn("over the time limit", line)
                self.assertRegex(line, f"app.lua:{self.lines[name]}: in function|app.lua:{self.lines[name]}:")
                self.assertIn("stack traceback", line)
        self.assertEqual(self.get("/").text, "fine")

    def test_one_that_goes_on_is_answered_without_it_and_the_log_says_where_it_is(self):
        for path in ("/stubborn", "/shielded"):
            with self.subTest(path=path):
                self.assert_problem(self.get(path), 503)
                found = self.server.stderr.wait(f"a handler goes on after its time limit: {path}.*stack traceback.*")
                self.assertTrue(re.search(r"app.lua:\d+: in function", found.group(0)), found.group(0))
        self.assertEqual(self.get("/").text, "fine")


if __name__ == "__main__":
    unittest.main()
