"""Channels under load: reloads while a publisher runs, clients that do not read, many topics, storms."""

import json
import threading
import unittest

from harness import SLOW, Closed, ServerCase, wait_until
from sse import EventStream

APP = """
local perigee = require "perigee"
local app = perigee.app()
app:channel("/on/{topic}", function(req) return req.params.topic end)
app:channel("/both", function() return { "numbers", "more" } end)
app:get("/number/{i:integer}", function(req)
  return perigee.publish(req.params.i % 2 == 0 and "numbers" or req.query.odd or "numbers", { i = req.params.i })
end)
app:get("/large/{kilobytes:integer}", function(req)
  return perigee.publish("large", ("x"):rep(req.params.kilobytes * 1024))
end)
app:get("/storm/{topic}/{count:integer}", function(req)
  for i = 1, req.params.count do perigee.publish(req.params.topic, tostring(i)) end
  return 204
end)
app:get("/topics/{count:integer}", function(req)
  for i = 1, req.params.count do perigee.publish("topic:" .. i, "x") end
  return 204
end)
app:get("/memory", function() return tostring(collectgarbage("count")) end)
return app
"""


def numbers(stream, count):
    return [json.loads(event.data)["i"] for event in stream.take(count)]


class Storm(ServerCase):
    APP = APP
    WORKERS = 2
    SETTINGS = {"http.output_watermark": "256KiB", "channels.history": 1000}

    def subscribe(self, target, position=True, **options):
        client = self.connect(**options)
        stream = EventStream(client, target)
        if position:
            stream.position()
        return stream

    def publish(self, client, numbers_of, query=""):
        for i in numbers_of:
            assert client.get(f"/number/{i}{query}").status == 200

    def test_reloads_lose_double_or_mix_up_nothing(self):
        count = 300
        streams = [self.subscribe("/on/numbers") for _ in range(100)] + [self.subscribe("/both") for _ in range(100)]

        def publish():
            with self.server.client() as client:
                self.publish(client, range(count), "?odd=more")
        publisher = threading.Thread(target=publish)
        publisher.start()
        reloads = 0
        while publisher.is_alive() or reloads < 3:
            self.server.reload()
            reloads += 1
        publisher.join()
        for stream in streams[:100]:
            self.assertEqual(numbers(stream, count // 2), list(range(0, count, 2)))
        for stream in streams[100:]:
            self.assertEqual(numbers(stream, count), list(range(count)))

    def test_coming_back_in_the_middle_misses_nothing_and_doubles_nothing(self):
        count, seen, last = 400, [], None

        def publish():
            with self.server.client() as client:
                self.publish(client, range(count), "?odd=more")
        start = self.subscribe("/both")
        last = start.last_event_id
        publisher = threading.Thread(target=publish)
        publisher.start()
        while len(seen) < count:
            with self.server.client() as client:
                stream = EventStream(client, "/both", last_event_id=last)
                for _ in range(min(23, count - len(seen))):
                    event = stream.next()
                    seen.append(json.loads(event.data)["i"])
                    last = event.id
        publisher.join()
        self.assertEqual(seen, list(range(count)))

    def test_who_never_reads_is_dropped_and_holds_up_nobody(self):
        lazy = self.subscribe("/on/large", receive_buffer=4096)
        reader, got = self.subscribe("/on/large"), []

        def read():
            for _ in range(200):
                got.append(len(reader.next().data))
        thread = threading.Thread(target=read)
        thread.start()
        with self.server.client() as client:
            for i in range(200):
                self.assertEqual(client.get("/large/60").status, 200)
                wait_until(lambda: len(got) > i, "the reader to have it")
        thread.join()
        self.assertEqual(got, [60 * 1024] * 200)
        lazy.client.socket.settimeout(10)
        with self.assertRaises(Closed):  # what had been under way, and then no more
            while True:
                lazy.next()

    def test_a_storm_reaches_who_reads_in_order(self):
        streams = [self.subscribe("/on/storm") for _ in range(10)]
        count = 2000
        with self.server.client() as client:
            self.assertEqual(client.get(f"/storm/storm/{count}").status, 204)
        for stream in streams:
            self.assertEqual(stream.data(count), [str(i) for i in range(1, count + 1)])

    def test_ten_thousand_topics_are_bounded_memory(self):
        with self.server.client() as client:
            self.assertEqual(client.get("/topics/10000").status, 204)
            before = self.server.resident()
            for _ in range(5):
                self.assertEqual(client.get("/topics/10000").status, 204)
        self.assertLess(self.server.resident() - before, 40 * 1024 * 1024 * SLOW)


if __name__ == "__main__":
    unittest.main()
