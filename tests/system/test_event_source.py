"""Channels as clients that others wrote read them: curl, EventSource from npm, EventSource in Chromium."""

import contextlib
import json
import socket
import subprocess
import threading
import unittest

import browser
import npm
from harness import PATIENCE, ServerCase, wait_until

EVENT_SOURCE = ("eventsource", "4.1.0", "dist/index.js")
APP = """
local perigee = require "perigee"
local app = perigee.app()
app:channel("/named", function(req)
  return "room", { member = req.query.name }
end)
app:post("/say/{topic}", function(req)
  return perigee.publish(req.params.topic, req:raw(), { event = req.query.event, retry = tonumber(req.query.retry) })
end)
app:get("/members", function() return perigee.members("room") end)
app:get("/page", function()
  return perigee.html([[<!doctype html><title>room</title><link rel="icon" href="data:,"><ul></ul><script>
    const room = new EventSource("/named?name=browser");
    const show = (event) => {
      const item = document.createElement("li");
      item.textContent = event.type + ": " + event.data;
      document.querySelector("ul").append(item);
    };
    for (const type of ["message", "note", "join"]) room.addEventListener(type, show);
  </script>]])
end)
return app
"""


class Relay:
    """A port that leads to another, until it is cut."""

    def __init__(self, address):
        self.address, self.open, self.pairs = address, True, []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                if not self.open:
                    client.close()
                    continue
                server = socket.create_connection(self.address)
                self.pairs.append((client, server))
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def cut(self):
        self.open = False
        for pair in self.pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self.pairs = []

    def mend(self):
        self.open = True

    def close(self):
        self.cut()
        self.listening.close()


class Independent(ServerCase):
    APP = APP
    WORKERS = 2

    def say(self, topic, data, query=""):
        return self.server.fetch("POST", f"/say/{topic}{query}", body=data.encode()).text

    def url(self):
        return "http://%s:%d" % self.server.address

    def members(self):
        return self.get("/members").json()

    def in_background(self, work):
        """What `work` returns, once it is asked for."""
        result = []
        thread = threading.Thread(target=lambda: result.append(work()))
        thread.start()

        def value():
            thread.join(PATIENCE * 4)
            self.assertTrue(result, "it did not end")
            return result[0]
        return value

    def test_curl(self):
        curl = subprocess.Popen(["curl", "-sN", self.url() + "/named?name=curl"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(curl.wait)
        self.addCleanup(curl.kill)
        wait_until(lambda: "curl" in self.members(), "curl to join")
        self.say("room", "text\n\u00e4", "?event=note")
        lines = []
        while "data: \u00e4" not in lines:
            lines.append(curl.stdout.readline().rstrip("\n"))
        self.assertIn("event: join", lines)
        self.assertEqual(lines[-4], "event: note")
        self.assertEqual(lines[-2], "data: text")
        curl.stdout.close()

    def test_event_source_from_npm_reads_and_comes_back(self):
        entry = npm.module(*EVENT_SOURCE)
        relay = Relay(self.server.address)
        self.addCleanup(relay.close)
        url = "http://127.0.0.1:%d/named?name=npm" % relay.port
        client = npm.start("event_source.mjs", entry, url, 5)
        self.addCleanup(client.communicate)
        self.addCleanup(client.kill)

        def events(count):
            return [json.loads(client.stdout.readline()) for _ in range(count)]

        wait_until(lambda: "npm" in self.members(), "the client to join")
        first = self.say("room", "one", "?retry=50")
        self.say("room", '{"two": [2]}', "?event=note")
        read = events(3)  # one that has read nothing yet comes back as a new member
        relay.cut()
        wait_until(lambda: "npm" not in self.members(), "the client to be gone")
        self.say("room", "three\nlines\n")  # nobody is there
        relay.mend()
        wait_until(lambda: "npm" in self.members(), "the client to come back")
        self.say("room", "four")
        read += events(2)
        self.assertEqual(client.stderr.read().split(), ["open", "open"])
        self.assertEqual(client.wait(PATIENCE), 0)
        kinds = [(event["type"], event["data"]) for event in read]
        self.assertEqual(kinds, [("join", '"npm"'), ("message", "one"), ("note", '{"two": [2]}'), ("leave", '"npm"'),
                                 ("message", "three\nlines\n")])
        self.assertEqual(read[1]["id"], first)

    def test_the_browsers_own_event_source(self):
        page = self.in_background(lambda: browser.browse("browser_channel.mjs", self.url(), 3))
        wait_until(lambda: "browser" in self.members(), "the browser to join", patience=60)
        self.say("room", "hello \U0001f680")
        self.say("room", "a\nb", "?event=note")
        self.assertEqual(page(), ['join: "browser"', "message: hello \U0001f680", "note: a\nb"])


if __name__ == "__main__":
    unittest.main()
