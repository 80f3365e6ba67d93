"""Static folders and single files over the wire: what is served, what never is, and what happens to it meanwhile."""

import gzip
import json
import os
import unittest

from harness import Closed, ServerCase, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
app:static("/assets", "public", { cache_control = "max-age=60", precompressed = true })
app:static("/list", "public", { listing = true, index = false })
app:static("/spa", "public", { fallback = "index.html" })
app:use("/ware", function(req, inner)
  local res = inner(req)
  res.headers["x-status"] = tostring(res.status)
  res.headers["x-bytes"] = tostring(res:bytes())
  return res
end)
app:static("/ware", "public")
app:group("/group", function(group) group:static("/", "public") end)
app:static("/own", "public")
app:get("/own/", function() return "own root" end)
app:get("/own/a.txt", function() return "own file" end)
app:get("/one", function() return perigee.file("public/a.txt", { type = "text/x-one", download = true }) end)
app:get("/sorry", function() return 404, perigee.file("public/a.txt"), { ["cache-control"] = "no-store" } end)
app:get("/typed", function() return 200, perigee.file("public/large.bin"), { ["content-type"] = "x/y", etag = '"mine"' } end)
app:get("/below/{path*}", function(req) return perigee.file(req.params.path, { root = "public" }) end)
app:get("/bad", function() return 200, perigee.file("public/large.bin"), { ["x-bad"] = "a\\r\\nb" } end)
app:post("/posted", { limits = { body = "10MB" } }, function() return perigee.file("public/large.bin") end)
app:get("/ping", function() return "pong" end)
return app
"""
LARGE = bytes(range(256)) * 1024


class FilesCase(ServerCase):
    APP = APP
    FILES = {"public/a.txt": "hello file\n", "public/index.html": "<p>index</p>", "public/sub/index.html": "sub",
             "public/empty/.keep": "", "public/.env": "secret", "public/app.js": "let a = 1", "secret.txt": "secret",
             "public/names/a b?.txt": "odd"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.public = cls.server.directory / "public"
        (cls.public / "large.bin").write_bytes(LARGE)
        (cls.public / "app.js.gz").write_bytes(gzip.compress(b"let a = 1"))
        os.symlink("/etc/passwd", cls.public / "leak")
        os.symlink("../secret.txt", cls.public / "up")
        os.symlink("a.txt", cls.public / "inside")
        os.mkfifo(cls.public / "fifo")

    def fetch(self, target, method="GET", **headers):
        return self.server.fetch(method, target, [(name.replace("_", "-"), value) for name, value in headers.items()])


class Served(FilesCase):
    def test_a_file_has_its_type_and_its_validators(self):
        answer = self.fetch("/assets/a.txt")
        self.assertEqual((answer.status, answer.body), (200, b"hello file\n"))
        self.assertEqual(answer.header("content-type"), "text/plain; charset=utf-8")
        self.assertEqual(answer.header("cache-control"), "max-age=60")
        self.assertEqual(answer.header("accept-ranges"), "bytes")
        tag, date = answer.header("etag"), answer.header("last-modified")
        self.assertRegex(tag, r'^"[0-9a-f-]+"$')
        for target in ("/assets/a.txt", "/ware/a.txt", "/group/a.txt"):
            for headers in ({"If_None_Match": tag}, {"If_Modified_Since": date}):
                again = self.fetch(target, **headers)
                self.assertEqual((again.status, again.body, again.header("etag")), (304, b"", tag), target)
                self.assertIsNone(again.header("content-type"))
            self.assertEqual(self.fetch(target, If_Match='"x"').status, 412)

    def test_head_says_what_get_would(self):
        for target in ("/assets/a.txt", "/assets/large.bin", "/ware/large.bin"):
            get, head = self.fetch(target), self.fetch(target, "HEAD")
            self.assertEqual(head.body, b"")
            for name in ("content-length", "content-type", "etag"):
                self.assertEqual(head.header(name), get.header(name), (target, name))

    def test_other_methods_are_405(self):
        answer = self.fetch("/assets/a.txt", "POST")
        self.assertEqual((answer.status, answer.header("allow")), (405, "GET, HEAD, OPTIONS"))

    def test_an_index_a_redirect_a_fallback_and_a_listing(self):
        self.assertEqual(self.fetch("/assets/").body, b"<p>index</p>")
        self.assertEqual(self.fetch("/assets/sub/").body, b"sub")
        moved = self.fetch("/assets/sub?x=1")
        self.assertEqual((moved.status, moved.header("location")), (308, "./sub/?x=1"))
        self.assertEqual(self.fetch("/assets/empty/").status, 404)
        self.assertEqual(self.fetch("/spa/any/where").body, b"<p>index</p>")
        self.assertEqual(self.fetch("/list/empty/").status, 200)
        page = self.fetch("/list/").text
        self.assertIn('<a href="./names/">names/</a>', page)
        self.assertLess(page.index("sub/"), page.index("a.txt"))
        for hidden in (".env", "leak", "fifo"):
            self.assertNotIn(hidden, page)
        self.assertIn('<a href="./a%20b%3F.txt">a b?.txt</a>', self.fetch("/list/names/").text)
        self.assertEqual(self.fetch("/list/names/a%20b%3F.txt").body, b"odd")

    def test_routes_of_the_app_come_first(self):
        self.assertEqual(self.fetch("/own/").body, b"own root")
        self.assertEqual(self.fetch("/own/a.txt").body, b"own file")
        self.assertEqual(self.fetch("/own/app.js").body, b"let a = 1")

    def test_middleware_sees_the_answer(self):
        found, missing = self.fetch("/ware/a.txt"), self.fetch("/ware/none")
        self.assertEqual((found.header("x-status"), found.header("x-bytes")), ("200", "nil"))
        self.assertEqual((missing.status, missing.header("x-status")), (404, "404"))

    def test_a_single_file(self):
        one = self.fetch("/one")
        self.assertEqual((one.body, one.header("content-type")), (b"hello file\n", "text/x-one"))
        self.assertEqual(one.header("content-disposition"), 'attachment; filename="a.txt"')
        sorry = self.fetch("/sorry", Range="bytes=0-1", If_None_Match="*")
        self.assertEqual((sorry.status, sorry.body, sorry.all("cache-control")), (404, b"hello file\n", ["no-store"]))
        typed = self.fetch("/typed")
        self.assertEqual((typed.all("content-type"), typed.all("etag"), typed.body), (["x/y"], ['"mine"'], LARGE))
        self.assertIn("multipart/byteranges", self.fetch("/typed", Range="bytes=0-1,9000-9001").header("content-type"))
        self.assertEqual(self.fetch("/below/a.txt").body, b"hello file\n")
        bad = self.fetch("/bad")
        self.assertEqual((bad.status, bad.json()["status"]), (500, 500))

    def test_a_neighbour_that_is_compressed(self):
        plain = self.fetch("/assets/app.js")
        packed = self.fetch("/assets/app.js", Accept_Encoding="gzip")
        self.assertEqual((plain.body, plain.header("vary")), (b"let a = 1", "Accept-Encoding"))
        self.assertEqual(gzip.decompress(packed.body), plain.body)
        self.assertEqual((packed.header("content-encoding"), packed.header("vary")), ("gzip", "Accept-Encoding"))
        self.assertEqual(packed.header("content-type"), plain.header("content-type"))
        self.assertNotEqual(packed.header("etag"), plain.header("etag"))
        self.assertEqual(self.fetch("/assets/app.js", Accept_Encoding="gzip;q=0").body, plain.body)

    def test_ranges_from_memory_and_from_disk(self):
        for target, whole in (("/assets/a.txt", b"hello file\n"), ("/assets/large.bin", LARGE)):
            size = len(whole)
            for value, expected in (("0-0", whole[:1]), ("5-", whole[5:]), ("-5", whole[-5:]), (f"0-{size * 9}", whole),
                                    ("0-3,2-8", whole[:9])):
                answer = self.fetch(target, Range=f"bytes={value}")
                self.assertEqual((answer.status, answer.body), (206, expected), (target, value))
                self.assertRegex(answer.header("content-range"), rf"^bytes \d+-\d+/{size}$")
            for value in (f"{size}-", "-0", "99999999999999999999-"):
                answer = self.fetch(target, Range=f"bytes={value}")
                self.assertEqual((answer.status, answer.header("content-range")), (416, f"bytes */{size}"))
            for value in ("bytes=x", "bytes=5-4", "items=0-1", "bytes=" + ",".join(f"{i * 200}-{i * 200}" for i in range(17))):
                self.assertEqual(self.fetch(target, Range=value).body, whole, value)

    def test_several_ranges(self):
        answer = self.fetch("/assets/large.bin", Range="bytes=1000-1009, 0-9, -10")
        boundary = answer.header("content-type").removeprefix("multipart/byteranges; boundary=").encode()
        parts = answer.body.split(b"--" + boundary)
        self.assertEqual((answer.status, parts[0], parts[-1], len(parts)), (206, b"", b"--\r\n", 5))
        for part, first in zip(parts[1:4], (1000, 0, len(LARGE) - 10)):
            head, body = part.removesuffix(b"\r\n").split(b"\r\n\r\n", 1)
            self.assertIn(f"Content-Range: bytes {first}-{first + 9}/{len(LARGE)}".encode(), head)
            self.assertEqual(body, LARGE[first:first + 10])

    def test_pipelined_files_come_in_order(self):
        client = self.connect()
        client.send(b"".join(b"GET /assets/%s HTTP/1.1\r\nHost: a\r\n\r\n" % name
                             for name in (b"large.bin", b"a.txt", b"large.bin", b"none", b"large.bin")))
        answers = [client.read_response() for _ in range(5)]
        self.assertEqual([answer.status for answer in answers], [200, 200, 200, 404, 200])
        self.assertEqual([len(answer.body) for answer in answers if answer.status == 200],
                         [len(LARGE), 11, len(LARGE), len(LARGE)])

    def test_a_post_may_be_answered_by_a_file(self):
        client = self.connect()
        client.send_request("POST", "/posted", body=b"x" * 500_000)
        self.assertEqual(client.read_response().body, LARGE)


class Refused(FilesCase):
    def test_nothing_outside_of_the_folder_and_nothing_hidden(self):
        for prefix in ("/assets", "/ware", "/below", "/list", "/group"):
            for path in ("../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", "%2e%2e%2fsecret.txt", "sub/../../secret.txt",
                         "..%5csecret.txt", "..\\secret.txt", "%252e%252e/secret.txt", "leak", "up", ".env", "fifo",
                         "a.txt%00", "a.txt%00.html", "a.txt/", "//etc/passwd", "%2fetc%2fpasswd", "./.env", "empty/.keep",
                         "x" * 300, "\u00e9"):
                client = self.connect()
                client.send(f"GET {prefix}/{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
                answer = client.read_response()
                self.assertIn(answer.status, (400, 404), (prefix, path))
                self.assertNotIn(b"secret", answer.body)
                self.assertNotIn(b"root:", answer.body)
        self.assertEqual(self.fetch("/assets/inside").body, b"hello file\n")

    def test_what_may_not_be_read_is_no_200(self):
        path = self.public / "locked.txt"
        path.write_text("locked")
        path.chmod(0)
        answer = self.fetch("/assets/locked.txt")
        self.assertEqual(answer.status, 200 if os.geteuid() == 0 else 403)  # root reads everything


class Changing(FilesCase):
    SETTINGS = {"static.check": "0"}

    def replace(self, name, data):
        fresh = self.public / "fresh.part"
        fresh.write_bytes(data)
        os.replace(fresh, self.public / name)

    def test_a_replaced_file_is_served_at_once_and_has_another_tag(self):
        tags = set()
        for i in range(20):
            self.replace("b.txt", b"%05d" % i)
            answer = self.fetch("/assets/b.txt", If_None_Match=", ".join(tags) or '"x"')
            self.assertEqual((answer.status, answer.body), (200, b"%05d" % i))
            tags.add(answer.header("etag"))
        self.assertEqual(len(tags), 20)
        self.assertEqual(self.fetch("/assets/b.txt", Range="bytes=0-1", If_Range=sorted(tags)[0]).status, 200)
        os.unlink(self.public / "b.txt")
        self.assertEqual(self.fetch("/assets/b.txt").status, 404)

    def sparse(self, name, size):
        with open(self.public / name, "wb") as file:
            file.truncate(size)

    def begin(self, target):
        client = self.connect(receive_buffer=65536)
        client.send_request("GET", target)
        head = client.read_head()
        self.assertEqual(head.status, 200)
        return client, int(head.header("content-length"))

    def test_a_file_replaced_while_it_is_sent_stays_what_it_was(self):
        self.replace("c.bin", b"a" * 20_000_000)
        client, size = self.begin("/assets/c.bin")
        self.replace("c.bin", b"b" * 10)
        self.assertEqual(client.read_exactly(size), b"a" * size)
        self.assertEqual(self.fetch("/assets/c.bin").body, b"b" * 10)

    def test_a_file_that_becomes_shorter_ends_the_connection(self):
        self.sparse("d.bin", 50_000_000)
        client, size = self.begin("/assets/d.bin")
        os.truncate(self.public / "d.bin", 1000)
        self.assertLess(len(client.read_to_end()), size)
        self.server.stderr.wait("a file became shorter while it was sent: /assets/d.bin")
        self.assertEqual(self.fetch("/ping").body, b"pong")

    def test_a_slow_client_costs_no_memory_and_no_descriptor_when_it_goes(self):
        self.sparse("e.bin", 200_000_000)
        self.fetch("/ping")
        descriptors, before = self.server.descriptors(), self.server.resident()
        clients = [self.begin("/assets/e.bin")[0] for _ in range(8)]
        for client in clients:
            client.read_exactly(1_000_000)
        self.assertEqual(self.fetch("/ping").body, b"pong")
        self.assertLess(self.server.resident() - before, 20_000_000)
        for client in clients:
            client.abort()
        os.unlink(self.public / "e.bin")
        self.assertEqual(self.fetch("/assets/e.bin").status, 404)
        wait_until(lambda: self.server.descriptors() <= descriptors, "the descriptors to close")

    def test_a_download_outlives_a_reload(self):
        self.sparse("f.bin", 30_000_000)
        client, size = self.begin("/assets/f.bin")
        for _ in range(3):
            self.server.reload()
        self.assertEqual(len(client.read_exactly(size)), size)
        client.send_request("GET", "/ping")
        self.assertEqual(client.read_response().body, b"pong")


class Timed(FilesCase):
    SETTINGS = {"http.write_timeout": "0.3", "log.access": "stdout", "log.access_format": "json"}

    def test_a_client_that_takes_nothing_is_given_up_and_logged(self):
        with open(self.public / "g.bin", "wb") as file:
            file.truncate(100_000_000)
        client = self.connect(receive_buffer=65536)
        client.send_request("GET", "/assets/g.bin")
        line = self.server.stdout.wait(r"^.*/assets/g\.bin.*$")
        record = json.loads(line.group())
        self.assertEqual((record["route"], record["status"]), ("/assets/{path*}", 200))
        self.assertTrue(0 < record["bytes"] < 100_000_000, record)
        with self.assertRaises((Closed, OSError)):
            client.read_exactly(100_000_000)


class Hooked(FilesCase):
    APP = APP.replace("return app\n", "app:after(function(req, res) print('after ' .. req.path .. ' ' .. res.status) end)\n"
                      "app:error(function(problem, req) return 'rendered ' .. problem.status end)\nreturn app\n")

    def test_hooks_run_when_the_file_is_sent_or_its_client_gone(self):
        self.assertEqual(self.fetch("/assets/large.bin").body, LARGE)
        self.server.stderr.wait("after /assets/large.bin 200")
        self.assertEqual(self.fetch("/assets/none").body, b"rendered 404")
        missed = self.fetch("/assets/a.txt", Range="bytes=99-")
        self.assertEqual((missed.status, missed.body), (416, b"rendered 416"))
        with open(self.public / "h.bin", "wb") as file:
            file.truncate(100_000_000)
        client = self.connect(receive_buffer=65536)
        client.send_request("GET", "/assets/h.bin")
        client.read_head()
        client.abort()
        self.server.stderr.wait("after /assets/h.bin 200")


if __name__ == "__main__":
    unittest.main()
