"""Every deadline ends what it should end, and nothing before its time."""

import time
import unittest

from harness import SLOW, Closed, ServerCase, request_bytes, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
local caught
app:get("/", function() return "root" end)
app:post("/", function(req) return #req.body .. " bytes" end)
app:get("/sleep/{seconds:number}", function(req)
  local ok, err = pcall(perigee.sleep, req.params.seconds)
  caught = not ok and tostring(err) or nil
  perigee.sleep(req.params.seconds)
  return "slept"
end)
app:get("/caught", function() return caught or "" end)
app:get("/big", function() return ("x"):rep(50000000) end)
return app
"""

LATE = 2.0 * SLOW  # far more than any of the deadlines here


class Timeouts(ServerCase):
    APP = APP
    # One deadline is short in each test; the others must not be what ends it.
    LONG = {"http.head_timeout": 60, "http.body_timeout": 60, "http.idle_timeout": 60, "http.write_timeout": 60,
            "limits.time": 60, "http.body_rate": 0}

    def serve(self, **short):
        return self.start(APP, settings={**self.LONG, **{name.replace("__", "."): value for name, value in short.items()}})

    def ends_between(self, least, call):
        begin = time.monotonic()
        result = call()
        took = time.monotonic() - begin
        self.assertGreaterEqual(took, least)
        self.assertLess(took, least + LATE)
        return result

    def test_a_head_that_does_not_end_is_408(self):
        server = self.serve(http__head_timeout=0.3)
        with server.client() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n")
            response = self.ends_between(0.25, lambda: self.assert_refused(client, 408))
            self.assertTrue(response.closes)

    def test_a_head_is_timed_in_all_and_not_from_byte_to_byte(self):
        server = self.serve(http__head_timeout=0.3)
        with server.client() as client:
            client.socket.settimeout(0.05)
            begin = time.monotonic()
            response = b""
            while not response and time.monotonic() < begin + LATE:
                try:
                    client.send("X")
                    response = client.socket.recv(4096)
                except TimeoutError:
                    continue
                except OSError:
                    break
            self.assertIn(b" 408 ", response)

    def test_a_second_head_gets_its_own_time(self):
        server = self.serve(http__head_timeout=0.3)
        with server.client() as client:
            self.assertEqual(client.get("/").status, 200)
            client.send("GET / HTTP/1.1\r\n")
            self.ends_between(0.25, lambda: self.assert_refused(client, 408))

    def test_a_body_that_pauses_is_408(self):
        server = self.serve(http__body_timeout=0.3)
        with server.client() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome")
            self.ends_between(0.25, lambda: self.assert_refused(client, 408))

    def test_a_body_that_flows_is_not_ended(self):
        server = self.serve(http__body_timeout=1)
        with server.client() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n")
            for _ in range(8):
                time.sleep(0.2)  # the pace of this client is what is tested
                client.send("x")
            self.assertEqual(client.read_response().text, "8 bytes")

    def test_a_body_that_drips_is_408(self):
        server = self.serve(http__body_timeout=0.5, http__body_rate=1000)
        with server.client() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            client.socket.settimeout(0.05)
            end = time.monotonic() + 2 + LATE
            response = b""
            while not response and time.monotonic() < end:
                try:
                    client.send("x")
                    response = client.socket.recv(4096)
                except TimeoutError:
                    continue
                except OSError:
                    break
            self.assertIn(b" 408 ", response)

    def test_an_idle_connection_is_closed_without_a_word(self):
        server = self.serve(http__idle_timeout=0.3)
        with server.client() as used:
            self.assertEqual(used.get("/").status, 200)
            self.assertTrue(self.ends_between(0.25, used.closed))

    def test_a_connection_that_never_speaks_is_closed(self):
        # No request has begun: it may count as idle or as a head that does not come.
        server = self.serve(http__idle_timeout=0.3, http__head_timeout=0.3)
        with server.client() as silent:
            self.ends_between(0.25, silent.read_to_end)

    def test_a_client_that_does_not_read_is_given_up(self):
        server = self.serve(http__write_timeout=0.3)
        with server.client() as other:
            other.get("/")
            descriptors = server.descriptors()
            with server.client(receive_buffer=4096) as client:
                client.send_request("GET", "/big")
                wait_until(lambda: server.descriptors() == descriptors + 1, "the connection to be taken", 5 + LATE)
                wait_until(lambda: server.descriptors() == descriptors, "the connection to be given up", 5 + LATE)
                with self.assertRaises(Closed):
                    client.read_response()

    def test_a_client_that_reads_slowly_is_served_to_the_end(self):
        server = self.serve(http__write_timeout=1)
        with server.client(receive_buffer=65536) as client:
            client.send_request("GET", "/big")
            self.assertEqual(client.read_head().status, 200)
            for _ in range(6):
                time.sleep(0.3)  # the pace of this client is what is tested
                client.read_exactly(5_000_000)
            client.read_exactly(20_000_000)

    def test_a_handler_over_its_time_is_503_and_cannot_go_on_waiting(self):
        server = self.serve(limits__time=0.3)
        with server.client() as client:
            response = self.ends_between(0.25, lambda: client.get("/sleep/30"))
            # The contract gives 503 to what is over a limit.
            self.assert_problem(response, 503)
        self.assertTrue(wait_until(lambda: server.get("/caught").text, "the handler to be told"))
        self.assertEqual(server.get("/sleep/0.05").text, "slept")

    def test_the_time_of_a_handler_does_not_run_while_its_body_comes(self):
        server = self.serve(limits__time=0.3)
        with server.client() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
            time.sleep(0.5)  # the pace of this client is what is tested
            self.assertEqual(client.send("b").read_response().text, "2 bytes")

    def test_pipelined_requests_wait_without_being_timed_as_heads(self):
        server = self.serve(http__head_timeout=0.3, http__idle_timeout=0.3)
        with server.client() as client:
            client.send(request_bytes("GET", "/sleep/0.3") + request_bytes("GET", "/"))
            self.assertEqual(client.read_response().text, "slept")
            self.assertEqual(client.read_response().text, "root")


if __name__ == "__main__":
    unittest.main()
