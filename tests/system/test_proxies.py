"""What proxies say of their clients, and who is believed: forwarding headers, X-Request-Id and the PROXY header."""

import json
import re
import socket
import struct
import unittest

from harness import Closed, ServerCase, run_perigee, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
local function who(req) return table.concat({ req.remote_addr, req.scheme, req.id, req.host }, " ") end
app:get("/", who)
app:post("/", who)
app:get("/slow", function(req) perigee.sleep(0.01) return who(req) end)
app:get("/log", function(req) perigee.log.info("noted") return who(req) end)
app:after(function(req) if req.path == "/after" then perigee.log.info("after " .. who(req)) end end)
app:get("/after", function() return "fine" end)
return app
"""
TRUST = {"server.trusted_proxies": '["127.0.0.1", "10.0.0.0/8", "unix"]'}
FORWARDED = [("X-Forwarded-For", "6.6.6.6, 192.0.2.7, 10.0.0.2"), ("X-Forwarded-Proto", "https"),
             ("X-Forwarded-Host", "evil.example"), ("X-Request-Id", "abc-123")]
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class ForwardingHeaders(ServerCase):
    def who(self, server, headers=(), target="/", **options):
        with server.client(**options) as client:
            return client.request("GET", target, headers).text.split()

    def test_by_default_nobody_is_believed(self):
        server = self.start(APP, listen=["127.0.0.1:0", "unix:{dir}/socket"])
        for headers in (FORWARDED, [("Forwarded", "for=192.0.2.7;proto=https")]):
            self.assertEqual(self.who(server, headers)[:2], ["127.0.0.1", "http"])
            self.assertEqual(self.who(server, headers, index=1)[:2], ["unix", "http"])
            self.assertRegex(self.who(server, headers)[2], r"^[0-9a-f]{20}$")

    def test_a_trusted_proxy_is_believed_and_nobody_else(self):
        server = self.start(APP, listen=["127.0.0.1:0", "unix:{dir}/socket"], settings=TRUST)
        believed = ["192.0.2.7", "https", "abc-123", "localhost"]
        for target in ("/", "/slow"):
            self.assertEqual(self.who(server, FORWARDED, target), believed)
            self.assertEqual(self.who(server, FORWARDED, target, index=1), believed)
        stranger = self.who(server, FORWARDED, source="127.0.0.9")
        self.assertEqual(stranger[:2], ["127.0.0.9", "http"])
        self.assertRegex(stranger[2], r"^[0-9a-f]{20}$")
        self.assertEqual(self.who(server)[:2], ["127.0.0.1", "http"])

    def test_it_is_the_same_with_a_body_and_in_a_pipeline(self):
        server = self.start(APP, settings=TRUST)
        with server.client() as client:
            for number in range(5):
                client.send_request("POST", "/", [("X-Forwarded-For", f"192.0.2.{number}")], b"x" * 70000)
            answers = [client.read_response().text.split()[0] for _ in range(5)]
        self.assertEqual(answers, [f"192.0.2.{number}" for number in range(5)])

    def test_forwarded_of_rfc_7239(self):
        server = self.start(APP, settings=TRUST)
        value = 'for=6.6.6.6, for="[2001:db8::7]:4711";proto=https;by=_us, for=10.0.0.2;proto=http'
        self.assertEqual(self.who(server, [("Forwarded", value)])[:2], ["2001:db8::7", "https"])
        self.assertEqual(self.who(server, [("Forwarded", value + ', for="')])[:2], ["127.0.0.1", "http"])

    def test_logs_and_problems_show_the_client_and_the_given_id(self):
        server = self.start(APP, settings={**TRUST, "log.access": "stdout", "log.access_format": "json"})
        with server.client() as client:
            self.assertEqual(client.request("GET", "/log", FORWARDED).status, 200)
            problem = client.request("GET", "/nowhere", FORWARDED)
            self.assertEqual(problem.json()["request_id"], "abc-123")
            self.assertEqual(client.request("GET", "/after", FORWARDED).text, "fine")
        server.stdout.wait(r"^\{.*\}$", count=3)
        for line in server.stdout.lines("^{"):
            self.assertEqual((json.loads(line)["id"], json.loads(line)["remote"]), ("abc-123", "192.0.2.7"), line)
        server.stderr.wait(r"noted.*\[abc-123\]|\[abc-123\].*noted")
        server.stderr.wait("after 192.0.2.7 https abc-123")

    def test_an_id_that_is_no_short_token_is_not_taken(self):
        server = self.start(APP, settings=TRUST)
        for value in ("a b", "x" * 129, '"quoted"', "<b>"):
            self.assertRegex(self.who(server, [("X-Request-Id", value)])[2], r"^[0-9a-f]{20}$", value)

    def test_a_reload_changes_who_is_trusted(self):
        server = self.start(APP)
        with server.client() as client:
            self.assertEqual(client.request("GET", "/", FORWARDED).text.split()[0], "127.0.0.1")
            server.write("server.toml", '[server]\ntrusted_proxies = ["127.0.0.0/8"]\n')
            server.reload()
            self.assertEqual(client.request("GET", "/", FORWARDED).text.split()[0], "10.0.0.2")
            server.write("server.toml", '[server]\ntrusted_proxies = ["127.0.0.0/40"]\n')
            server.reload(ok=False)
            self.assertEqual(client.request("GET", "/", FORWARDED).text.split()[0], "10.0.0.2")

    def test_bad_networks_are_mistakes_with_their_places(self):
        server = self.start(APP)
        config = server.write("bad.toml", '[server]\ntrusted_proxies = [\n  "10.0.0.0/8",\n  "10.0.0.1/8",\n  "localhost",\n]\n')
        result = run_perigee("check", "-c", config, "--app", server.app_path)
        self.assertEqual(result.returncode, 1)
        self.assertEqual([line.split(":")[2:4] for line in result.stderr.splitlines()], [["4", "3"], ["5", "3"]], result.stderr)
        self.assertIn("server.trusted_proxies takes IP addresses", result.stderr)


def text_header(source="192.0.2.7", protocol="TCP4", destination="127.0.0.1"):
    return f"PROXY {protocol} {source} {destination} 51234 443\r\n".encode()


def binary_header(source="192.0.2.7", command=1, secure=False):
    packed = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 51234, 443)
    tlvs = struct.pack("!BHBI", 0x20, 5, 1, 0) if secure else b""
    tlvs += struct.pack("!BH", 0x04, 3) + b"\0\0\0"  # PP2_TYPE_NOOP
    rest = packed + tlvs
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", 0x20 | command, 0x11, len(rest)) + rest


class ProxyProtocol(ServerCase):
    SETTINGS = {"server.proxy_protocol": "required"}

    def serve(self, **settings):
        return self.start(APP, settings={**self.SETTINGS, **{"server.trusted_proxies": "127.0.0.1"}, **settings})

    def who(self, server, header, split=False, **options):
        with server.client(**options) as client:
            (client.send_split if split else client.send)(header + REQUEST)
            return client.read_response().text.split()[:2]

    def assert_closed(self, server, data, **options):
        with server.client(**options) as client:
            client.send(data)
            self.assertEqual(client.read_to_end(), b"")

    def test_both_versions_say_who_the_client_is(self):
        server = self.serve()
        for header, expected in (
                (text_header(), ["192.0.2.7", "http"]),
                (text_header("2001:db8::7", "TCP6", "::1"), ["2001:db8::7", "http"]),
                (b"PROXY UNKNOWN\r\n", ["127.0.0.1", "http"]),
                (binary_header(), ["192.0.2.7", "http"]),
                (binary_header(secure=True), ["192.0.2.7", "https"]),
                (binary_header(command=0), ["127.0.0.1", "http"])):
            for split in (False, True):
                self.assertEqual(self.who(server, header, split), expected, header)

    def test_the_header_comes_once_and_holds_for_the_whole_connection(self):
        server = self.serve()
        with server.client() as client:
            client.send(binary_header(secure=True) + REQUEST * 3)
            self.assertEqual({client.read_response().text.split()[0] for _ in range(3)}, {"192.0.2.7"})
            self.assertEqual(client.get("/slow").text.split()[:2], ["192.0.2.7", "https"])
            self.assertEqual(client.get("/after").text, "fine")
            server.stderr.wait("after 192.0.2.7 https")
            client.send(text_header() + REQUEST)
            self.assertEqual(client.read_response().status, 400)

    def test_the_request_may_come_later(self):
        server = self.serve()
        with server.client() as client:
            client.send(text_header())
            self.assertEqual(client.get("/").text.split()[0], "192.0.2.7")

    def test_what_has_no_header_or_a_wrong_one_is_closed_with_one_line(self):
        server = self.serve()
        for data in (REQUEST, b"G", b"PROXY TCP4 192.0.2.7\r\n", b"\r\n\r\n\0\r\nQUIT\n\x31", binary_header()[:12] + b"\x21\x11\xff\xff",
                     b"PROXY " + b"x" * 200, text_header("2001:db8::7")):
            self.assert_closed(server, data)
        server.stderr.wait(r"info.*closed a connection from 127\.0\.0\.1: its PROXY header is refused")
        self.assertLess(len(server.stderr.lines("closed a connection")), 7)
        self.assertEqual(self.who(server, text_header()), ["192.0.2.7", "http"])

    def test_only_trusted_proxies_may_speak(self):
        server = self.serve()
        with server.client(source="127.0.0.9") as stranger:
            self.assertEqual(stranger.read_to_end(), b"")
        server.stderr.wait(r"closed a connection from 127\.0\.0\.9: it is no trusted proxy")
        anyone = self.start(APP, settings=self.SETTINGS)
        self.assertEqual(self.who(anyone, text_header(), source="127.0.0.9"), ["192.0.2.7", "http"])

    def test_headers_are_believed_of_the_client_that_was_named(self):
        server = self.serve(**{"server.trusted_proxies": '["127.0.0.1", "192.0.2.0/24"]'})
        request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.5\r\nX-Forwarded-Proto: https\r\n\r\n"
        for source, expected in (("192.0.2.7", ["203.0.113.5", "https"]), ("198.51.100.1", ["198.51.100.1", "http"])):
            with server.client() as client:
                client.send(text_header(source) + request)
                self.assertEqual(client.read_response().text.split()[:2], expected)

    def test_the_header_must_come_in_time(self):
        server = self.serve(**{"http.head_timeout": 0.2})
        for data in (b"", b"PROXY TCP4 ", binary_header()[:20]):
            self.assert_closed(server, data)
        server.stderr.wait("its PROXY header did not come in time")
        with server.client() as client:  # and then the head
            client.send(text_header())
            self.assertIn(client.read_to_end()[:12], (b"", b"HTTP/1.1 408"))

    def test_limits_count_the_client_and_not_the_proxy(self):
        server = self.serve(**{"limits.connections_per_address": 1})
        kept = []
        for number in range(5):
            client = self.connect(server)
            client.send(text_header(f"192.0.2.{number}") + REQUEST)
            self.assertEqual(client.read_response().status, 200)
            kept.append(client)
        with server.client() as client:
            client.send(text_header("192.0.2.3") + REQUEST)
            refused = client.read_response()
            self.assertEqual(refused.status, 503)
            self.assertTrue(refused.closes)
        kept[3].close()

        def free():
            with server.client() as again:
                again.send(text_header("192.0.2.3") + REQUEST)
                return again.read_response().status == 200
        wait_until(free, "the place of 192.0.2.3")

    def test_connections_without_a_header_yet_count_in_all(self):
        server = self.serve(**{"limits.connections": 2})
        waiting = [self.connect(server) for _ in range(2)]

        def full():
            with server.client() as one_more:
                one_more.send(text_header() + REQUEST)
                return one_more.read_response().status == 503
        wait_until(full, "all places to be taken")
        waiting[0].close()
        wait_until(lambda: self.who_or_none(server), "a place to become free")

    def who_or_none(self, server):
        try:
            return self.who(server, text_header()) == ["192.0.2.7", "http"]
        except Closed:
            return False

    def test_a_stop_does_not_wait_for_headers(self):
        server = self.serve(**{"http.head_timeout": 600, "server.drain": 600})
        waiting = self.connect(server)
        self.assertEqual(self.who(server, text_header()), ["192.0.2.7", "http"])
        server.signal(15)
        self.assertEqual(server.wait_exit(), 0)
        self.assertEqual(waiting.read_to_end(), b"")

    def test_a_reload_turns_it_on_for_new_connections(self):
        server = self.start(APP)
        with server.client() as before:
            self.assertEqual(before.get("/").status, 200)
            server.write("server.toml", '[server]\nproxy_protocol = "required"\n')
            server.reload()
            self.assertEqual(before.get("/").status, 200)
            self.assert_closed(server, REQUEST)
            self.assertEqual(self.who(server, text_header()), ["192.0.2.7", "http"])

    def test_the_access_log_and_the_balanced_way_know_the_client(self):
        server = self.start(APP, workers=2, settings={**self.SETTINGS, "server.accept": "balanced", "log.access": "stdout"})
        for _ in range(4):
            self.assertEqual(self.who(server, binary_header()), ["192.0.2.7", "http"])
        server.stdout.wait(r"^192\.0\.2\.7 ", count=4)
        self.assertFalse([line for line in server.stdout.lines() if re.match(r"127\.", line)])


if __name__ == "__main__":
    unittest.main()
