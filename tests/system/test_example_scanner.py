"""examples/scanner does what its README says, whatever it meets."""

import json
import unittest

from harness import ROOT
from peers import free_port, read_head, reset, wait_for_end
from sse import EventStream
from upstream import HttpCase, answer


class Scanner(HttpCase):
    APP = (ROOT / "examples/scanner/app.lua").read_text()
    CONFIG = "[app]\nat_once = 4\npatience = 0.3\n"

    def scan(self, urls, server=None):
        headers = [("Content-Type", "application/json")]
        response = (server or self.server).fetch("POST", "/scans", headers, json.dumps({"urls": urls}))
        self.assertEqual((response.status, response.header("content-type")), (200, "application/x-ndjson"), response)
        found = [json.loads(line) for line in response.text.splitlines()]
        self.assertEqual(sorted(one["url"] for one in found), sorted(urls))
        return {one["url"]: one for one in found}, response.header("location")

    def test_what_answers_and_what_does_not(self):
        page = answer(body=b"<TITLE> A  page </TITLE>", headers=("Server: other/1",))
        good = f"http://127.0.0.1:{self.upstream(lambda *_: page).port}/"
        moved = f"http://127.0.0.1:{self.upstream(lambda *_: answer('301 Moved', headers=('Location: /x',))).port}/"

        def stall(connection, _):
            read_head(connection)
            connection.sendall(b"HTTP/1.1 2")
            wait_for_end(connection)
        ports = {
            free_port(): ("refused",),
            self.peer(lambda connection, _: (read_head(connection), reset(connection))).port: ("reset", "closed"),
            self.peer(stall).port: ("timeout",),
            self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").port: ("closed",),
            self.raw(answer(body=b"x" * 1000001)).port: ("too_large",),
            self.raw(b"SSH-2.0-OpenSSH_9").port: ("refused", "closed"),
        }
        bad = {f"http://127.0.0.1:{port}/": words for port, words in ports.items()} | {
            "http://a b/": ("refused",),
            "gopher://localhost/": ("refused",),
            "http://localhost/\r\nX: y": ("refused",),
        }
        found, _ = self.scan([good, moved, *bad])
        self.assertEqual({key: found[good][key] for key in ("status", "title", "server", "bytes")},
                         {"status": 200, "title": "A  page", "server": "other/1", "bytes": 24})
        self.assertEqual((found[moved]["status"], found[moved]["leads_to"]), (301, "/x"))
        for url, words in bad.items():
            self.assertTrue(found[url]["error"].startswith(words), found[url])

    def test_so_many_at_once_over_connections_that_are_kept(self):
        upstream = self.upstream(lambda *_: answer(body=b"x"))
        server = self.start(self.APP, config="[app]\nat_once = 4\npatience = 30\n")
        self.scan([f"http://127.0.0.1:{upstream.port}/{i}" for i in range(200)], server)
        self.assertLessEqual(upstream.accepted, 4)
        stats = server.get("/hosts").json()[f"127.0.0.1:{upstream.port}"]
        self.assertEqual((stats["requests"], stats["reused"]), (200, 200 - upstream.accepted))

    def test_failures_are_one_kind_with_their_hosts(self):
        ports = [free_port() for _ in range(5)]
        server = self.start(self.APP, config=self.CONFIG, workers=2)
        self.scan([f"http://127.0.0.1:{port}/" for port in ports for _ in range(2)], server)
        failures = server.get("/failures").json()
        self.assertEqual([(kind["error"], kind["count"]) for kind in failures], [("refused: *:#", 10)])
        self.assertEqual(failures[0]["hosts"], {f"127.0.0.1:{port}": 2 for port in ports})

    def test_progress_comes_as_events_while_lines_come_as_they_are_known(self):
        server = self.start(self.APP, config=self.CONFIG, workers=2)
        gate = self.raw(b"", close=False)  # never answers: a worker is busy with it for 0.3 s
        upstream = self.upstream(lambda *_: answer(body=b"x"))
        urls = [f"http://127.0.0.1:{gate.port}/"] + [f"http://127.0.0.1:{upstream.port}/{i}" for i in range(20)]
        with server.client() as client, server.client() as watcher:
            client.send_request("POST", "/scans", [("Content-Type", "application/json")], json.dumps({"urls": urls}))
            location = client.read_head().header("location")
            events = EventStream(watcher, location)
            while (seen := json.loads(events.next().data))["done"] < 21:
                self.assertEqual(seen["total"], 21)
            self.assertEqual((seen["done"], seen["failed"]), (21, 1))
        self.assertEqual(server.get("/scans/99/progress").status, 404)

    def test_a_client_that_leaves_ends_its_scan(self):
        silent = self.raw(b"", close=False)
        client = self.connect()
        urls = [f"http://127.0.0.1:{silent.port}/{i}" for i in range(1000)]
        client.send_request("POST", "/scans", [("Content-Type", "application/json")], json.dumps({"urls": urls}))
        silent.wait_open(4)
        client.abort()
        silent.wait_open(0)
        self.assertLess(self.get("/hosts").json()[f"127.0.0.1:{silent.port}"]["requests"], 20)


if __name__ == "__main__":
    unittest.main()
