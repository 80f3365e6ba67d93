"""perigee.middleware.compress, read by decoders of others: Python's zlib, curl's and node's brotli."""

import gzip
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import zlib

from harness import ServerCase

APP = """
local perigee = require "perigee"
local compress = perigee.middleware.compress
local app = perigee.app()
local text = ("the moon at perigee "):rep(500)
local answers = {}

app:use(compress {})
app:error(function(problem) return problem.status, { wrong = text } end)

function answers.text() return text end
function answers.json() return { list = { text } } end
function answers.html() return perigee.html(text) end
function answers.small() return "small" end
function answers.image() return perigee.bytes(text, "image/png") end
function answers.svg() return perigee.bytes(text, "image/svg+xml; charset=utf-8") end
function answers.zip() return perigee.bytes(text, "application/zip") end
function answers.encoded() return 200, text, { ["Content-Encoding"] = "identity" } end
function answers.untransformed() return 200, text, { ["Cache-Control"] = "public, No-Transform" } end
function answers.partial() return 206, text, { ["content-range"] = "bytes 0-9999/20000" } end
function answers.strong() return 200, text, { ETag = '"abc"', Vary = "Cookie" } end
function answers.weak() return 200, text, { ETag = 'W/"abc"' } end
function answers.nothing() return 204 end
function answers.missing() return 404 end
function answers.raised() error("broken") end
function answers.circle() local t = {} t.t = t return t end
answers["not-modified"] = function() return 304, nil, { ETag = '"abc"' } end
answers["own-type"] = function() return 200, text, { ["content-type"] = "application/x-own" } end
function answers.stream()
  return perigee.stream(function(write)
    for i = 1, 3 do
      write(("part %d of the moon "):format(i):rep(100))
      perigee.sleep(0.001)
    end
    write("")
  end, "text/plain")
end
function answers.breaks()
  return perigee.stream(function(write) write(text) error("broken") end, "text/plain")
end
function answers.events()
  return perigee.stream(function(write) write("data: " .. text .. "\\n\\n") end, "text/event-stream")
end

app:get("/answers/{name}", function(req) return answers[req.params.name]() end)
app:get("/slow", function()
  return perigee.stream(function(write)
    write("first")
    while not perigee.shared("d"):get("go") do perigee.sleep(0.005) end
    write("last")
  end, "text/plain")
end)
app:get("/go", function() perigee.shared("d"):set("go", true) return 204 end)
app:static("/files", "public", { precompressed = true, fallback = "index.html" })
app:get("/report", function() return perigee.file("public/style.css", { cache_control = "max-age=60" }) end)
return app
"""

TEXT = b"the moon at perigee " * 500
STYLE = b"body { color: black; }\n" * 300
LARGE = b"0123456789abcdef " * 20_000  # more than is kept in memory, less than is left to sendfile
FILES = {"public/style.css": STYLE.decode(), "public/large.txt": LARGE.decode(), "public/small.txt": "small",
         "public/index.html": "<p>moon</p>\n" * 200, "public/huge.txt": "x" * 1_100_000,
         "public/photo.jpg": "jpeg" * 1000, "public/ready.js": "var a;\n" * 500, "public/ready.js.gz": "not really gzip"}

GZIP, BROTLI = [("Accept-Encoding", "gzip")], [("Accept-Encoding", "gzip, deflate, br")]


def unbrotli(data):
    """By node's zlib, which is not the library that the server uses."""
    script = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))"
    return subprocess.run(["node", "-e", script], input=data, capture_output=True, check=True).stdout


class Compress(ServerCase):
    APP = APP
    FILES = FILES

    def check_plain(self, path, headers=BROTLI, varies=None, status=200):
        response = self.server.get(path, headers)
        self.assertEqual(response.status, status, path)
        self.assertIn(response.header("content-encoding"), (None, "identity"), path)
        if varies is not None:
            self.assertEqual("accept-encoding" in (response.header("vary") or "").lower(), varies, path)
        return response

    def check_gzip(self, path, expected, status=200):
        response = self.server.get(path, GZIP)
        self.assertEqual((response.status, response.header("content-encoding")), (status, "gzip"), path)
        self.assertIn("accept-encoding", response.header("vary").lower())
        self.assertEqual(gzip.decompress(response.body), expected)
        self.assertLess(len(response.body), len(expected))
        self.assertEqual(int(response.header("content-length")), len(response.body))
        return response

    def test_texts_pages_and_tables_are_compressed_with_their_types(self):
        for name, kind in (("text", "text/plain; charset=utf-8"), ("html", "text/html; charset=utf-8"),
                           ("svg", "image/svg+xml; charset=utf-8")):
            self.assertEqual(self.check_gzip("/answers/" + name, TEXT).header("content-type"), kind)
        response = self.server.get("/answers/json", GZIP)
        self.assertEqual(response.header("content-type"), "application/json")
        self.assertEqual(json.loads(gzip.decompress(response.body)), {"list": [TEXT.decode()]})

    def test_brotli_is_preferred_and_weights_decide(self):
        response = self.server.get("/answers/text", BROTLI)
        self.assertEqual(response.header("content-encoding"), "br")
        self.assertEqual(unbrotli(response.body), TEXT)
        for accepted, coding in (("br;q=0.5, gzip", "gzip"), ("gzip;q=0, br;q=0", None), ("", None), ("deflate", None),
                                 ("*", "br"), ("identity, gzip;q=0.5", None), ("GZIP", "gzip"), ("gzip;q=2", None),
                                 (",;=,", None), ("x" * 4000, None)):
            found = self.server.get("/answers/text", [("Accept-Encoding", accepted)])
            self.assertEqual((found.header("content-encoding"), found.header("vary")), (coding, "Accept-Encoding"),
                             accepted)
        self.assertIsNone(self.server.get("/answers/text").header("content-encoding"))

    def test_curl_takes_it_as_any_client_does(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in ("answers/text", "answers/stream", "files/style.css", "files/large.txt"):
                plain, packed = (pathlib.Path(folder, name) for name in ("plain", "packed"))
                url = f"http://127.0.0.1:{self.server.address[1]}/{path}"
                subprocess.run(["curl", "-s", "-o", plain, url], check=True)
                subprocess.run(["curl", "-s", "-o", packed, "--compressed", url], check=True)
                self.assertEqual(plain.read_bytes(), packed.read_bytes(), path)
                self.assertGreater(os.path.getsize(plain), 1000)

    def test_what_must_not_be_compressed_is_not(self):
        for name in ("small", "image", "zip", "encoded", "untransformed", "own-type", "events"):
            self.check_plain("/answers/" + name, varies=False)
        self.check_plain("/answers/partial", varies=False, status=206)
        self.assertEqual(self.check_plain("/answers/nothing", status=204).body, b"")
        self.assertEqual(self.check_plain("/answers/not-modified", status=304).header("etag"), '"abc"')

    def test_a_strong_validator_becomes_weak(self):
        strong = self.check_gzip("/answers/strong", TEXT)
        self.assertEqual((strong.header("etag"), strong.header("vary")), ('W/"abc"', "Cookie, Accept-Encoding"))
        self.assertEqual(self.check_plain("/answers/strong", []).header("etag"), '"abc"')
        self.assertEqual(self.check_gzip("/answers/weak", TEXT).header("etag"), 'W/"abc"')

    def test_head_says_what_get_does(self):
        for path in ("/answers/text", "/answers/stream", "/files/style.css"):
            with self.server.client() as client:
                client.send_request("HEAD", path, GZIP)
                head = client.read_response(head=True)
            got = self.server.get(path, GZIP)
            for name in ("content-encoding", "content-length", "content-type", "etag", "vary"):
                self.assertEqual(head.header(name), got.header(name), (path, name))

    def test_errors_are_answers_too(self):
        wrong = json.dumps({"wrong": TEXT.decode()}, separators=(",", ":")).encode()
        self.check_gzip("/answers/missing", wrong, 404)
        self.check_gzip("/answers/raised", wrong, 500)
        self.check_gzip("/nowhere", wrong, 404)
        self.assertEqual(self.server.get("/answers/circle", GZIP).status, 500)

    def test_a_stream_can_be_read_as_it_comes(self):
        with self.server.client() as client:
            client.send_request("GET", "/slow", GZIP)
            response = client.read_head()
            self.assertEqual(response.header("content-encoding"), "gzip")
            self.assertIsNone(response.header("content-length"))
            decoder, text = zlib.decompressobj(31), b""
            while text != b"first":
                size = int(client.read_until(b"\r\n"), 16)
                text += decoder.decompress(client.read_exactly(size + 2)[:size])
            self.server.get("/go")
            response.body = b""
            client.read_chunks(response)
            text += decoder.decompress(response.body)
            self.assertEqual((text, decoder.eof), (b"firstlast", True))

    def test_a_stream_ends_as_it_ended(self):
        response = self.server.get("/answers/stream", GZIP)
        self.assertEqual(gzip.decompress(response.body),
                         b"".join(b"part %d of the moon " % i * 100 for i in (1, 2, 3)))
        with self.server.client() as client:
            client.send_request("GET", "/answers/breaks", GZIP)
            data = client.read_to_end()
        self.assertNotIn(b"\r\n0\r\n\r\n", data)

    def test_files_are_compressed_unless_they_are_large(self):
        style = self.check_gzip("/files/style.css", STYLE)
        self.assertEqual(style.header("content-type"), "text/css; charset=utf-8")
        plain = self.check_plain("/files/style.css", [], varies=True)
        self.assertEqual((plain.body, style.header("etag")), (STYLE, "W/" + plain.header("etag")))
        self.assertEqual(style.header("last-modified"), plain.header("last-modified"))
        self.check_gzip("/files/large.txt", LARGE)
        self.assertEqual(self.check_gzip("/report", STYLE).header("cache-control"), "max-age=60")
        for name in ("huge.txt", "photo.jpg", "small.txt"):
            self.check_plain("/files/" + name)
        self.check_gzip("/files/no-such-page", FILES["public/index.html"].encode())

    def test_conditions_and_ranges_of_files_hold(self):
        plain = self.server.get("/files/style.css", GZIP)
        etag = plain.header("etag")
        for known in (etag, etag[2:], f'"x", {etag}'):
            found = self.server.get("/files/style.css", [*GZIP, ("If-None-Match", known)])
            self.assertEqual((found.status, found.header("etag"), found.header("vary")), (304, etag, "Accept-Encoding"))
        since = plain.header("last-modified")
        self.assertEqual(self.server.get("/files/style.css", [*GZIP, ("If-Modified-Since", since)]).status, 304)
        changed = self.server.get("/files/style.css", [*GZIP, ("If-None-Match", '"other"')])
        self.assertEqual((changed.status, changed.header("content-encoding")), (200, "gzip"))
        part = self.server.get("/files/style.css", [*GZIP, ("Range", "bytes=0-3")])
        self.assertEqual((part.status, part.body, part.header("content-encoding")), (206, b"body", None))
        whole = self.server.get("/files/style.css", [*GZIP, ("Range", "bytes=0-3"), ("If-Range", etag)])
        self.assertEqual((whole.status, whole.header("content-encoding")), (200, "gzip"))
        self.assertEqual(self.server.get("/files/style.css", [*GZIP, ("Range", "bytes=99999-")]).status, 416)
        self.assertEqual(self.server.get("/files/style.css", [*GZIP, ("If-Match", '"other"')]).status, 412)

    def test_a_neighbour_that_is_compressed_is_taken_as_it_is(self):
        response = self.server.get("/files/ready.js", GZIP)
        self.assertEqual((response.body, response.header("content-encoding")), (b"not really gzip", "gzip"))
        self.assertEqual(response.header("vary").lower().count("accept-encoding"), 1)

    def test_a_changed_file_is_compressed_anew(self):
        server = self.start(APP, files=FILES, settings={"static.check": 0})
        self.assertEqual(gzip.decompress(server.get("/files/style.css", GZIP).body), STYLE)
        server.write("public/style.css", "p { }\n" * 1000)
        self.assertEqual(gzip.decompress(server.get("/files/style.css", GZIP).body), b"p { }\n" * 1000)


if __name__ == "__main__":
    unittest.main()
