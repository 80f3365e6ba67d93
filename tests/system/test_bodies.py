"""Bodies that reach their handler while they still arrive: whole, in parts, or not at all."""

import contextlib
import socket
import threading
import time
import unittest

from harness import SLOW, Closed, ServerCase, request_bytes, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
local log = {}

app:get("/", function() return "root" end)
app:get("/log", function() local text = table.concat(log, ",") log = {} return text end)
local function whole(req) return #req.body .. " " .. (req.body:sub(-3)) .. " " .. tostring(req:raw() == req.body) end
app:post("/whole", { limits = { body = "300MB" } }, whole)
app:post("/small", { limits = { body = 100000 } }, function(req) return #req.body .. "" end)
app:post("/json", { limits = { body = "10MB" } }, function(req) return { n = #req:json().list } end)
app:post("/parts/{n:integer}", { limits = { body = "10GB", time = 0.5 } }, function(req)
  local size, most, count, last = 0, 0, 0, nil
  for bytes in function() return req:read(req.params.n) end do
    size, most, count, last = size + #bytes, math.max(most, #bytes), count + 1, bytes:sub(-1)
  end
  local again, err = req:read(1)
  return { size = size, most = most, count = count, last = last, ended = again == nil and err == nil }
end)
app:post("/first", { limits = { body = "1GB" } }, function(req)
  log[#log + 1] = "begun"
  return req:read(5)
end)
app:post("/refuse", { limits = { body = "1GB" } }, function() return 403, "no" end)
app:post("/fail", { limits = { body = 200000, time = 5 } }, function(req)
  local bytes, err
  repeat bytes, err = req:read(100000) until not bytes
  log[#log + 1] = tostring(err)
  return 200, tostring(err)
end)
app:post("/mixed/{how}", { limits = { body = "1GB" } }, function(req)
  local how, other = req.params.how, nil
  if how == "parts" then
    req:read(1)
    other = function() return req.body end
  else
    local _ = req.body
    other = function() return req:read(1) end
  end
  local ok, err = pcall(other)
  return tostring(ok) .. " " .. tostring(err)
end)
app:post("/slow", { limits = { body = "1GB", time = 30 } }, function(req)
  local size = #req:read(1)
  log[#log + 1] = "reading"
  perigee.sleep(0.3)
  for bytes in function() return req:read() end do size = size + #bytes end
  return size .. ""
end)
app:post("/echo", { limits = { body = "1GB" } }, function(req)
  return perigee.stream(function(write)
    for bytes in function() return req:read() end do write(bytes) end
  end)
end)
app:post("/spawned", { limits = { body = "1GB" } }, function(req)
  local task = perigee.spawn(function() return #req.body end)
  return task:wait() .. " " .. #req.body
end)
app:post("/leftover", { limits = { body = "1GB" } }, function(req)
  perigee.spawn(function()
    local ok, err = pcall(function() return req.body end)
    log[#log + 1] = tostring(ok) .. " " .. tostring(type(err) == "table" and err.body.status or err)
  end)
  perigee.sleep(0)
  return "left"
end)
app:post("/wait", { limits = { body = "1GB" } }, function(req)
  req:read(1)
  log[#log + 1] = "waiting"
  local ok, err = pcall(perigee.sleep, 20)
  log[#log + 1] = tostring(ok) .. " " .. tostring(err)
end)
app:post("/gone", { limits = { body = "1GB" } }, function(req)
  log[#log + 1] = "reading"
  local bytes, err
  repeat bytes, err = req:read() until not bytes
  log[#log + 1] = tostring(err)
end)
return app
"""

CHUNKED = [("Transfer-Encoding", "chunked")]


def chunks(body, size):
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def head(target, *fields):
    return request_bytes("POST", target, fields)


class BodyCase(ServerCase):
    APP = APP

    def post(self, target, body, headers=()):
        return self.server.fetch("POST", target, headers, body)

    def logged(self, text):
        lines = []
        wait_until(lambda: lines.append(self.get("/log").text) or text in ",".join(lines), f"the app to log {text}")
        return ",".join(lines)


class Whole(BodyCase):
    def test_a_large_body_is_had_whole(self):
        for size in (65535, 65536, 65537, 100_000, 3_000_000):
            body = b"x" * (size - 3) + b"end"
            with self.subTest(size=size):
                self.assertEqual(self.post("/whole", body).text, f"{size} end true")
                self.assertEqual(self.post("/whole", chunks(body, 9973), CHUNKED).text, f"{size} end true")

    def test_json_of_a_large_body_is_decoded(self):
        self.assertEqual(self.post("/json", "{\"list\":[" + ",".join(["1"] * 100_000) + "]}").json(), {"n": 100_000})

    def test_a_body_that_comes_byte_by_byte_is_whole_all_the_same(self):
        with self.server.client() as client:
            client.send(head("/whole", ("Content-Length", "70000")) + b"x" * 69_900)
            client.send_split(b"y" * 97 + b"end")
            self.assertEqual(client.read_response().text, "70000 end true")
            self.assertEqual(client.get("/").text, "root")

    def test_too_large_a_body_is_413_before_the_handler_or_in_it(self):
        self.assert_problem(self.post("/small", b"x" * 100_001), 413)
        with self.server.client() as client:
            client.send(head("/small", *CHUNKED))
            with contextlib.suppress(OSError):
                client.send(chunks(b"x" * 120_000, 1000))
            self.assert_refused(client, 413)

    def test_a_task_of_the_handler_may_have_it_too(self):
        self.assertEqual(self.post("/spawned", b"x" * 200_000).text, "200000 200000")

    def test_bad_framing_in_a_body_under_way_is_400_and_the_end(self):
        with self.server.client() as client:
            client.send(head("/whole", *CHUNKED) + b"11170\r\n" + b"x" * 70_000 + b"\r\nzz\r\n")
            self.assert_refused(client, 400)

    def test_a_client_that_stops_in_the_middle_gets_a_400(self):
        with self.server.client() as client:
            client.send(head("/whole", ("Content-Length", "100000")) + b"x" * 80_000)
            client.half_close()
            self.assert_refused(client, 400)


class Parts(BodyCase):
    def test_parts_come_in_order_and_no_larger_than_asked_for(self):
        for n, size in ((1, 100), (7, 1000), (1000, 70_000), (65536, 2_000_000), (10**9, 500_000)):
            body = b"x" * (size - 1) + b"z"
            for headers, sent in (((), body), (CHUNKED, chunks(body, 4000))):
                with self.subTest(n=n, size=size, headers=headers):
                    answer = self.post(f"/parts/{n}", sent, headers).json()
                    self.assertEqual((answer["size"], answer["last"], answer["ended"]), (size, "z", True))
                    self.assertLessEqual(answer["most"], n)

    def test_an_empty_body_has_no_parts(self):
        self.assertEqual(self.post("/parts/10", b"").json()["size"], 0)
        self.assertEqual(self.server.fetch("POST", "/parts/10").json()["size"], 0)

    def test_bytes_are_there_before_the_rest_has_come(self):
        with self.server.client() as client:
            client.send(head("/first", ("Content-Length", "1000000")) + b"hello")
            response = client.read_response()
            self.assertEqual(response.text, "hello")
            self.assertTrue(response.closes)
            self.assertTrue(client.closed())

    def test_time_spent_waiting_for_the_client_is_not_the_handlers(self):
        with self.server.client() as client:
            client.send(head("/parts/100000", ("Content-Length", "70000")))
            for _ in range(7):
                time.sleep(0.15)
                client.send(b"x" * 10_000)
            self.assertEqual(client.read_response().json()["size"], 70_000)

    def test_too_large_a_body_ends_with_an_error(self):
        with self.server.client() as client:
            client.send(head("/fail", *CHUNKED))
            with contextlib.suppress(OSError):
                client.send(chunks(b"x" * 300_000, 1000))
            response = client.read_response()
            self.assertEqual(response.text, "too_large: the body is larger than this route takes")
            self.assertTrue(response.closes)

    def test_a_body_that_breaks_off_ends_with_an_error(self):
        with self.server.client() as client:
            client.send(head("/fail", ("Content-Length", "200000")) + b"x" * 10)
            client.half_close()
            self.assertEqual(client.read_response().text, "closed: the body ended before its time")

    def test_whole_and_parts_exclude_each_other_whatever_the_size(self):
        for size in (10, 200_000):
            with self.subTest(size=size):
                self.assertRegex(self.post("/mixed/parts", b"x" * size).text,
                                 r"^false .*app\.lua:\d+: req:read has taken a part of this body")
                self.assertRegex(self.post("/mixed/whole", b"x" * size).text,
                                 r"^false .*app\.lua:\d+: the whole body was read already")

    def test_a_streamed_answer_may_be_made_of_the_body_while_it_comes(self):
        with self.server.client() as client:
            client.send(head("/echo", ("Content-Length", "100000")) + b"a" * 10)
            response = client.read_head()
            self.assertEqual(response.status, 200)
            self.assertEqual(client.read_until(b"\r\n"), b"a")
            self.assertEqual(client.read_exactly(12), b"a" * 10 + b"\r\n")
            client.send(b"b" * 99_990)
            client.read_chunks(response)
            self.assertEqual(response.body, b"b" * 99_990)
            self.assertTrue(client.closed())


class Early(BodyCase):
    """Answers that do not wait for the body."""

    def test_a_small_rest_is_passed_over_and_the_connection_goes_on(self):
        with self.server.client() as client:
            client.send(head("/refuse", ("Content-Length", "70000")) + b"x" * 20_000)
            response = client.read_response()
            self.assertEqual(response.status, 403)
            self.assertFalse(response.closes)
            client.send(b"GET /x HTTP/1.1\r\n" * 2 + b"x" * (50_000 - 34))
            self.assertEqual(client.get("/").text, "root")

    def test_requests_behind_a_body_that_nobody_read_are_answered(self):
        for framed in (head("/refuse", ("Content-Length", "100000")) + b"x" * 100_000,
                       head("/parts/10000", *CHUNKED) + chunks(b"x" * 100_000, 5000)):
            with self.server.client() as client:
                client.send((framed + request_bytes("GET", "/")) * 3)
                for _ in range(3):
                    self.assertIn(client.read_response().status, (200, 403))
                    self.assertEqual(client.read_response().text, "root")

    def test_a_large_rest_ends_the_connection_and_the_client_gets_the_answer(self):
        with self.server.client() as client:
            sender = threading.Thread(target=self.flood, args=(client,))
            client.send(head("/refuse", ("Content-Length", "500000000")))
            sender.start()
            response = client.read_response()
            self.assertEqual((response.status, response.text), (403, "no"))
            self.assertTrue(response.closes)
            sender.join()

    def flood(self, client):
        with contextlib.suppress(OSError):
            for _ in range(100):
                client.send(b"x" * 100_000)

    def test_a_rest_that_does_not_come_ends_the_connection(self):
        server = self.start(APP, settings={"http.body_timeout": 0.3})
        with server.client() as client:
            client.send(head("/refuse", ("Content-Length", "70000")) + b"x" * 20_000)
            self.assertEqual(client.read_response().status, 403)
            self.assertTrue(client.closed())

    def test_what_reads_on_after_the_answer_is_told(self):
        with self.server.client() as client:
            client.send(head("/leftover", ("Content-Length", "1000000")))
            self.assertEqual(client.read_response().text, "left")
        self.assertIn("request has ended", self.logged("request has ended"))


class Expect(BodyCase):
    EXPECT = ("Expect", "100-continue")

    def test_the_client_is_asked_for_a_large_body_once_it_is_read(self):
        for target, answer in (("/whole", "100000 xxx true"), ("/parts/100000", '"size":100000')):
            with self.server.client() as client:
                client.send(head(target, ("Content-Length", "100000"), self.EXPECT))
                self.assertEqual(client.read_response(interim=True).status, 100)
                client.send(b"x" * 100_000)
                self.assertIn(answer, client.read_response(interim=True).text)
                self.assertEqual(client.get("/").text, "root")

    def test_a_handler_that_does_not_want_it_spares_the_client_the_upload(self):
        for framing in (("Content-Length", "100000"), CHUNKED[0]):
            with self.server.client() as client:
                client.send(head("/refuse", framing, self.EXPECT))
                response = client.read_response(interim=True)
                self.assertEqual(response.status, 403)
                self.assertTrue(response.closes)
                self.assertTrue(client.closed())

    def test_one_that_sends_at_once_need_not_be_asked(self):
        with self.server.client() as client:
            client.send(head("/whole", ("Content-Length", "100000"), self.EXPECT) + b"x" * 100_000)
            self.assertIn(client.read_response(interim=True).status, (100, 200))


class Leaving(BodyCase):
    def test_a_client_that_leaves_cancels_its_handler(self):
        with self.server.client() as client:
            client.send(head("/wait", ("Content-Length", "1000000")) + b"x" * 10)
            self.logged("waiting")
            client.abort()
        self.assertIn("false cancelled: the client has gone", self.logged("cancelled"))

    def test_a_reader_is_told_that_the_client_has_gone(self):
        for leave in ("abort", "close"):
            with self.server.client() as client:
                client.send(head("/gone", ("Content-Length", "1000000")) + b"x" * 10)
                self.logged("reading")
                getattr(client, leave)()
            self.assertIn("closed", self.logged("closed"))

    def test_slow_bodies_end_in_408_or_an_error(self):
        server = self.start(APP, settings={"http.body_timeout": 0.3})
        with server.client() as client:
            client.send(head("/whole", ("Content-Length", "100000")) + b"x" * 10)
            self.assert_refused(client, 408)
        with server.client() as client:
            client.send(head("/fail", ("Content-Length", "100000")) + b"x" * 10)
            self.assertEqual(client.read_response().text, "timeout: the body did not come in time")

    def test_a_body_under_the_rate_ends_in_408(self):
        server = self.start(APP, settings={"http.body_timeout": 0.3, "http.body_rate": "1MB"})
        with server.client() as client:
            client.send(head("/whole", ("Content-Length", "100000")))
            with contextlib.suppress(OSError):
                for _ in range(int(20 * SLOW)):
                    client.send(b"x")
                    time.sleep(0.05)
            try:
                self.assertEqual(client.read_response().status, 408)
            except Closed:
                self.fail("closed without an answer")

    def test_a_server_that_stops_lets_an_upload_end(self):
        server = self.start(APP)
        with server.client() as client:
            client.send(head("/slow", ("Content-Length", "100000")) + b"x" * 70_000)
            wait_until(lambda: "reading" in server.get("/log").text, "the handler to read")
            ended = threading.Thread(target=server.stop)
            ended.start()
            client.send(b"x" * 30_000)
            self.assertEqual(client.read_response().text, "100000")
            ended.join()

    def test_an_upload_keeps_its_version_of_the_app_over_a_reload(self):
        server = self.start(APP)
        with server.client() as client:
            client.send(head("/slow", ("Content-Length", "100000")) + b"x" * 70_000)
            wait_until(lambda: "reading" in server.get("/log").text, "the handler to read")
            server.write("app.lua", APP.replace('return size .. ""', 'return "new"'))
            server.reload()
            client.send(b"x" * 30_000)
            self.assertEqual(client.read_response().text, "100000")
        self.assertEqual(server.fetch("POST", "/slow", (), b"x" * 70_000).text, "new")


class Backpressure(BodyCase):
    def test_nothing_is_read_from_a_client_while_its_handler_does_not(self):
        server = self.start(APP, settings={"server.drain": 0.2})
        with server.client() as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            client.send(head("/wait", ("Content-Length", "500000000")) + b"x")
            wait_until(lambda: "waiting" in server.get("/log").text, "the handler to wait")
            client.socket.settimeout(0.5)
            sent = 0
            with self.assertRaises(TimeoutError):
                while sent < 200_000_000:
                    sent += client.socket.send(b"x" * 65536)
            self.assertLess(sent, 20_000_000)


if __name__ == "__main__":
    unittest.main()
