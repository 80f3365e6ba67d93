"""perigee.http against upstreams that do wrong, and what becomes of pooled connections."""

import gzip
import threading
import time
import unittest
import zlib

from harness import PATIENCE, wait_until
from peers import Nameserver, free_port, read_head, reset, wait_for_end
from upstream import APP, HttpCase, answer


class Faults(HttpCase):
    APP = APP

    def error_of(self, port, options="{}", method="get"):
        found = self.run_lua(f"local res, err = http.{method}(url, {options}) return res == nil, err", port)
        self.assertTrue(found[0], "an answer was given")
        return found[1]

    def test_nobody_listens(self):
        port = free_port()
        self.assertEqual(self.error_of(port), f"refused: 127.0.0.1:{port}")

    def test_a_reset_and_an_end_before_an_answer(self):
        self.assertTrue(self.error_of(self.peer(lambda connection, _: (read_head(connection), reset(connection))).port)
                        .startswith(("reset", "closed")))
        self.assertEqual(self.error_of(self.peer(lambda connection, _: read_head(connection)).port),
                         "closed: before an answer came")

    def test_a_stall_at_each_byte(self):
        data = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
        for size in range(len(data)):
            def talk(connection, _, size=size):
                read_head(connection)
                connection.sendall(data[:size])
                wait_for_end(connection)
            peer = self.peer(talk)
            self.assertTrue(self.error_of(peer.port, "{ timeout = 0.03 }").startswith("timeout: "))
            peer.close()

    def test_an_end_at_each_byte(self):
        data = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
        for size in range(len(data)):
            self.assertTrue(self.error_of(self.raw(data[:size]).port).startswith("closed: "), size)

    def test_a_drip_that_never_pauses_long_enough_is_ended_by_the_total(self):
        def drip(connection, _):
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"x")
                time.sleep(0.01)
        started = time.monotonic()
        error = self.error_of(self.peer(drip).port, "{ timeout = { total = 0.2, read = 5 } }")
        self.assertEqual(error, "timeout: reading the answer of 127.0.0.1")
        self.assertLess(time.monotonic() - started, PATIENCE)

    def test_a_length_that_lies(self):
        self.assertEqual(self.error_of(self.raw(answer(body=b"abc").replace(b": 3", b": 9")).port),
                         "closed: the answer ended too early")
        # Too short: the rest is no answer to anything.
        replies = iter([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen",
                        answer(body=b"right")])
        upstream = self.upstream(lambda *_: next(replies))
        self.assertEqual(self.run_lua("return http.get(url).body, http.get(url).body", upstream.port), ["ab", "right"])
        self.assertEqual(upstream.accepted, 2)

    def test_malformed_answers(self):
        cases = {
            b"SSH-2.0-OpenSSH\r\n\r\n": "it does not begin with a status line of HTTP/1",
            b"HTTP/2 200 OK\r\n\r\n": "it does not begin with a status line of HTTP/1",
            b"HTTP/1.1 2x0 OK\r\n\r\n": "it does not begin with a status line of HTTP/1",
            b"HTTP/1.1 101 Switching\r\n\r\n": "it changes the protocol, which nobody asked for",
            b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n": "a line of its head is malformed",
            b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n": "a line of its head is malformed",
            b"HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n": "a line of its head is malformed",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab": "its length can be read two ways",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n":
                "its length can be read two ways",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n": "its length can be read two ways",
            b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": "its length can be read two ways",
            b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab": "its length is no number",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n": "its length is no number",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000 + b"\r\n\r\n": "its head is too large",
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n": "its head is too large",
            b"HTTP/1.1 100 Continue\r\n\r\n" * 4000: "its head is too large",
        }
        for data, reason in cases.items():
            with self.subTest(data[:60]):
                self.assertEqual(self.error_of(self.raw(data, close=False).port),
                                 "refused: the answer is malformed: " + reason)
        chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        self.assertTrue(self.error_of(self.raw(chunk, close=False).port).startswith("refused: the answer is malformed"))

    def test_a_gibibyte_is_given_up_quickly_however_it_is_framed(self):
        def flood(head):
            def talk(connection, _):
                read_head(connection)
                connection.sendall(head)
                block = (b"%x\r\n" % (1 << 20) if b"chunked" in head else b"") + b"x" * (1 << 20) + b"\r\n"
                for _ in range(1024):
                    connection.sendall(block)
            return self.peer(talk)
        before = self.server.resident()
        started = time.monotonic()
        ok = b"HTTP/1.1 200 OK\r\n"
        self.assertEqual(self.error_of(flood(ok + b"Content-Length: 1073741824\r\n\r\n").port),
                         "too_large: the answer has 1073741824 bytes")
        for head in (ok + b"\r\n", ok + b"Transfer-Encoding: chunked\r\n\r\n"):
            self.assertEqual(self.error_of(flood(head).port, "{ max_body = 1000000 }"),
                             "too_large: the answer has more than 1000000 bytes")
        self.assertLess(time.monotonic() - started, PATIENCE)
        self.assertLess(self.server.resident() - before, 100 << 20)

    def test_a_little_that_decodes_to_much(self):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join([packer.compress(bytes(1 << 20)) for _ in range(256)] + [packer.flush()])
        upstream = self.upstream(lambda *_: answer(body=bomb, headers=("Content-Encoding: gzip",)))
        before = self.server.resident()
        self.assertEqual(self.error_of(upstream.port), "too_large: the answer, decoded, has more than 16777216 bytes")
        self.assertLess(self.server.resident() - before, 100 << 20)

    def test_a_part_of_a_stream_does_not_grow_without_end(self):
        bomb = bytes.fromhex("cfffff7ff82700e2b14020f7fe9ffffffff04f00c4610180eefd3fffffffe19f0088c32200ddfb7ffeffffc33f0110870"
                             "500baf7fffcffff877f02200e0b0074effff9ffff0fff04401c1600e8defff3ffff1ffe0980382c00d0bdffcfffff7f"
                             "fc1300715800a07bff0f")  # 128 MiB of zeros as brotli writes them
        upstream = self.upstream(lambda *_: answer(body=bomb, headers=("Content-Encoding: br",)))
        found = self.run_lua("""
            local res, most = http.get(url, { stream = true }), 0
            for chunk in res:chunks() do most = math.max(most, #chunk) end
            return most <= 64 * 2^20, res.error""", upstream.port)
        self.assertEqual(found, [True, "too_large: the answer, decoded, has more than 67108864 bytes"])

    def test_a_client_that_leaves_closes_what_its_handler_asked_for(self):
        peer = self.peer(lambda connection, _: (read_head(connection), wait_for_end(connection)))
        client = self.connect()
        client.send_request("POST", f"/run?port={peer.port}", (), "return http.get(url)")
        peer.wait_open(1)
        client.abort()
        peer.wait_open(0)

    def test_cancelled_tasks_leave_nothing(self):
        peer = self.peer(lambda connection, _: (read_head(connection), wait_for_end(connection)))
        before = self.server.descriptors()
        self.run_lua("""
            local tasks = {}
            for i = 1, 200 do tasks[i] = perigee.spawn(function() http.get(url) end) end
            perigee.sleep(0.05)
            for _, task in ipairs(tasks) do task:cancel() end
            for _, task in ipairs(tasks) do task:wait() end""", peer.port)
        peer.wait_open(0)
        wait_until(lambda: self.server.descriptors() <= before + 2, "the descriptors to be given back")

    def test_private_addresses_are_blocked_where_that_is_asked_for(self):
        upstream = self.upstream(lambda *_: answer(body=b"inner"))
        found = self.run_lua("""
            http.get(url) -- a pooled connection changes nothing
            return http.get(url, { block_private = true })""", upstream.port)
        self.assertEqual(found, [None, "refused: 127.0.0.1 is a private address, and those are blocked"])
        dns = Nameserver({"evil.test": {"A": ["127.0.0.1"]}})
        self.addCleanup(dns.close)
        server = self.start(APP, config=f'[client]\nnameservers = ["{dns.address}"]\nblock_private = true\n')
        code = 'return http.get("http://evil.test:" .. port, { block_private = query.block == "yes" and nil })'
        self.assertEqual(self.run_lua('return http.get("http://evil.test:" .. port)', upstream.port, server),
                         [None, "refused: evil.test is a private address, and those are blocked"])
        code = 'return http.get("http://evil.test:" .. port, { block_private = false }).body'
        self.assertEqual(self.run_lua(code, upstream.port, server), ["inner"])


class Pool(HttpCase):
    APP = APP

    def test_a_restarted_upstream_costs_idempotent_requests_nothing(self):
        upstream = self.upstream(lambda method, target, *_: answer(body=target.encode()))
        found = self.run_lua("""
            local tasks, good = {}, 0
            for i = 1, 20 do tasks[i] = perigee.spawn(function() return http.get(url .. "/" .. i).body end) end
            for i, task in ipairs(tasks) do good = good + (task:wait() == "/" .. i and 1 or 0) end
            return good""", upstream.port)
        self.assertEqual(found, [20])
        upstream.drop_all()
        found = self.run_lua("""
            local out = {}
            for i = 1, 20 do out[i] = http.get(url .. "/again" .. i).body end
            return unpack(out)""", upstream.port)
        self.assertEqual(found, [f"/again{i}" for i in range(1, 21)])

    def test_a_connection_that_dies_under_a_request_is_tried_again_once_for_idempotent_methods_only(self):
        def reply(method, target, headers, body, connection):
            if target == "/die" and (len(upstream.requests) > 1 or True):
                return None
            return answer(body=b"fine")
        upstream = self.upstream(reply)
        for method, seen in (("get", 2), ("put", 2), ("post", 1), ("patch", 1)):
            with self.subTest(method):
                upstream.requests.clear()
                found = self.run_lua(f"""
                    assert(http.get(url .. "/first"))
                    local res, err = http.{method}(url .. "/die")
                    return res == nil, err""", upstream.port)
                self.assertEqual(found[0], True)
                self.assertTrue(found[1].startswith(("closed", "reset")), found)
                self.assertEqual(len([one for one in upstream.requests if one[1] == "/die"]), seen)

    def test_a_fresh_connection_that_dies_is_not_tried_again(self):
        upstream = self.upstream(lambda *_: None)
        self.assertEqual(self.run_lua("return http.get(url)", upstream.port), [None, "closed: before an answer came"])
        self.assertEqual(len(upstream.requests), 1)

    def test_an_answer_that_began_is_never_tried_again(self):
        replies = iter([answer(body=b"one"), b"HTTP/1.1 2"])
        upstream = self.upstream(lambda method, target, headers, body, connection:
                                 (lambda data: data if data[-1:] == b"e" else (connection.sendall(data), None)[1])(next(replies)))
        found = self.run_lua("return http.get(url).body, http.get(url)", upstream.port)
        self.assertEqual(found, ["one", None, "closed: the answer ended too early"])

    def test_what_says_close_is_not_pooled(self):
        upstream = self.upstream(lambda *_: answer(body=b"x", headers=("Connection: close",)))
        self.run_lua("http.get(url) http.get(url)", upstream.port)
        self.assertEqual(upstream.accepted, 2)

    def test_the_pool_s_size_is_kept(self):
        gate = threading.Barrier(6)
        upstream = self.upstream(lambda *_: (gate.wait(PATIENCE), answer(body=b"x"))[1])
        server = self.start(APP, config="[client]\npool_size = 2\n")
        self.run_lua("""
            local tasks = {}
            for i = 1, 6 do tasks[i] = perigee.spawn(http.get, url) end
            for _, task in ipairs(tasks) do assert(task:wait()) end""", upstream.port, server)
        upstream.wait_open(2)


if __name__ == "__main__":
    unittest.main()
