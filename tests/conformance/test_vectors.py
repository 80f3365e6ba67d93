"""Raw HTTP/1 requests out of the tests of llhttp, http-parser and Apache: what must be refused is, what must be taken is.

Each vector is sent whole and a byte at a time, both on a fresh connection, and both must end alike. The verdict is that
of the first answer: "accepted" is a 2xx, 3xx, 404 or 405 (and 501 where a method may be unknown), "refused" any other
status or a close without an answer. A server that says nothing and keeps the connection open hangs, which is neither.
"""

import base64
import concurrent.futures
import json
import pathlib
import socket
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

from harness import SLOW, Server  # noqa: E402

APP = """
local app = require("perigee").app()
local function echo(req) return 200, req.body end
app:any("/", echo)
app:any("/{rest*}", echo)
return app
"""

QUIET = 0.4 * SLOW   # so long without a byte is the end of what the server has to say
PARALLEL = 48

# Where we differ from a vector's expectation: file/id, what we do instead, and why that is right.
EXCEPTIONS = {
    "apache-http_strict/http_strict.t#14 -> 1":
        ("refused", "HTTP/1.2 does not exist. RFC 9110 section 15.6.6 lets a server answer 505 to a version it refuses to "
                    "speak, and reading as 1.1 what claims to be more is how front and back come to differ."),
}


def exchange(address, pieces):
    """Sends the pieces and collects what comes back until the server is quiet or closes: (bytes, closed)."""
    data = b""
    with socket.create_connection(address, 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            pass  # refused half way; what it said is still to be read
        connection.settimeout(QUIET)
        try:
            while True:
                more = connection.recv(65536)
                if not more:
                    return data, True
                data += more
        except TimeoutError:
            return data, False
        except OSError:
            return data, True


def statuses(data):
    """The statuses of the answers in `data`, in order; "junk" for what is none."""
    found = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        words = head.split(b"\r\n")[0].split(b" ", 2)
        if not end or words[0] not in (b"HTTP/1.1", b"HTTP/1.0") or len(words) < 2 or not words[1].isdigit():
            return found + ["junk"]
        status = int(words[1])
        found.append(status)
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        bodiless = status < 200 or status in (204, 304)
        length = 0 if bodiless else int(fields.get(b"content-length", b"0"))
        if b"transfer-encoding" in fields:
            return found  # no answer of this app is chunked
        # The answer to a HEAD has a length and no body.
        data = rest if rest.startswith(b"HTTP/1.") else rest[length:]
    return found


def verdict(data, closed):
    """accepted, refused or hang; and the final statuses."""
    final = [status for status in statuses(data) if status == "junk" or status >= 200]
    if not final:
        return ("refused" if closed else "hang"), final
    first = final[0]
    return ("accepted" if first != "junk" and (first < 400 or first in (404, 405)) else "refused"), final


def judge(address, raw):
    """The verdicts of a vector sent whole and sent split."""
    whole = verdict(*exchange(address, [raw]))
    split = verdict(*exchange(address, [raw[index:index + 1] for index in range(len(raw))]))
    return whole, split


def load():
    """Every vector by file/id; ids that repeat get a number."""
    vectors = {}
    for path in sorted((HERE / "vectors").glob("*.json")):
        for vector in json.loads(path.read_text()):
            name, number = f"{path.stem}/{vector['id']}", 2
            while name in vectors:
                name, number = f"{path.stem}/{vector['id']} ({number})", number + 1
            vectors[name] = vector
    return vectors


class Vectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(APP, workers=2, settings={"limits.connections_per_address": 0})
        cls.addClassCleanup(cls.server.stop)
        cls.vectors = load()
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            jobs = {name: pool.submit(judge, cls.server.address, base64.b64decode(vector["raw"]))
                    for name, vector in cls.vectors.items()}
            cls.results = {name: job.result() for name, job in jobs.items()}
        cls.took = time.monotonic() - begin
        judged = sum(vector["expect"] != "any" for vector in cls.vectors.values())
        print(f"{len(cls.vectors)} vectors, {judged} judged, {len(EXCEPTIONS)} exceptions, {cls.took:.1f} s", file=sys.stderr)

    def differs(self, name, vector):
        """What is wrong with the verdict on a vector, or None."""
        got, final = self.results[name][0]
        wanted = {"accept": "accepted", "reject": "refused"}.get(vector["expect"])
        if name in EXCEPTIONS:
            wanted = EXCEPTIONS[name][0]
        elif vector["expect"] == "accept" and final[:1] == [501]:
            return None
        return None if wanted in (None, got) else f"{name}: {got} {final}, but should be {wanted}"

    def test_all_three_files_are_there(self):
        self.assertEqual({name.split("/")[0] for name in self.vectors}, {"apache-http_strict", "http-parser", "llhttp"})
        self.assertGreater(len(self.vectors), 200)

    def test_every_vector_is_refused_or_taken_as_it_should_be(self):
        wrong = [problem for name, vector in self.vectors.items() if (problem := self.differs(name, vector))]
        self.assertEqual(wrong, [])

    def test_the_verdict_does_not_depend_on_how_the_bytes_were_cut(self):
        wrong = [f"{name}: whole {whole}, split {split}" for name, (whole, split) in self.results.items() if whole != split]
        self.assertEqual(wrong, [])

    def test_no_dangerous_vector_is_an_exception(self):
        self.assertEqual([name for name in EXCEPTIONS if self.vectors[name].get("critical")], [])

    def test_every_exception_is_still_needed(self):
        for name, (instead, _) in EXCEPTIONS.items():
            self.assertNotEqual({"accept": "accepted", "reject": "refused"}[self.vectors[name]["expect"]], instead)

    def test_the_server_answers_on_after_all_of_it(self):
        self.assertEqual(self.server.fetch("POST", "/x", body="still here").text, "still here")


if __name__ == "__main__":
    unittest.main()
