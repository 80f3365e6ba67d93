"""perigee.socket under TLS: certificates that are right and wrong, and peers that break off."""

import socket
import unittest

from harness import run_perigee
from peers import Certificates, Peer, echo, wait_for_end
from tls_case import TlsCase

APP = """
local perigee = require "perigee"
local app = perigee.app()
app:post("/run", function(req)
  local fn = assert(loadstring("local perigee, port, sock, query = ... " .. req.body, "=body"))
  local sock = perigee.socket.tcp()
  sock:settimeout(5)
  local results = { fn(perigee, tonumber(req.query.port), sock, req.query) }
  for i = 1, 4 do results[i] = results[i] == nil and perigee.null or results[i] end
  return results
end)
return app
"""


class Tls(TlsCase):
    APP = APP

    def peer(self, path, talk=echo, alpn=()):
        peer = Peer(talk, context=Certificates.context(path, alpn))
        self.addCleanup(peer.close)
        return peer

    def run_lua(self, code, port, query="", server=None):
        response = (server or self.server).fetch("POST", f"/run?port={port}{query}", (), code)
        self.assertEqual(response.status, 200, response)
        return response.json()

    def test_a_conversation_under_tls(self):
        peer = self.peer(self.good)
        found = self.run_lua("""
            assert(sock:connect("localhost", port))
            assert(sock:sslhandshake())
            local text = ("x"):rep(300000)
            assert(sock:send(text))
            return sock:receive(#text) == text, sock:getreusedtimes()""", peer.port)
        self.assertEqual(found[:2], [True, 0])

    def test_certificates_that_are_wrong_are_refused_and_the_error_says_why(self):
        cases = {
            "wrong host": (self.certificates.signed("wrong", "DNS:other.test"), "hostname mismatch"),
            "expired": (self.certificates.signed("expired", days=-1), "certificate has expired"),
            "self-signed": (self.certificates.self_signed("self"), "self-signed certificate"),
        }
        for name, (path, reason) in cases.items():
            with self.subTest(name):
                peer = self.peer(path)
                code = 'local ok, err = sock:connect("localhost", port, { tls = true }) return ok, err, (sock:close())'
                found = self.run_lua(code, peer.port)
                self.assertIsNone(found[0])
                self.assertEqual(found[1], f"tls: the certificate is refused: {reason}")
                self.assertIsNone(found[2], "the socket is closed already")
                unverified = 'return sock:connect("localhost", port, { tls = { verify = false } })'
                self.assertEqual(self.run_lua(unverified, peer.port)[0], True)

    def test_an_address_is_verified_as_one(self):
        peer = self.peer(self.good)
        self.assertEqual(self.run_lua('return sock:connect("127.0.0.1", port, { tls = true })', peer.port)[0], True)
        named = self.peer(self.certificates.signed("named", "DNS:localhost"))
        found = self.run_lua('return sock:connect("127.0.0.1", port, { tls = true })', named.port)
        self.assertEqual(found[1], "tls: the certificate is refused: IP address mismatch")

    def test_the_server_name_is_said_and_verified(self):
        seen = []
        context = Certificates.context(self.certificates.signed("db", "DNS:db.test"))
        context.sni_callback = lambda _, name, __: seen.append(name)
        peer = Peer(echo, context=context)
        self.addCleanup(peer.close)
        code = 'return sock:connect("127.0.0.1", port, { tls = { server_name = "db.test" } })'
        self.assertEqual(self.run_lua(code, peer.port)[0], True)
        self.assertEqual(seen, ["db.test"])

    def test_alpn_is_offered_and_what_was_chosen_returned(self):
        peer = self.peer(self.good, alpn=("two", "one"))
        found = self.run_lua("""
            assert(sock:connect("localhost", port))
            return sock:sslhandshake { alpn = { "one", "two" } }""", peer.port)
        self.assertEqual(found[0], True)
        self.assertIn(found[1], ("one", "two"))

    def test_a_ca_of_its_own_is_taken_instead_of_the_configured(self):
        other = self.certificates.self_signed("other-ca")
        peer = self.peer(self.good)
        code = 'return sock:connect("localhost", port, { tls = { ca_file = query.ca } })'
        self.assertTrue(self.run_lua(code, peer.port, f"&ca={other}")[1].startswith("tls: the certificate is refused"))
        self.assertTrue(self.run_lua(code, peer.port, "&ca=/nowhere")[1].startswith("tls: the trusted certificates in"))

    def test_a_pooled_connection_is_one_identity_s(self):
        peer = self.peer(self.good)
        found = self.run_lua("""
            local function used(options)
              local other = perigee.socket.tcp()
              assert(other:connect("localhost", port, options))
              assert(other:send("x") and other:receive(1))
              local times = other:getreusedtimes()
              assert(other:setkeepalive())
              return times
            end
            local first = used({ tls = true })
            return first, used({ tls = true }), used({ tls = { verify = false } }), used({ tls = true })""", peer.port)
        self.assertEqual(found, [0, 1, 0, 2])

    def test_a_peer_that_speaks_no_tls_or_stalls_is_an_error(self):
        plain = Peer(lambda connection, _: (connection.sendall(b"220 hello\r\n"), wait_for_end(connection)))
        self.addCleanup(plain.close)
        self.assertTrue(self.run_lua('return sock:connect("localhost", port, { tls = true })', plain.port)[1]
                        .startswith("tls: "))
        silent = Peer(lambda connection, _: wait_for_end(connection))
        self.addCleanup(silent.close)
        found = self.run_lua('sock:settimeout(0.1) return sock:connect("localhost", port, { tls = true })', silent.port)
        self.assertEqual(found[1], "timeout")
        silent.wait_open(0)

    def test_an_end_that_tls_did_not_say_is_told_from_one_it_did(self):
        def cut(connection, _):
            connection.sendall(b"abc")
            connection.recv(1)
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
        peer = self.peer(self.good, cut)
        found = self.run_lua("""
            assert(sock:connect("localhost", port, { tls = true }))
            assert(sock:receive(3) and sock:send("x"))
            local data, err = sock:receive("*a")
            return data, err""", peer.port)
        self.assertIsNone(found[0])
        self.assertTrue(found[1].startswith(("closed: without the end that TLS says", "reset")), found)

    def test_a_configured_ca_file_that_can_t_be_read_is_found_when_it_is_loaded(self):
        path = self.certificates.folder / "server.toml"
        path.write_text('[client]\nca_file = "/nowhere/ca.pem"\nnameservers = ["example.com"]\n')
        result = run_perigee("check", "-c", path)
        self.assertEqual(result.returncode, 1)
        output = result.stdout + result.stderr
        self.assertIn("client.ca_file: tls: the trusted certificates in '/nowhere/ca.pem' can't be read", output)
        self.assertIn("client.nameservers takes IP addresses", output)


if __name__ == "__main__":
    unittest.main()
