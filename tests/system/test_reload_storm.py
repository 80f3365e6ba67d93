"""200 reloads in 20 seconds under load: no request lost, none answered by a mix of generations, nothing grows."""

import os
import random
import signal
import sys
import threading
import time
import unittest

from harness import SLOW, ServerCase, request_bytes, wait_until

RELOADS = 200
SECONDS = 20.0
WORKERS = 2

APP = """
local perigee = require "perigee"
local part = require "part_GENERATION"
local app = perigee.app()
local generation = "GENERATION"
local function answer(nonce) return nonce .. " " .. generation .. " " .. part.generation() end
app:get("/echo/{nonce}", function(req) return answer(req.params.nonce) end)
app:get("/wait/{nonce}", function(req)
  local before = answer(req.params.nonce)
  perigee.sleep(0.15)
  return before .. " " .. generation .. " " .. part.generation()
end)
app:post("/upload", function(req) return answer(req.body) end)
app:start(function() perigee.spawn(function() perigee.sleep(0.05) end) end)
return app
"""

PART = """
local ballast = {}
for i = 1, 2000 do ballast[i] = { name = "GENERATION " .. i } end
return { generation = function() return ballast[7].name:match("%S+") end }
"""


def text(template, generation):
    return template.replace("GENERATION", str(generation))


class Load(threading.Thread):
    """One client. It knows what it sent and counts what came back; the first thing wrong ends it."""

    def __init__(self, storm, name):
        super().__init__(name=name, daemon=True)
        self.storm = storm
        self.random = random.Random(name)
        self.answered = 0
        self.last = 0
        self.seen = set()
        self.failure = None

    def nonce(self):
        return f"{self.name}-{self.answered}-{self.random.getrandbits(48):x}"

    def run(self):
        try:
            with self.storm.server.client() as client:
                while not self.storm.over.is_set():
                    self.turn(client)
        except BaseException as error:
            self.failure = f"{self.name} after {self.answered} answers: {error!r}"

    def check(self, response, nonce, ordered=True):
        """The answer bears this request's nonce and one generation only, never one older than the last."""
        if response.status != 200:
            raise AssertionError(f"{nonce}: {response}")
        got, *generations = response.text.split()
        if got != nonce:
            raise AssertionError(f"asked {nonce}, answered {got}")
        if len(set(generations)) != 1:
            raise AssertionError(f"{nonce}: a mix of generations {generations}")
        generation = int(generations[0])
        if ordered and generation < self.last:
            raise AssertionError(f"{nonce}: generation {generation} after {self.last}")
        self.last = generation
        self.seen.add(generation)
        self.answered += 1


class KeepAlive(Load):
    def turn(self, client):
        nonce = self.nonce()
        self.check(client.get("/echo/" + nonce), nonce)


class Pipelined(Load):
    def turn(self, client):
        nonces = [f"{self.nonce()}-{index}" for index in range(16)]
        client.send(b"".join(request_bytes("GET", "/echo/" + nonce) for nonce in nonces))
        for nonce in nonces:
            self.check(client.read_response(), nonce)


class PipelinedWaiting(Load):
    def turn(self, client):
        nonces = [f"{self.nonce()}-{index}" for index in range(4)]
        client.send(b"".join(request_bytes("GET", f"/{'wait' if index == 1 else 'echo'}/{nonce}")
                             for index, nonce in enumerate(nonces)))
        for nonce in nonces:
            self.check(client.read_response(), nonce)


class Waiting(Load):
    def turn(self, client):
        nonce = self.nonce()
        self.check(client.get("/wait/" + nonce), nonce)


class SlowUpload(Load):
    def turn(self, client):
        nonce = self.nonce()
        head, body = f"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {len(nonce)}\r\n\r\n", nonce
        for piece in (head[:20], head[20:], body[:5], body[5:9]):
            client.send(piece)
            time.sleep(0.05)  # the pace of this client is what is tested
        client.send(body[9:])
        self.check(client.read_response(), nonce)


class Churn(Load):
    def run(self):
        try:
            while not self.storm.over.is_set():
                nonce = self.nonce()
                with self.storm.server.client() as client:
                    self.check(client.request("GET", "/echo/" + nonce, [("Connection", "close")]), nonce)
        except BaseException as error:
            self.failure = f"{self.name} after {self.answered} answers: {error!r}"

    def check(self, response, nonce, ordered=False):
        # Each connection may meet another worker, and workers swap one after the other.
        super().check(response, nonce, ordered)


class Storm(ServerCase):
    def measure(self):
        """The smallest of a few looks: descriptors, mappings and resident bytes, without what comes and goes."""
        looks = []
        for _ in range(10):
            with open(f"/proc/{self.server.pid}/maps") as maps:
                looks.append((self.server.descriptors(), sum(1 for _ in maps), self.server.resident()))
            time.sleep(0.03)  # looks apart from each other
        return [min(column) for column in zip(*looks)]

    def change(self, generation):
        """The module first, under a name of its own: whoever reads app.lua reads one generation whole."""
        self.server.write(f"part_{generation}.lua", text(PART, generation))
        self.server.write("app.lua", text(APP, generation))
        old = self.server.directory / f"part_{generation - 50}.lua"
        if old.exists():
            os.unlink(old)

    def alive(self, clients):
        failures = [client.failure for client in clients if client.failure]
        self.assertEqual(failures, [], self.server.stderr.text[-2000:])

    def test_no_request_is_lost_or_mixed_and_nothing_grows(self):
        self.server = self.start(text(APP, 1), files={"part_1.lua": text(PART, 1)}, workers=WORKERS)
        self.over = threading.Event()
        kinds = [KeepAlive] * 3 + [Pipelined] * 2 + [PipelinedWaiting] * 2 + [Waiting] * 4 + [SlowUpload] * 3 + [Churn]
        clients = [kind(self, f"{kind.__name__.lower()}{index}") for index, kind in enumerate(kinds)]
        for client in clients:
            client.start()
        begin = time.monotonic()
        warm = None
        for reload in range(RELOADS):
            self.change(reload + 2)
            self.server.signal(signal.SIGHUP)
            if reload == RELOADS // 3:
                warm = self.measure()
            self.alive(clients)
            time.sleep(max(0, begin + (reload + 1) * SECONDS / RELOADS - time.monotonic()))
        took = time.monotonic() - begin
        end = self.measure()
        last = RELOADS + 1
        wait_until(lambda: self.server.get("/echo/x").text == f"x {last} {last}", "the last generation to serve")
        self.over.set()
        for client in clients:
            client.join(30)
            self.assertFalse(client.is_alive(), f"{client.name} still waits for an answer")
        self.alive(clients)
        self.assertLess(took, SECONDS * 1.5, "the signals came too slowly to be a storm")
        for client in clients:
            self.assertGreater(client.answered, 10, client.name)
        seen = set().union(*(client.seen for client in clients))
        self.assertGreater(len(seen), RELOADS / (4 * SLOW), "hardly any reload was taken")
        self.assertNotIn("[error]", self.server.stderr.text)
        grown = dict(zip(("descriptors", "mappings", "bytes"), (b - a for a, b in zip(warm, end))))
        print(f"{sum(client.answered for client in clients)} answers of {len(seen)} generations; grown: {grown}", file=sys.stderr)
        self.assertLessEqual(grown["descriptors"], 12, grown)
        # 266 VMs have come and gone by now. A sanitizer keeps freed memory, and a shadow of wherever code once lay.
        self.assertLessEqual(grown["mappings"], 20 if SLOW == 1 else 2000, grown)
        self.assertLessEqual(grown["bytes"], (8 if SLOW == 1 else 400) * 2**20, grown)


if __name__ == "__main__":
    unittest.main()
