"""The protocol on the wire: sizes, framing, hosts, versions, paths, pipelines."""

import pathlib
import select
import tempfile
import time
import unittest

from harness import ServerCase, request_bytes, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
local served, released = 0, false

app:get("/", function() return "root" end)
app:post("/", function(req) return req.body end)
app:any("/echo", function(req) return req.body end)
app:get("/param/{value}", function(req) return req.params.value end)
app:get("/a/b", function(req) return "a/b " .. req.path end)
app:get("/a", function() return "a" end)
app:get("/host", function(req) return req.host end)
app:any("/target", function(req) return req.path end)
app:get("/count", function(req) served = served + 1 return tostring(served) end)
app:get("/served", function() return tostring(served) end)
app:get("/slow/{n:integer}", function(req)
  perigee.sleep(0.05)
  return "slow " .. req.params.n
end)
app:get("/quick/{n:integer}", function(req) return "quick " .. req.params.n end)
-- Keeps the worker from when it has taken `took` away until `free` is there.
app:get("/block", { limits = { cpu = 60, time = 60 } }, function(req)
  os.remove(req.query.took)
  local free
  repeat free = io.open(req.query.free) until free
  free:close()
  return "blocked"
end)
app:get("/big", function() served = served + 1 return ("x"):rep(100000) end)
app:get("/endless", function()
  return perigee.stream(function(write)
    local piece = ("y"):rep(10000)
    for _ = 1, 5000 do
      if not write(piece) then return end
      served = served + 1
    end
  end)
end)
app:get("/wait-for-release", function()
  while not released do perigee.sleep(0.01) end
  released = false
  return "released"
end)
app:get("/release", function() released = true return "ok" end)
app:post("/fields", function(req) return tostring(req.form.a) end)
app:get("/stream", function() return perigee.stream(function(write) write("a") write("b") end) end)
return app
"""


class HttpCase(ServerCase):
    APP = APP

    def refuses(self, data, status=None):
        """Sent whole and a byte at a time, the bytes get the same refusal and a closed connection."""
        data = data.encode("latin-1") if isinstance(data, str) else data
        for split in (False, True):
            with self.subTest(data=data[:80], split=split), self.server.client() as client:
                if split:
                    client.send_split(data)
                else:
                    client.send(data)
                self.assert_refused(client, status)

    def takes(self, data, body=None):
        data = data.encode("latin-1") if isinstance(data, str) else data
        for split in (False, True):
            with self.subTest(data=data[:80], split=split), self.server.client() as client:
                if split:
                    client.send_split(data)
                else:
                    client.send(data)
                response = client.read_response()
                self.assertEqual(response.status, 200, response)
                if body is not None:
                    self.assertEqual(response.body, body)


class Sizes(HttpCase):
    SETTINGS = {"http.request_line": 200, "http.field_line": 100, "http.head": 1000, "http.fields": 10,
                "limits.body": 100, "limits.form_fields": 5}

    # Lengths of lines are without the CRLF that ends them; a head's is with everything, the empty line included.

    def test_a_request_line_at_the_limit_is_taken_and_one_over_is_414(self):
        def line(size):
            return "GET /param/" + "x" * (size - len("GET /param/ HTTP/1.1")) + " HTTP/1.1\r\nHost: a\r\n\r\n"
        self.takes(line(200))
        self.refuses(line(201), 414)

    def test_an_endless_request_line_is_refused_before_it_ends(self):
        self.refuses("GET /" + "x" * 5000, 414)

    def test_a_field_line_at_the_limit_is_taken_and_one_over_is_431(self):
        def request(size):
            return "GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * (size - 3) + "\r\n\r\n"
        self.takes(request(100))
        self.refuses(request(101), 431)

    def test_an_endless_field_line_is_refused_before_it_ends(self):
        self.refuses("GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * 5000, 431)

    def test_a_head_at_the_limit_is_taken_and_one_over_is_431(self):
        def request(size):
            head = "GET /param/{} HTTP/1.1\r\nHost: a\r\n" + ("X: " + "x" * 95 + "\r\n") * 8 + "\r\n"
            return head.format("p" * (size - len(head) + 2))
        self.assertEqual(len(request(1000)), 1000)
        self.takes(request(1000))
        self.refuses(request(1001), 431)

    def test_fields_at_the_limit_are_taken_and_one_over_is_431(self):
        def request(count):
            return "GET / HTTP/1.1\r\nHost: a\r\n" + "".join(f"X{i}: 1\r\n" for i in range(count - 1)) + "\r\n"
        self.takes(request(10))
        self.refuses(request(11), 431)

    def test_a_body_at_the_limit_is_taken_and_one_over_is_413(self):
        self.takes(request_bytes("POST", "/", body="x" * 100), b"x" * 100)
        self.refuses(request_bytes("POST", "/", body="x" * 101), 413)

    def test_a_chunked_body_at_the_limit_is_taken_and_one_over_is_413(self):
        def request(*sizes):
            chunks = "".join(f"{size:x}\r\n{'x' * size}\r\n" for size in (*sizes, 0))
            return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
        self.takes(request(60, 40), b"x" * 100)
        self.refuses(request(60, 41), 413)
        self.refuses(request(101), 413)

    def test_a_body_announced_too_large_is_refused_at_its_head(self):
        for length in (101, 2**31, 2**63 - 1):
            self.refuses(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n", 413)

    def test_form_fields_at_the_limit_are_taken_and_one_over_is_refused(self):
        # The contract gives no status for it: any 4xx.
        def post(count):
            return self.server.fetch("POST", "/fields", [("Content-Type", "application/x-www-form-urlencoded")],
                                     "&".join(["a=1"] * count)).status
        self.assertEqual(post(5), 200)
        self.assertIn(post(6), range(400, 500))

    def test_the_connection_of_a_taken_request_stays_usable(self):
        with self.server.client() as client:
            for _ in range(3):
                self.assertEqual(client.request("POST", "/", body="x" * 100).status, 200)


class Defaults(HttpCase):
    def test_the_default_sizes_hold(self):
        self.takes("GET /param/" + "x" * (8192 - 20) + " HTTP/1.1\r\nHost: a\r\n\r\n")
        self.refuses("GET /param/" + "x" * (8193 - 20) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414)
        self.takes("GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * 8189 + "\r\n\r\n")
        self.refuses("GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * 8190 + "\r\n\r\n", 431)
        self.takes("GET / HTTP/1.1\r\nHost: a\r\n" + "X: 1\r\n" * 99 + "\r\n")
        self.refuses("GET / HTTP/1.1\r\nHost: a\r\n" + "X: 1\r\n" * 100 + "\r\n", 431)

    def test_the_default_head_and_body_hold(self):
        lines = "".join(f"X{i}: {'x' * 8000}\r\n" for i in range(4))
        begin = f"GET / HTTP/1.1\r\nHost: a\r\n{lines}Y: "
        fits = 32 * 1024 - len(begin) - 4
        with self.server.client() as client:
            self.assertEqual(client.send(begin + "y" * fits + "\r\n\r\n").read_response().status, 200)
            client.send(begin + "y" * (fits + 1) + "\r\n\r\n")
            self.assert_refused(client, 431)
        with self.server.client() as client:
            self.assertEqual(client.request("POST", "/", body=b"x" * 2**20).status, 200)
            client.send(request_bytes("POST", "/", [("Content-Length", str(2**20 + 1))], b""))
            self.assert_refused(client, 413)


class Framing(HttpCase):
    def test_what_rfc_9112_forbids_is_refused_and_closed(self):
        start = "POST / HTTP/1.1\r\nHost: a\r\n"
        for lines in ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
                      "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\na\r\n0\r\n\r\n",
                      "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                      "Content-Length: 1, 1\r\n\r\na", "Content-Length: +1\r\n\r\na", "Content-Length: -1\r\n\r\n",
                      "Content-Length: 0x1\r\n\r\na", "Content-Length: 1a\r\n\r\na", "Content-Length: \r\n\r\n",
                      "Content-Length: 1 1\r\n\r\na", "Content-Length: 9223372036854775808\r\n\r\n",
                      "Content-Length: 18446744073709551617\r\n\r\n", "Content-Length: 99999999999999999999\r\n\r\n",
                      "Transfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                      "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked, gzip\r\n\r\n",
                      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                      "Transfer-Encoding: identity\r\n\r\n", "Transfer-Encoding: \r\n\r\n",
                      "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
                      "X: a\rb\r\n\r\n", "X: a\nY: b\r\n\r\n", "X: a\0b\r\n\r\n", "X: a\x01b\r\n\r\n", "X: a\x7fb\r\n\r\n",
                      "X: a\r\n folded\r\n\r\n", "X: a\r\n\tfolded\r\n\r\n", "X : a\r\n\r\n", "X\t: a\r\n\r\n",
                      " X: a\r\n\r\n", ": a\r\n\r\n", "X y: a\r\n\r\n", "X@: a\r\n\r\n", "X\x80: a\r\n\r\n", "X\r\n\r\n",
                      "X: a\r\n\rZ", "X: a\n\n", "X: a\r\r\n\r\n"):
            self.refuses(start + lines)

    def test_request_lines_that_are_none_are_refused(self):
        for line in ("GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET /\tHTTP/1.1",
                     "GET\t/ HTTP/1.1", "G@T / HTTP/1.1", "GET", "GET /", "/ HTTP/1.1", "GET / http/1.1",
                     "GET / HTTP/1", "GET / HTTP/1.", "GET / HTTP/1.10", "GET / HTTP/2.0", "GET / HTTP/0.9",
                     "GET / HTTP/1.2", "GET / HTTP/3.1", "GET / HTTP/5.6", "GET / HTTPS/1.1", "GET /\xe4 HTTP/1.1",
                     "GET /a b HTTP/1.1", "GET /a\0 HTTP/1.1", "GET /a\x7f HTTP/1.1", "GET /a#b HTTP/1.1",
                     "GET a HTTP/1.1", "GET * HTTP/1.1"):
            self.refuses(line + "\r\nHost: a\r\n\r\n")

    def test_a_bare_lf_ends_no_line(self):
        self.refuses("GET / HTTP/1.1\nHost: a\n\n")
        self.refuses("GET / HTTP/1.1\r\nHost: a\n\r\n")
        self.refuses("GET / HTTP/1.1\nHost: a\r\n\r\n")

    def test_chunks_that_are_none_are_refused(self):
        start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body in ("g\r\n", "-1\r\n", "0x1\r\na\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "1\na\n0\n\n", "1\r\nab\r\n", "1\r\na0\r\n\r\n",
                     "1\rX\na\r\n", "\r\na\r\n", "10000000000000000\r\na", "ffffffffffffffff\r\na", "8000000000000000\r\na",
                     "1\r\na\n0\r\n\r\n", "1\r\na\r0\r\n\r\n", "1;\0\r\na\r\n", "1 x\r\na\r\n", "+1\r\na\r\n", "1_\r\na\r\n",
                     "0\r\nX : y\r\n\r\n", "0\r\nX: y\n\r\n", "0\r\n folded\r\n\r\n", "0\r\nX\0: y\r\n\r\n"):
            self.refuses(start + body)

    def test_transfer_encoding_on_1_0_is_refused(self):
        self.refuses("POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")

    def test_a_chunked_body_is_joined_and_its_trailers_dropped(self):
        start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.takes(start + "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789")
        self.takes(start + "000001\r\na\r\n0\r\n\r\n", b"a")
        self.takes(start + '1;name=value;other="quoted"\r\na\r\n0\r\nX-Trailer: dropped\r\nHost: evil\r\n\r\n', b"a")
        self.takes(start.replace("chunked", "ChUnKeD") + "0\r\n\r\n", b"")

    def test_a_connection_goes_on_after_every_kind_of_body(self):
        with self.server.client() as client:
            chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n"
            for _ in range(3):
                self.assertEqual(client.send(chunked).read_response().body, b"hi")
                self.assertEqual(client.request("POST", "/", body="ho").body, b"ho")
                self.assertEqual(client.get("/").body, b"root")
                self.assertEqual(client.request("POST", "/", [("Content-Length", "0")], b"").status, 200)

    def test_an_empty_line_before_a_request_is_passed_over(self):
        # RFC 9112 section 2.2: at least one empty line.
        self.takes("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", b"root")
        with self.server.client() as client:
            client.send(request_bytes("POST", "/", body="ab") + b"\r\n" + request_bytes("GET", "/"))
            self.assertEqual([client.read_response().body for _ in range(2)], [b"ab", b"root"])

    def test_a_request_split_anywhere_gets_the_same_answer(self):
        data = b"POST /echo?x=%20 HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello"
        for index in range(1, len(data)):
            with self.server.client() as client:
                client.send(data[:index])
                client.send(data[index:])
                self.assertEqual(client.read_response().body, b"hello", index)

    def test_a_body_given_up_half_way_gets_no_answer_of_a_handler(self):
        with self.server.client() as client:
            client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
            client.half_close()
            self.assertNotIn(b" 200 ", client.read_to_end())


class Hosts(HttpCase):
    def test_1_1_needs_exactly_one_host(self):
        self.refuses("GET / HTTP/1.1\r\n\r\n", 400)
        self.refuses("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400)
        self.refuses("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nhOST: b\r\n\r\n", 400)

    def test_1_0_needs_none(self):
        self.takes("GET / HTTP/1.0\r\n\r\n")

    def test_a_host_that_is_none_is_refused(self):
        for host in ("a b", "a/b", "a@b", "user@a", "a:b", "a:1:2", "a:99999", "[::1", "::1", "[::g]", "a\\b", "a?b", "a#b",
                     "<a>", "a%zz", '"a"', "[1.2.3.4]"):
            self.refuses(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)

    def test_a_host_that_is_one_is_taken(self):
        # A comma is a sub-delim and so part of a valid reg-name (RFC 3986 section 3.2.2).
        for host in ("example.com", "example.com:80", "127.0.0.1:8080", "[::1]", "[::1]:8080", "a-b.c_d", "xn--bcher-kva.example",
                     "EXAMPLE.com", "a:", "a,b"):
            self.takes(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")

    def test_the_absolute_form_wins_over_the_field(self):
        self.takes("GET http://first.example/host HTTP/1.1\r\nHost: second.example\r\n\r\n", b"first.example")
        self.takes("GET http://first.example HTTP/1.1\r\nHost: second.example\r\n\r\n", b"root")
        self.takes("GET http://first.example?x=1 HTTP/1.1\r\nHost: second.example\r\n\r\n", b"root")

    def test_absolute_forms_that_are_none_are_refused(self):
        for target in ("http:///", "http://user@a/", "http://user:pass@a/", "http://a b/", "http://a:x/", "http://", "ftp://a/"):
            self.refuses(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")

    def test_connect_and_trace_are_405(self):
        with self.server.client() as client:
            self.assertEqual(client.request("TRACE", "/").status, 405)
        with self.server.client() as client:
            self.assertEqual(client.send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n").read_response().status, 405)

    def test_options_of_the_server_is_answered(self):
        with self.server.client() as client:
            self.assertIn(client.request("OPTIONS", "*").status, (200, 204))


class Versions(HttpCase):
    def test_1_1_stays_open_until_close_is_asked(self):
        with self.server.client() as client:
            for _ in range(5):
                response = client.get("/")
                self.assertFalse(response.closes)
            response = client.request("GET", "/", [("Connection", "close")])
            self.assertTrue(response.closes)
            self.assertTrue(client.closed())

    def test_close_is_found_in_a_list_and_in_any_case(self):
        for value in ("Close", "foo, close", "close, foo", "keep-alive, close"):
            with self.server.client() as client:
                self.assertTrue(client.request("GET", "/", [("Connection", value)]).closes, value)
                self.assertTrue(client.closed())

    def test_1_0_closes_by_default(self):
        with self.server.client() as client:
            self.assertEqual(client.request("GET", "/", version="HTTP/1.0").status, 200)
            self.assertTrue(client.closed())

    def test_1_0_stays_open_when_asked(self):
        with self.server.client() as client:
            for _ in range(3):
                response = client.request("GET", "/", [("Connection", "keep-alive")], version="HTTP/1.0")
                self.assertEqual(response.header("connection").lower(), "keep-alive")
            self.assertEqual(client.request("GET", "/", version="HTTP/1.0").status, 200)
            self.assertTrue(client.closed())

    def test_1_0_is_never_answered_in_chunks(self):
        with self.server.client() as client:
            response = client.request("GET", "/stream", [("Connection", "keep-alive")], version="HTTP/1.0")
            self.assertIsNone(response.header("transfer-encoding"))
            self.assertEqual(response.body, b"ab")
            self.assertTrue(client.closed())

    def test_upgrades_nobody_asked_for_are_answered_as_plain_requests(self):
        with self.server.client() as client:
            response = client.request("GET", "/", [("Connection", "Upgrade"), ("Upgrade", "h2c")])
            self.assertEqual((response.status, response.body), (200, b"root"))
            self.assertEqual(client.get("/").body, b"root")


class Expectations(HttpCase):
    SETTINGS = {"limits.body": 1000}

    def test_continue_is_sent_when_the_body_is_wanted(self):
        with self.server.client() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            self.assertEqual(client.read_response(interim=True).status, 100)
            self.assertEqual(client.send("body").read_response(interim=True).body, b"body")
            self.assertEqual(client.get("/").status, 200)

    def test_continue_is_not_sent_when_the_body_came_already(self):
        with self.server.client() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody")
            response = client.read_response(interim=True)
            if response.status == 100:  # it may be (RFC 9110 section 10.1.1), once
                response = client.read_response(interim=True)
            self.assertEqual(response.body, b"body")

    def test_a_body_that_will_not_be_read_is_refused_without_continue(self):
        with self.server.client() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
            self.assertEqual(client.read_response(interim=True).status, 413)
            self.assertTrue(client.closed())

    def test_another_expectation_is_417(self):
        with self.server.client() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: a-miracle\r\n\r\nbody")
            self.assertEqual(client.read_response().status, 417)

    def test_1_0_gets_no_interim_answer(self):
        # RFC 9110 section 10.1.1: the expectation of a 1.0 request is ignored.
        with self.server.client() as client:
            client.send("POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody")
            self.assertEqual(client.read_response(interim=True).body, b"body")


class Paths(HttpCase):
    def test_a_path_is_decoded_once(self):
        with self.server.client() as client:
            self.assertEqual(client.get("/param/%41%20b").text, "A b")
            self.assertEqual(client.get("/param/%2541").text, "%41")
            self.assertEqual(client.get("/param/%25252e").text, "%252e")
            self.assertEqual(client.get("/param/a+b").text, "a+b")

    def test_encodings_that_hide_are_refused(self):
        for path in ("/param/%00", "/param/a%00b", "/param/%", "/param/%4", "/param/%zz", "/param/%2", "/param/a%2fb",
                     "/param/a%2Fb", "/param/a%5cb", "/param/a%5Cb", "/param/a\\b"):
            with self.subTest(path=path), self.server.client() as client:
                self.assertEqual(client.get(path).status, 400)

    def test_dot_segments_are_resolved_before_routing(self):
        with self.server.client() as client:
            for path in ("/a/b", "/a/./b", "/a/x/../b", "/x/../a/b", "/a/x/y/../../b", "/a/%2e/b", "/a/x/%2e%2E/b", "/a/x/.%2e/b"):
                self.assertEqual(client.get(path).text, "a/b /a/b", path)

    def test_a_path_that_climbs_above_the_root_is_refused(self):
        for path in ("/..", "/../a", "/a/../../a", "/%2e%2e/a"):
            with self.subTest(path=path), self.server.client() as client:
                self.assertEqual(client.get(path).status, 400)

    def test_a_query_changes_nothing_of_the_path(self):
        self.assertEqual(self.get("/a/b?x=../../%2f%00").text, "a/b /a/b")


class Pipelines(HttpCase):
    def test_answers_come_in_the_order_of_the_requests(self):
        requests, expected = b"", []
        for index in range(12):
            kind = "slow" if index % 4 == 0 else "quick"
            requests += request_bytes("GET", f"/{kind}/{index}")
            expected.append(f"{kind} {index}")
        with self.server.client() as client:
            client.send(requests)
            self.assertEqual([client.read_response().text for _ in expected], expected)

    def test_bodies_and_errors_keep_their_place(self):
        with self.server.client() as client:
            client.send(request_bytes("POST", "/", body="one") + request_bytes("GET", "/slow/2")
                        + request_bytes("GET", "/nowhere") + request_bytes("POST", "/", [("Transfer-Encoding", "chunked")],
                                                                           b"4\r\nfour\r\n0\r\n\r\n")
                        + request_bytes("HEAD", "/") + request_bytes("GET", "/"))
            self.assertEqual(client.read_response().text, "one")
            self.assertEqual(client.read_response().text, "slow 2")
            self.assertEqual(client.read_response().status, 404)
            self.assertEqual(client.read_response().text, "four")
            self.assertEqual(client.read_response(head=True).status, 200)
            self.assertEqual(client.read_response().text, "root")

    def test_a_refused_request_is_answered_after_those_before_it(self):
        with self.server.client() as client:
            client.send(request_bytes("GET", "/slow/1") + request_bytes("GET", "/") + b"BAD\r\n\r\n" + request_bytes("GET", "/"))
            self.assertEqual(client.read_response().text, "slow 1")
            self.assertEqual(client.read_response().text, "root")
            self.assert_refused(client, 400)

    def test_nothing_after_close_is_answered(self):
        with self.server.client() as client:
            client.send(request_bytes("GET", "/", [("Connection", "close")]) + request_bytes("GET", "/"))
            self.assertEqual(client.read_response().status, 200)
            self.assertTrue(client.closed())

    def test_thousands_of_pipelined_requests_are_all_answered(self):
        count = 5000
        with self.server.client() as client:
            client.send(b"".join(request_bytes("GET", f"/quick/{index}") for index in range(count)))
            for index in range(count):
                self.assertEqual(client.read_response().text, f"quick {index}")

    def test_a_half_close_lets_the_answers_finish(self):
        with self.server.client() as client:
            client.send(request_bytes("GET", "/slow/1") + request_bytes("GET", "/slow/2"))
            client.half_close()
            self.assertEqual([client.read_response().text for _ in range(2)], ["slow 1", "slow 2"])
            self.assertTrue(client.closed())


class Fairness(HttpCase):
    def test_one_connection_gets_at_most_64_requests_a_turn(self):
        # While the worker is busy, a long pipeline and one request of another client pile up before it. Whoever is
        # read first, the single request must not wait for the whole pipeline.
        with self.server.client() as blocker, self.server.client() as greedy, self.server.client() as modest:
            for client in (blocker, greedy, modest):
                self.assertEqual(client.get("/").status, 200)
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            took, free = pathlib.Path(folder.name, "took"), pathlib.Path(folder.name, "free")
            took.touch()
            blocker.send_request("GET", f"/block?took={took}&free={free}")
            wait_until(lambda: not took.exists(), "the worker to be busy")
            greedy.send(request_bytes("GET", "/count") * 1000)
            modest.send_request("GET", "/count")
            free.touch()
            turn = int(modest.read_response().text)
            self.assertLessEqual(turn, 65)
            self.assertEqual([greedy.read_response().status for _ in range(1000)], [200] * 1000)
            self.assertEqual(blocker.read_response().status, 200)


class Backpressure(HttpCase):
    SETTINGS = {"http.output_watermark": 65536}

    def settled(self):
        """The count of served requests, once it has stopped growing."""
        def still():
            first = int(self.get("/served").text)
            time.sleep(0.1)
            return first > 0 and int(self.get("/served").text) == first and [first]
        return wait_until(still, "the count to settle")[0]

    def test_a_client_that_does_not_read_is_not_served_on(self):
        before = int(self.get("/served").text)
        memory = self.server.resident()
        with self.server.client(receive_buffer=524288) as client:
            client.send(request_bytes("GET", "/big") * 500)
            served = self.settled() - before
            self.assertLess(served, 250)
            self.assertLess(self.server.resident() - memory, 16 * 2**20)
            for _ in range(500):
                self.assertEqual(len(client.read_response().body), 100000)
        self.assertEqual(int(self.get("/served").text) - before, 500)

    def test_a_stream_waits_for_room(self):
        before = int(self.get("/served").text)
        with self.server.client(receive_buffer=524288) as client:
            client.send_request("GET", "/endless")
            self.assertLess(self.settled() - before, 2500)
            self.assertEqual(len(client.read_response().body), 50_000_000)

    def test_what_comes_while_a_handler_waits_is_read_into_one_buffer_only(self):
        with self.server.client() as client:
            client.send_request("GET", "/wait-for-release")
            client.socket.setblocking(False)
            data = request_bytes("GET", "/") * 2000
            sent = 0
            while sent < 64 * 2**20:
                if not select.select([], [client.socket], [], 0.4)[1]:
                    break
                sent += client.socket.send(data[sent % len(data):])
            self.assertLess(sent, 32 * 2**20, "everything was read")
            client.socket.settimeout(client.patience)
            self.get("/release")
            self.assertEqual(client.read_response().text, "released")
            self.assertEqual(client.read_response().text, "root")
            client.abort()
        self.assertEqual(self.get("/").text, "root")


if __name__ == "__main__":
    unittest.main()
