"""perigee.http against real servers: what it sends and what it makes of answers."""

import gzip
import json
import socket
import subprocess
import threading
import unittest

from harness import PATIENCE, wait_until
from peers import Certificates, Nameserver, free_port, read_head, wait_for_end
from tls_case import TlsCase
from upstream import APP, HttpCase, answer


class Requests(HttpCase):
    APP = APP

    def test_each_method_and_what_it_sends(self):
        upstream = self.upstream(lambda method, *_: answer(body=b"" if method == "HEAD" else b"ok"))
        found = self.run_lua("""
            local out = {}
            for _, method in ipairs { "get", "post", "put", "patch", "delete", "head", "options" } do
              local res = assert(http[method](url .. "/" .. method, { body = method == "post" and "text" or nil }))
              out[#out + 1] = res.status .. res.body
            end
            assert(http.request("PURGE", url .. "/x")) assert(http.request(url .. "/y", { method = "get" }))
            return unpack(out)""", upstream.port)
        self.assertEqual(found, ["200ok"] * 5 + ["200", "200ok"])
        self.assertEqual([(one[0], one[1], one[3]) for one in upstream.requests],
                         [("GET", "/get", b""), ("POST", "/post", b"text"), ("PUT", "/put", b""),
                          ("PATCH", "/patch", b""), ("DELETE", "/delete", b""), ("HEAD", "/head", b""),
                          ("OPTIONS", "/options", b""), ("PURGE", "/x", b""), ("GET", "/y", b"")])
        self.assertEqual(upstream.accepted, 1, "one connection carries all of it")
        headers = upstream.requests[0][2]
        self.assertEqual(headers["host"], f"127.0.0.1:{upstream.port}")
        self.assertNotIn("content-length", headers)
        self.assertEqual(upstream.requests[2][2]["content-length"], "0")

    def test_query_json_form_and_headers(self):
        upstream = self.upstream(lambda *_: answer())
        self.run_lua("""
            http.get(url .. "/a?x=1#frag", { query = { b = "ü &", a = { 1, true } }, headers = { ["X-One"] = "1" } })
            http.post(url .. "/j", { json = { a = 1 } })
            http.post(url .. "/f", { form = { name = "a b", list = { "x", "y" } }, headers = { accept = "text/plain" } })
            http.get(url, { headers = { ["x-list"] = { "1", "2" }, host = "other.test", ["user-agent"] = "me" } })""",
                     upstream.port)
        first, second, third, fourth = upstream.requests
        self.assertEqual(first[1], "/a?x=1&a=1&a=true&b=%C3%BC%20%26")
        self.assertEqual(first[2]["x-one"], "1")
        self.assertEqual((second[2]["content-type"], json.loads(second[3])), ("application/json", {"a": 1}))
        self.assertEqual(third[2]["content-type"], "application/x-www-form-urlencoded")
        self.assertEqual((third[3], third[2]["accept"]), (b"list=x&list=y&name=a%20b", "text/plain"))
        self.assertEqual((fourth[1], fourth[2]["host"], fourth[2]["user-agent"]), ("/", "other.test", "me"))

    def test_answers_have_status_headers_body_and_json(self):
        body = b'{"a": [1, null]}'
        headers = ("X-Two: a", "x-two: b", "Set-Cookie: a=1", "Set-Cookie: b=2", "Content-Type: application/json")
        upstream = self.upstream(lambda *_: answer("404 Nope", body, headers))
        found = self.run_lua("""
            local res = http.get(url)
            return res.status, res.headers["x-two"], res.headers["X-Two"], res.headers["set-cookie"], res.body,
              res:json(), res.headers.none""", upstream.port)
        self.assertEqual(found, [404, "a, b", "a, b", ["a=1", "b=2"], body.decode(), {"a": [1, None]}, None])

    def test_every_framing_of_an_answer(self):
        cases = {
            "length": (answer(body=b"hello"), True),
            "chunked": (answer(headers=("Transfer-Encoding: chunked",), length=False)
                        + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: x\r\n\r\n", True),
            "until the end": (b"HTTP/1.1 200 OK\r\n\r\nhello", False),
            "1.0": (b"HTTP/1.0 200 OK\r\n\r\nhello", False),
            "1xx first": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
                          + answer(body=b"hello"), True),
            "no reason": (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", True),
        }
        for name, (data, stays) in cases.items():
            with self.subTest(name):
                peer = self.raw(data, close=not stays)
                found = self.run_lua("local res, err = http.get(url) return res and res.body, err", peer.port)
                self.assertEqual(found[0], "hello")

        def trickle(connection, _):
            read_head(connection)
            for byte in cases["chunked"][0]:
                connection.sendall(bytes([byte]))
            wait_for_end(connection)
        self.assertEqual(self.run_lua("return http.get(url).body", self.peer(trickle).port), ["hello"])

    def test_answers_without_a_body_leave_the_connection_in_order(self):
        replies = iter([b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
                        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", answer(body=b"last")])
        upstream = self.upstream(lambda *_: next(replies))
        found = self.run_lua("""
            return http.get(url).status, http.get(url).status, http.head(url).status, http.get(url).body""", upstream.port)
        self.assertEqual(found, [204, 304, 200, "last"])
        self.assertEqual(upstream.accepted, 1)

    def test_gzip_and_brotli_are_taken_off(self):
        text = b"hello " * 5000
        brotli = bytes.fromhex("0b028068656c6c6f03")  # "hello" as brotli writes it
        replies = {"/gzip": answer(body=gzip.compress(text), headers=("Content-Encoding: gzip",)),
                   "/br": answer(body=brotli, headers=("Content-Encoding: br",)),
                   "/bad": answer(body=b"not gzip at all", headers=("Content-Encoding: gzip",)),
                   "/cut": answer(body=gzip.compress(text)[:-9], headers=("Content-Encoding: gzip",)),
                   "/own": answer(body=gzip.compress(b"x"), headers=("Content-Encoding: gzip",))}
        upstream = self.upstream(lambda method, target, *_: replies[target])
        found = self.run_lua("""
            local res = http.get(url .. "/gzip")
            local own = http.get(url .. "/own", { headers = { ["Accept-Encoding"] = "gzip" } })
            return #res.body, res.body:sub(1, 6), res.headers["content-encoding"], res.headers["content-length"],
              http.get(url .. "/br").body, select(2, http.get(url .. "/bad")), select(2, http.get(url .. "/cut")),
              own.headers["content-encoding"], #own.body > 1""", upstream.port)
        self.assertEqual(found, [len(text), "hello ", None, None, "hello",
                                 "refused: the answer's content coding is malformed",
                                 "closed: the answer's content coding ended too early", "gzip", True])
        self.assertEqual(upstream.requests[0][2]["accept-encoding"], "gzip, br")

    def test_mistakes_of_the_program_raise_where_they_were_made(self):
        cases = {
            'http.get(url, { headers = { ["x\\r\\ny"] = "1" } })': "a header's name is no token",
            'http.get(url, { headers = { x = "a\\r\\nInjected: 1" } })':
                "the header 'x' holds CR, LF, NUL or another control byte",
            'http.get(url, { headers = { ["Content-Length"] = "5" } })':
                "the header 'content-length' is said by perigee.http itself",
            'http.get(url, { headers = { x = {} , y = print } })': "the header 'y' is no string",
            'http.get(url, { headers = { host = "a b" } })': "the header 'host' is malformed",
            'http.get(url, { tiemout = 1 })': "there is no option 'tiemout'",
            'http.get(url, { timeout = "1" })': "the option 'timeout' is a number of seconds, 0 or more",
            'http.get(url, { timeout = { all = 1 } })': "the option 'timeout' has no 'all': it takes connect, read and total",
            'http.get(url, { json = {}, body = "" })': "one of the options 'body', 'json' and 'form' at a time",
            'http.get(url, { json = { f = print } })': "$.f: functions have no JSON",
            'http.get(url, { verify = 1 })': "the option 'verify' is a boolean",
            'http.get(url, { tls = { sni = "x" } })': "there is no TLS option 'sni'",
            'http.get(url, { proxy = "https://x" })': "the option 'proxy': a proxy is spoken to by http://, also for https",
            'http.get(5)': "a url is a string",
            'http.request("GET X", url)': "the method is no token, or CONNECT",
        }
        for code, message in cases.items():
            with self.subTest(code):
                found = self.run_lua("return pcall(function() " + code + " end)", 1)
                self.assertFalse(found[0])
                if "JSON" not in message:
                    self.assertEqual(found[1], "body:1: perigee.http: " + message)
                else:
                    self.assertIn("$.f", found[1])

    def test_a_url_that_can_t_be_is_an_error_and_sends_nothing(self):
        upstream = self.upstream(lambda *_: answer())
        for url, reason in {"http://127.0.0.1:{}/a\\r\\nX: y": "the url holds a space or a control character",
                            "http://127.0.0.1:{}/a b": "the url holds a space or a control character",
                            "ftp://127.0.0.1:{}/": "the url does not begin with http:// or https://",
                            "http://": "the url's host or port is malformed",
                            "http://127.0.0.1:99999/": "the url's host or port is malformed"}.items():
            with self.subTest(url):
                found = self.run_lua('return http.get("' + url.format(upstream.port) + '")')
                self.assertEqual(found, [None, "refused: " + reason])
        self.assertEqual(upstream.requests, [])

    def test_userinfo_and_bytes_beyond_ascii_of_a_url(self):
        upstream = self.upstream(lambda *_: answer())
        self.run_lua('http.get("http://ann:s%40c@127.0.0.1:" .. port .. "/grün?q=é")', upstream.port)
        self.assertEqual(upstream.requests[0][1], "/gr%C3%BCn?q=%C3%A9")
        self.assertEqual(upstream.requests[0][2]["authorization"], "Basic YW5uOnNAYw==")

    def test_ipv6_literals(self):
        upstream = self.upstream(lambda *_: answer(body=b"six"), family=socket.AF_INET6)
        self.assertEqual(self.run_lua('return http.get("http://[::1]:" .. port .. "/").body', upstream.port), ["six"])
        self.assertEqual(upstream.requests[0][2]["host"], f"[::1]:{upstream.port}")

    def test_statistics_by_host(self):
        upstream = self.upstream(lambda *_: answer(body=b"x"))
        shut = free_port()
        found = self.run_lua(f"""
            for _ = 1, 3 do http.get(url) end
            http.get("http://127.0.0.1:{shut}/")
            local stats = http.stats()
            return stats["127.0.0.1:" .. port], stats["127.0.0.1:{shut}"]""", upstream.port)
        sent = found[0].pop("sent")
        received = found[0].pop("received")
        self.assertEqual(received, 3 * len(answer(body=b"x")))
        self.assertGreater(sent, 0)
        self.assertEqual(found[0], {"requests": 3, "reused": 2, "open": 1, "idle": 1, "errors": {}})
        self.assertEqual((found[1]["requests"], found[1]["open"], found[1]["errors"]), (1, 0, {"refused": 1}))


class Redirects(HttpCase):
    APP = APP

    def test_each_status_keeps_or_changes_the_method(self):
        def reply(method, target, headers, body, _):
            if target.startswith("/to"):
                return answer(f"{target[3:6]} Moved", headers=("Location: /there?x#f",))
            return answer(body=f"{method} {target} {body.decode()}".encode())
        upstream = self.upstream(reply)
        for status, expected in {301: "GET /there?x ", 302: "GET /there?x ", 303: "GET /there?x ",
                                 307: "POST /there?x text", 308: "POST /there?x text"}.items():
            found = self.run_lua(f'''
                local res = http.post(url .. "/to{status}", {{ body = "text" }})
                return res.body, res.url''', upstream.port)
            self.assertEqual(found, [expected, f"http://127.0.0.1:{upstream.port}/there?x"])
        self.assertEqual(self.run_lua('return http.put(url .. "/to302", { body = "b" }).body', upstream.port),
                         ["PUT /there?x b"])
        self.assertEqual(self.run_lua('return http.get(url .. "/to302", { redirects = 0 }).status', upstream.port), [302])

    def test_redirects_for_ever_end(self):
        upstream = self.upstream(lambda method, target, *_: answer("302 Found", headers=(f"Location: {target}x",)))
        self.assertEqual(self.run_lua("return http.get(url)", upstream.port), [None, "refused: more than 5 redirects"])
        self.assertEqual(len(upstream.requests), 6)

    def test_credentials_and_cookies_do_not_reach_another_host(self):
        other = self.upstream(lambda *_: answer(body=b"other"))
        upstream = self.upstream(lambda method, target, *_: answer("307 T", headers=(
            f"Location: {'http://127.0.0.1:%d/' % other.port if target == '/away' else '/stay2'}",))
            if target != "/stay2" else answer(body=b"stayed"))
        options = '{ headers = { Authorization = "s", Cookie = "c=1", ["x-plain"] = "p" } }'
        self.run_lua(f'http.get(url .. "/away", {options}) http.get(url .. "/stay", {options})', upstream.port)
        moved = other.requests[0][2]
        self.assertNotIn("authorization", moved)
        self.assertNotIn("cookie", moved)
        self.assertEqual(moved["x-plain"], "p")
        self.assertEqual(upstream.requests[-1][2]["authorization"], "s")

    def test_a_location_that_is_none(self):
        for location in ("ftp://127.0.0.1/", "http://", "http://[x/", "/a\x01b"):
            upstream = self.upstream(lambda *_, location=location: answer("302 F", headers=(f"Location: {location}",)))
            found = self.run_lua("return http.get(url)", upstream.port)
            self.assertIsNone(found[0])
            self.assertTrue(found[1].startswith("refused: "), found)

    def test_a_redirect_may_not_lead_to_a_blocked_address(self):
        dns = Nameserver({"in.test": {"A": ["127.0.0.1"]}})
        self.addCleanup(dns.close)
        upstream = self.upstream(lambda *_: answer("302 F", headers=("Location: http://10.0.0.1/",)))
        found = self.run_lua("return http.get(url, { block_private = true })", upstream.port)
        self.assertEqual(found[0], None)


class Streams(HttpCase):
    APP = APP

    def test_an_answer_comes_in_parts_before_it_ends(self):
        go = threading.Event()

        def talk(connection, _):
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
            go.wait(PATIENCE)
            connection.sendall(b"3\r\ntwo\r\n0\r\n\r\n")
            wait_for_end(connection)
        peer = self.peer(talk)
        helper = self.upstream(lambda *_: (go.set(), answer())[1])
        found = self.run_lua(f"""
            local res = http.get(url, {{ stream = true }})
            local first = res:read()
            http.get("http://127.0.0.1:{helper.port}/go")
            local rest = ""
            for chunk in res:chunks() do rest = rest .. chunk end
            return res.status, res.body, first, rest, res.error, (res:read())""", peer.port)
        self.assertEqual(found, [200, None, "one", "two", None, None])

    def test_a_large_answer_streams_in_bounded_memory(self):
        size = 64 << 20
        upstream = self.upstream(lambda method, target, headers, body, connection: (
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size),
            [connection.sendall(b"x" * (1 << 20)) for _ in range(size >> 20)], b"")[2])
        before = self.server.resident()
        found = self.run_lua("""
            local total = 0
            for chunk in http.get(url, { stream = true }):chunks() do total = total + #chunk end
            return total, http.stats()["127.0.0.1:" .. port].idle""", upstream.port)
        self.assertEqual(found, [size, 1])
        self.assertLess(self.server.resident() - before, 40 << 20)

    def test_a_reader_that_takes_its_time_slows_the_sender_down(self):
        sent = []

        def talk(connection, _):
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(64):
                connection.sendall(b"x" * (1 << 20))
                sent.append(1)
        peer = self.peer(talk)
        found = self.run_lua("""
            local res = http.get(url, { stream = true, timeout = { read = 0.05 } })
            res:read()
            perigee.sleep(0.3) -- longer than a pause may be: it is the reader's own
            local total = 0
            for chunk in res:chunks() do total = total + #chunk end
            return total > 60 * 2^20, res.error""", peer.port)
        self.assertEqual(found, [True, None])

    def test_a_stream_that_breaks_off_says_so(self):
        peer = self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        found = self.run_lua("""
            local res = http.get(url, { stream = true })
            local parts = {}
            for chunk in res:chunks() do parts[#parts + 1] = chunk end
            return table.concat(parts), res.error, select(2, res:read())""", peer.port)
        self.assertEqual(found, ["abc", "closed: the answer ended too early", "closed: the answer ended too early"])

    def test_a_stream_that_is_closed_or_forgotten_ends_its_connection(self):
        peer = self.raw(b"HTTP/1.1 200 OK\r\n\r\nabc", close=False)
        self.run_lua("http.get(url, { stream = true }):close()", peer.port)
        peer.wait_open(0)
        self.run_lua("do local res = http.get(url, { stream = true }) end collectgarbage() collectgarbage()", peer.port)
        peer.wait_open(0)

    def test_a_stream_is_read_by_one_task_and_ends_for_it_when_another_closes_it(self):
        peer = self.raw(b"HTTP/1.1 200 OK\r\n\r\n", close=False)
        found = self.run_lua("""
            local res, known = http.get(url, { stream = true }), #perigee.errors()
            local reader = perigee.spawn(function() return "the end", res:read() end)
            perigee.sleep(0)
            local ok, err = pcall(res.read, res)
            res:close()
            local said, part, why = reader:wait(10)
            return ok, err, said, part, why, res.error, #perigee.errors() - known""", peer.port)
        self.assertEqual(found, [False, "another task is reading the answer", "the end", None, None, None, 0])
        peer.wait_open(0)

    def test_an_empty_part_does_not_end_a_body(self):
        upstream = self.upstream(lambda method, target, headers, body, _: answer(body=body))
        found = self.run_lua("""
            local parts, i = { "", "one", "", "two", "" }, 0
            return http.post(url, { body = function() i = i + 1 return parts[i] end }).body""", upstream.port)
        self.assertEqual(found, ["onetwo"])

    def test_a_body_is_sent_as_it_is_made(self):
        upstream = self.upstream(lambda method, target, headers, body, _: answer(body=str(len(body)).encode()))
        found = self.run_lua("""
            local parts = 0
            local res = http.post(url, { body = function()
              parts = parts + 1
              if parts <= 100 then perigee.sleep(0) return ("x"):rep(50000) end
            end })
            local err = select(2, pcall(http.post, url, { body = function() error("mine", 0) end }))
            local kind = select(2, pcall(http.post, url, { body = function() return {} end }))
            return res.body, err, kind:match("returned a .*")""", upstream.port)
        self.assertEqual(found, ["5000000", "mine", "returned a table, not a string"])
        self.assertEqual(upstream.requests[0][2]["transfer-encoding"], "chunked")

    def test_an_answer_before_the_request_is_out_is_taken(self):
        def talk(connection, _):
            read_head(connection)
            connection.sendall(answer("413 Too Large", b"no", ("Connection: close",)))
            connection.shutdown(socket.SHUT_WR)
            wait_for_end(connection)
        peer = self.peer(talk)
        found = self.run_lua("""
            local one = http.post(url, { body = ("x"):rep(2^24) })
            local n = 0
            local two = http.post(url, { body = function() n = n + 1 return n < 1000 and ("x"):rep(65536) or nil end })
            return one and one.status, two and two.status""", peer.port)
        self.assertEqual(found, [413, 413])


class Tls(TlsCase, HttpCase):
    APP = APP

    def secure(self, path, body=b"secret"):
        return self.upstream(lambda *_: answer(body=body), context=Certificates.context(path))

    def test_https_is_verified_and_pooled_by_identity(self):
        upstream = self.secure(self.good)
        found = self.run_lua("""
            local https = "https://localhost:" .. port
            local out = { http.get(https).body, http.get(https).body, http.get(https, { verify = false }).body }
            local stats = http.stats()["localhost:" .. port]
            return out, stats.reused, stats.idle""", upstream.port)
        self.assertEqual(found, [["secret"] * 3, 1, 2])

    def test_wrong_certificates(self):
        for path, reason in ((self.certificates.signed("wrong", "DNS:other.test"), "hostname mismatch"),
                             (self.certificates.signed("expired", days=-1), "certificate has expired"),
                             (self.certificates.self_signed("self"), "self-signed certificate")):
            upstream = self.secure(path)
            found = self.run_lua('return http.get("https://localhost:" .. port)', upstream.port)
            self.assertEqual(found, [None, f"tls: the certificate is refused: {reason}: localhost"])
            found = self.run_lua('return http.get("https://localhost:" .. port, { verify = false }).body', upstream.port)
            self.assertEqual(found, ["secret"])
            self.assertEqual(len(upstream.requests), 1)

    def test_openssl_s_server_speaks_with_us(self):
        port = free_port()
        server = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-cert", str(self.good), "-key",
                                   str(self.good), "-www", "-quiet"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)

        def ready():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        wait_until(ready, "openssl s_server")
        found = self.run_lua('local res, err = http.get("https://localhost:" .. port) return res and res.status, err', port)
        self.assertEqual(found[0], 200, found)

    def test_a_tunnel_through_a_proxy(self):
        upstream = self.secure(self.good)
        asked = []

        def talk(connection, _):
            head, _ = read_head(connection)
            asked.append(head.decode())
            if b"Proxy-Authorization" not in head:
                connection.sendall(b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", upstream.port)) as inner:
                connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")

                def pump():
                    while data := inner.recv(65536):
                        connection.sendall(data)
                threading.Thread(target=pump, daemon=True).start()
                while data := connection.recv(65536):
                    inner.sendall(data)
        proxy = self.peer(talk)
        found = self.run_lua(f"""
            local https = "https://localhost:" .. port
            return http.get(https, {{ proxy = "http://u:p@127.0.0.1:{proxy.port}" }}).body,
              http.get(https, {{ proxy = "http://127.0.0.1:{proxy.port}" }})""", upstream.port)
        self.assertEqual(found, ["secret", None, "refused: the proxy answers 407"])
        self.assertIn(f"CONNECT localhost:{upstream.port} HTTP/1.1\r\n", asked[0])
        self.assertIn("Proxy-Authorization: Basic dTpw\r\n", asked[0])


class Proxies(HttpCase):
    def test_the_environment_s_proxy_is_asked_but_for_exceptions(self):
        proxy = self.upstream(lambda method, target, *_: answer(body=target.encode()))
        direct = self.upstream(lambda *_: answer(body=b"direct"))
        dns = Nameserver({"direct.test": {"A": ["127.0.0.1"]}})
        self.addCleanup(dns.close)
        server = self.start(APP, config=f'[client]\nnameservers = ["{dns.address}"]\n', env={
            "http_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": "direct.test,10.0.0.0/8"})
        found = self.run_lua("""
            return http.get("http://far.test/a?b").body, http.get("http://direct.test:" .. port).body,
              http.get(url).body, http.get("http://sub.direct.test:" .. port, { proxy = false })""", direct.port, server)
        self.assertEqual(found, ["http://far.test/a?b", "direct", "direct", None, "dns: no such name: sub.direct.test"])


if __name__ == "__main__":
    unittest.main()
