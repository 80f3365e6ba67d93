"""Starting and stopping."""

import pathlib
import signal
import socket
import tempfile
import time
import unittest

from harness import SLOW, Closed, ServerCase, request_bytes, run_perigee, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
local waiting, spun = 0, 0
app:get("/", function() return "root" end)
app:get("/sleep/{seconds:number}", function(req)
  waiting = waiting + 1
  perigee.sleep(req.params.seconds)
  waiting = waiting - 1
  return "slept"
end)
-- Keeps the worker from when it has taken `took` away until `free` is there.
app:get("/block", { limits = { cpu = 60, time = 60 } }, function(req)
  os.remove(req.query.took)
  local free
  repeat free = io.open(req.query.free) until free
  free:close()
  return "blocked"
end)
app:get("/stream", function()
  return perigee.stream(function(write)
    for i = 1, 5 do write("piece " .. i .. " ") perigee.sleep(0.05) end
  end)
end)
app:post("/", function(req) return req.body end)
app:get("/waiting", function() return tostring(waiting) end)
app:get("/respawning", function()
  local function again() pcall(perigee.sleep, 0.01) perigee.spawn(again) end
  perigee.spawn(again)
  return "begun"
end)
app:get("/stubborn", function()
  perigee.spawn(function() while true do pcall(perigee.sleep, 0.01) end end)
  return "begun"
end)
app:get("/stubborn-handler", function()
  waiting = waiting + 1
  while true do pcall(perigee.sleep, 0.01) end
end)
app:get("/stubborn-stream", function()
  return perigee.stream(function(write)
    write("begun")
    while true do pcall(perigee.sleep, 0.01) end
  end)
end)
app:get("/spin", function() while true do spun = spun + 1 end end)
app:stop(function() print("the stop hook ran") end)
return app
"""


class Stopping(ServerCase):
    def waits(self, server, count=1):
        wait_until(lambda: server.get("/waiting").text == str(count), "the handlers to wait")

    def test_sigterm_and_sigint_end_with_0_and_run_the_stop_hook(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.start(APP)
            self.assertEqual(server.get("/").text, "root")
            server.stop(number)
            self.assertIn("the stop hook ran", server.stderr.text)

    def test_what_is_in_flight_finishes_and_says_close(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.start(APP)
            clients = [self.connect(server) for _ in range(6)]
            for client in clients:
                client.send_request("GET", "/sleep/0.5")
            self.waits(server, 6)
            server.signal(number)
            for client in clients:
                response = client.read_response()
                self.assertEqual((response.status, response.text), (200, "slept"))
                self.assertTrue(response.closes)
                self.assertTrue(client.closed())
            self.assertEqual(server.wait_exit(), 0)

    def test_a_stream_in_flight_is_sent_to_its_end(self):
        server = self.start(APP)
        with server.client() as client:
            client.send_request("GET", "/stream")
            head = client.read_head()
            self.assertEqual(head.status, 200)
            server.signal(signal.SIGTERM)
            rest = client.read_to_end()
            self.assertIn(b"piece 5", rest)
            self.assertTrue(rest.endswith(b"0\r\n\r\n"))
        self.assertEqual(server.wait_exit(), 0)

    def test_an_upload_in_flight_is_taken_to_its_end(self):
        server = self.start(APP)
        with server.client() as client, server.client() as witness:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234")
            witness.get("/")
            server.signal(signal.SIGTERM)
            self.assertTrue(witness.closed())
            response = client.send("56789").read_response()
            self.assertEqual(response.text, "0123456789")
            self.assertTrue(response.closes)
        self.assertEqual(server.wait_exit(), 0)

    def test_idle_connections_are_closed_at_once(self):
        server = self.start(APP)
        clients = [self.connect(server) for _ in range(20)]
        for client in clients:
            client.get("/")
        begin = time.monotonic()
        server.signal(signal.SIGTERM)
        self.assertTrue(all(client.closed() for client in clients))
        self.assertEqual(server.wait_exit(), 0)
        self.assertLess(time.monotonic() - begin, 3 * SLOW)

    def test_connections_in_the_queue_are_served_before_it_closes(self):
        server = self.start(APP)
        with server.client() as blocker, server.client() as warm:
            warm.get("/")
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            took, free = pathlib.Path(folder.name, "took"), pathlib.Path(folder.name, "free")
            took.touch()
            blocker.send_request("GET", f"/block?took={took}&free={free}")
            wait_until(lambda: not took.exists(), "the worker to be busy: what follows waits in the kernel")
            queued = [self.connect(server) for _ in range(30)]
            for client in queued:
                client.send_request("GET", "/")
            server.signal(signal.SIGTERM)
            server.stderr.wait("stopping")
            free.touch()
            for client in queued:
                response = client.read_response()
                self.assertEqual((response.status, response.text), (200, "root"))
                self.assertTrue(response.closes)
            self.assertEqual(blocker.read_response().text, "blocked")
        self.assertEqual(server.wait_exit(), 0)

    def test_a_new_connection_is_refused_once_it_drains(self):
        server = self.start(APP)
        with server.client() as client:
            client.send_request("GET", "/sleep/1")
            self.waits(server)
            server.signal(signal.SIGTERM)

            def refused():
                try:
                    server.client().close()
                    return False
                except ConnectionError:
                    return True
            wait_until(refused, "the listener to close", 1)
            self.assertEqual(client.read_response().text, "slept")
        self.assertEqual(server.wait_exit(), 0)

    def test_the_drain_deadline_ends_what_waits_too_long(self):
        server = self.start(APP, settings={"server.drain": 0.3})
        with server.client() as client:
            client.send_request("GET", "/sleep/60")
            self.waits(server)
            begin = time.monotonic()
            server.signal(signal.SIGTERM)
            try:
                self.assertEqual(client.read_response().status, 503)
            except Closed:
                self.fail("closed without an answer")
            self.assertEqual(server.wait_exit(), 0)
            self.assertGreaterEqual(time.monotonic() - begin, 0.25)
            self.assertLess(time.monotonic() - begin, 3 * SLOW)

    def test_pipelined_requests_end_with_close_on_the_last(self):
        server = self.start(APP)
        with server.client() as client:
            client.send(request_bytes("GET", "/sleep/0.3") + request_bytes("GET", "/"))
            self.waits(server)
            server.signal(signal.SIGTERM)
            self.assertEqual(client.read_response().text, "slept")
            # The second request was there before the signal: it is served, or the first answer said close.
            client.read_to_end()
        self.assertEqual(server.wait_exit(), 0)

    def test_tasks_that_never_end_do_not_keep_it_from_ending(self):
        for path in ("/respawning", "/stubborn"):
            with self.subTest(path=path):
                server = self.start(APP, settings={"server.drain": 0.2})
                self.assertEqual(server.get(path).text, "begun")
                server.signal(signal.SIGTERM)
                self.assertEqual(server.wait_exit(), 0)

    def test_handlers_that_never_end_do_not_keep_it_from_ending(self):
        server = self.start(APP, settings={"server.drain": 0.2})
        clients = [self.connect(server) for _ in range(2)]
        clients[0].send_request("GET", "/stubborn-handler")
        clients[1].send_request("GET", "/stubborn-stream")
        clients[1].read_until(b"begun")
        self.waits(server)
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait_exit(), 0)

    def test_a_second_signal_ends_even_code_that_never_returns(self):
        server = self.start(APP)
        with server.client() as client:
            client.send_request("GET", "/spin")
            server.signal(signal.SIGTERM)
            server.stderr.wait("stopping")
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait_exit(), 0)

    def test_a_reload_that_waits_does_not_hold_up_the_end(self):
        server = self.start(APP, settings={"server.reload_timeout": 3600})
        server.write("app.lua", APP.replace("return app", """
            app:start(function() print("starting") perigee.sleep(3600) end)
            return app"""))
        with server.admin() as asking:
            asking.send_request("POST", "/reload", host="127.0.0.1")
            server.stderr.wait("starting")
            server.signal(signal.SIGTERM)
            self.assertEqual(asking.read_response().status, 422)
        self.assertEqual(server.wait_exit(), 0)

    def test_a_signal_during_a_reload_still_ends_it(self):
        server = self.start(APP)
        for _ in range(5):
            server.signal(signal.SIGHUP)
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait_exit(), 0)


class Starting(ServerCase):
    def fails(self, *arguments, said, app=APP, config=None):
        """`serve` ends with 1 and one line that says `said`."""
        with tempfile.TemporaryDirectory() as directory:
            folder = pathlib.Path(directory)
            (folder / "app.lua").write_text(app)
            (folder / "server.toml").write_text(config or "")
            arguments = [str(argument).replace("{dir}", directory) for argument in arguments]
            common = ["--app", folder / "app.lua"] if "--app" not in arguments else []
            common += ["-c", folder / "server.toml"] if "-c" not in arguments else []
            common += ["--admin", "127.0.0.1:0"] if "--admin" not in arguments else []
            common += ["--listen", "127.0.0.1:0"] if "--listen" not in arguments else []
            result = run_perigee("serve", *common, *arguments, cwd=directory)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, said)
        self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
        self.assertNotIn("listening on", result.stderr)

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.fails("--listen", f"127.0.0.1:{port}", said=rf"127\.0\.0\.1:{port}")

    def test_a_port_another_perigee_uses(self):
        server = self.start(APP, workers=2)
        self.fails("--listen", "127.0.0.1:{}".format(server.address[1]), said=str(server.address[1]))

    def test_an_admin_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.fails("--admin", f"127.0.0.1:{port}", said=str(port))

    def test_a_missing_app(self):
        self.fails("--app", "{dir}/none.lua", said=r"none\.lua")

    def test_a_missing_configuration(self):
        self.fails("-c", "{dir}/none.toml", said=r"none\.toml")

    def test_a_user_that_is_none(self):
        self.fails("--set", "server.user=no-such-user-here", said="no-such-user-here")

    def test_an_address_that_is_none(self):
        for address in ("nonsense", "127.0.0.1:99999", "[::1", "300.1.1.1:80"):
            self.fails("--listen", address, said=r".")

    def test_an_app_that_is_broken(self):
        result = run_broken("local x = = 1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("app.lua:1", result.stderr)

    def test_a_start_hook_that_fails(self):
        result = run_broken("local app = require('perigee').app()\napp:start(function() error('no start') end)\nreturn app")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"app\.lua:2.*no start")
        self.assertNotIn("listening on", result.stderr)

    def test_listening_is_printed_once_connections_are_accepted(self):
        for _ in range(5):
            server = self.start(APP, workers=3)
            with server.client() as client:
                self.assertEqual(client.get("/").status, 200)
            server.stop()


def run_broken(app):
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        (folder / "app.lua").write_text(app)
        (folder / "server.toml").write_text("")
        return run_perigee("serve", "-c", folder / "server.toml", "--app", folder / "app.lua", "--listen", "127.0.0.1:0",
                           "--admin", "off")


if __name__ == "__main__":
    unittest.main()
