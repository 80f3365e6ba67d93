"""Channels over several workers: publishing, subscribing, coming back, members, reloads and clients that misbehave."""

import json
import pathlib
import shutil
import signal
import tempfile
import unittest

from harness import ServerCase, run_perigee, wait_until
from sse import EventStream

APP = """
local perigee = require "perigee"
local app, t = perigee.app(), perigee.types
app:post("/say/{topic}", function(req)
  return { id = perigee.publish(req.params.topic, req.query.json and perigee.decode(req:raw()) or req:raw(),
    { event = req.query.event, id = req.query.id, retry = tonumber(req.query.retry) }) }
end)
app:channel("/on/{topic}", { query = { name = t.string:optional(), id = t.integer:optional() } }, function(req)
  local name, id = req.query.name, req.query.id
  return req.params.topic, name and { member = id and { id = id, name = name } or name } or nil
end)
app:channel("/both", function() return { "a", "b" } end)
app:channel("/none", function() return nil end)
app:channel("/broken", function() return true end)
app:channel("/private", { use = function(req, inner)
  if req:header("authorization") ~= "ada" then return 401 end
  local res = inner(req)
  res.headers["x-seen"] = "yes"
  return res
end }, function() return "private" end)
app:channel("/mine", function(req)
  if not req.session.user then return 401 end
  return "user:" .. req.session.user, { member = req.session.user }
end)
app:post("/login/{user}", function(req) req.session:login(req.params.user) req.session.user = req.params.user return 204 end)
app:post("/logout", function(req) req.session:destroy() return 204 end)
app:post("/kick/{user}", function(req) perigee.sessions.destroy(req.params.user) return 204 end)
app:get("/members/{topic}", function(req) return perigee.members(req.params.topic) end)
app:get("/worker", function() return tostring(perigee.worker.id) end)
app:get("/stream", function(req)
  return perigee.sse(function(stream)
    stream:send { event = "hello", data = { last = stream.last_event_id or perigee.null } }
    while not stream:draining() do perigee.sleep(0.01) end
    stream:send("bye")
  end)
end)
app:get("/everywhere", function()
  local list = perigee.shared("published")
  perigee.publish("everywhere", "handler")
  perigee.spawn(function() perigee.publish("everywhere", "task") end)
  perigee.defer(function() perigee.publish("everywhere", "defer") end)
  return 204
end)
local heard = {}
app:post("/hear/{topic}", function(req)
  local topic = req.params.topic
  heard[topic] = heard[topic] or {}
  heard.handle = perigee.subscribe(topic, function(message)
    if message.data == "raise" then error("on purpose") end
    if message.data == "wait" then perigee.sleep(0.2) end
    table.insert(heard[topic], message)
    perigee.publish(topic .. ":echo", message)
  end)
  return 204
end)
app:post("/deaf", function() heard.handle:close() return 204 end)
app:get("/heard/{topic}", function(req) return perigee.array(heard[req.params.topic]) end)
app:get("/follow/{topic}", function(req)
  return perigee.sse(function(stream)
    stream:send("ready")
    for message in stream:subscribe(req.params.topic) do
      if message.data == "stop" then break end
      stream:send(message)
    end
    perigee.publish("followers", "ended")
  end)
end)
app:start(function() perigee.publish("everywhere", "start") end)
app:after(function(req) if req.path == "/everywhere" then perigee.publish("everywhere", "after") end end)
return app
"""


class ChannelCase(ServerCase):
    WORKERS = 2

    def subscribe(self, target, server=None, **options):
        client = (server or self.server).client()
        self.addCleanup(client.close)
        return EventStream(client, target, **options)

    def joined(self, target, **options):
        """A subscriber that is one: it has been told where it stands."""
        stream = self.subscribe(target, **options)
        stream.position()
        return stream

    def say(self, topic, data, query="", server=None):
        client = self._publisher = getattr(self, "_publisher", None) or (server or self.server).client()
        return client.request("POST", f"/say/{topic}{query}", body=data).json()["id"]

    def setUp(self):
        super().setUp()
        self._publisher = None
        self.addCleanup(lambda: self._publisher and self._publisher.close())


class Channels(ChannelCase):
    APP = APP

    def test_a_message_reaches_every_subscriber_on_every_worker(self):
        streams = [self.joined("/on/all") for _ in range(20)]
        self.assertEqual({s.response.header("content-type") for s in streams}, {"text/event-stream"})
        self.assertEqual(streams[0].response.header("cache-control"), "no-store")
        self.assertEqual(streams[0].response.header("x-accel-buffering"), "no")
        first = self.say("all", "one")
        second = self.say("all", '{"text": "two\\nlines"}', "?json=1&event=note&retry=2500")
        self.say("other", "nothing")
        for stream in streams:
            event = stream.next()
            self.assertEqual((event.data, event.event, event.id), ("one", "message", first))
            event = stream.next()
            self.assertEqual((json.loads(event.data), event.event, event.id), ({"text": "two\nlines"}, "note", second))
            self.assertEqual(stream.retry, 2500)
        self.assertLess(int(first), int(second))

    def test_text_in_lines_and_every_shape_of_json_arrive(self):
        stream = self.joined("/on/shapes")
        for text in ("", " blank", "a\nb", "\n", "a\n", "\u00e4\U0001f600", ":x", "data: x"):
            self.say("shapes", text.encode())
            self.assertEqual(stream.next().data, text)
        for text in ("a\rb", "a\r\nb"):
            self.say("shapes", text)
            self.assertEqual(stream.next().data, "a\nb")
        for value in (0, -1.5, True, False, None, [], {}, [[]], {"a": [1, {"b": None}]}, "text"):
            self.say("shapes", json.dumps(value), "?json=1")
            data = stream.next().data
            self.assertEqual(data if value == "text" else json.loads(data), value)

    def test_who_comes_back_gets_what_it_missed(self):
        self.say("back", "before")
        stream = self.joined("/on/back")
        position = stream.last_event_id
        ids = [self.say("back", f"m{i}") for i in range(5)]
        self.assertEqual(stream.data(5), [f"m{i}" for i in range(5)])
        stream.client.close()
        again = self.subscribe("/on/back", last_event_id=ids[2])
        self.assertEqual(again.data(2), ["m3", "m4"])
        self.say("back", "m5")
        self.assertEqual(again.next().data, "m5")
        self.assertEqual(self.subscribe("/on/back", last_event_id=position).data(6), [f"m{i}" for i in range(6)])
        self.assertEqual(self.joined("/on/back", last_event_id=again.last_event_id).last_event_id, again.last_event_id)
        # What nobody knows asks for all that is kept.
        for unknown in ("7", "never-was", "", "99999999999999999999999"):
            self.assertEqual(self.subscribe("/on/back", last_event_id=unknown).next().data, "before")

    def test_ids_of_the_apps_own(self):
        stream = self.joined("/on/own")
        for i in "xyz":
            self.assertEqual(self.say("own", i, f"?id=row-{i}"), f"row-{i}")
        self.assertEqual([e.id for e in stream.take(3)], ["row-x", "row-y", "row-z"])
        self.assertEqual(self.subscribe("/on/own", last_event_id="row-y").data(1), ["z"])

    def test_one_id_is_a_place_in_several_topics(self):
        stream = self.joined("/both")
        ids = [self.say("ab"[i % 2], f"m{i}") for i in range(6)]
        self.assertEqual([e.id for e in stream.take(6)], ids)
        again = self.subscribe("/both", last_event_id=ids[1])
        self.assertEqual(again.data(4), ["m2", "m3", "m4", "m5"])

    def test_answers_that_are_no_channel(self):
        with self.server.client() as client:
            self.assertEqual(client.get("/none").status, 404)
            self.assertEqual(client.get("/on/a%0Ab").status, 404)
            self.assertEqual(client.get("/on/" + "x" * 300).status, 404)
            self.assertEqual(client.get("/private").status, 401)
            self.assertEqual(client.get("/on/a?id=x").status, 400)
            self.assertEqual(client.request("POST", "/both").status, 405)
            broken = client.get("/broken")
            self.assertEqual((broken.status, "boolean" in broken.text), (500, False))
            head = client.request("HEAD", "/both")
            self.assertEqual((head.status, head.header("content-type")), (200, "text/event-stream"))
            self.assertEqual(client.get("/worker").status, 200)
        self.server.stderr.wait("a channel's function returned a boolean as its topic")
        stream = self.joined("/private", headers=[("Authorization", "ada")])
        self.assertEqual(stream.response.header("x-seen"), "yes")

    def test_http_1_0_and_what_a_client_goes_on_to_send(self):
        old = self.joined("/on/old", version="HTTP/1.0")
        self.assertIsNone(old.response.header("transfer-encoding"))
        new = self.joined("/on/old")
        new.client.send("GET /worker HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        for i in range(3):
            self.say("old", f"m{i}\nline")
        self.assertEqual(old.data(3), ["m0\nline", "m1\nline", "m2\nline"])
        self.assertEqual(new.data(3), ["m0\nline", "m1\nline", "m2\nline"])

    def test_publishing_works_from_everywhere(self):
        stream = self.joined("/on/everywhere")
        with self.server.client() as client:
            client.get("/everywhere")
        self.assertEqual(sorted(stream.data(4)), ["after", "defer", "handler", "task"])
        self.assertEqual(self.subscribe("/on/everywhere", last_event_id="0").next().data, "start")

    def test_members_come_and_go_with_their_connections(self):
        def members():
            with self.server.client() as client:
                return client.get("/members/room").json()
        watcher = self.joined("/on/room")
        ada, ada_too = self.joined("/on/room?name=ada&id=7"), self.joined("/on/room?name=Ada&id=7")
        bob = self.joined("/on/room?name=bob")
        self.assertEqual(members(), [{"id": 7, "name": "Ada"}, "bob"])
        self.assertEqual(json.loads(ada.next().data), {"id": 7, "name": "ada"})  # everybody is told, who came too
        ada.client.close()
        ada_too.client.close()
        bob.client.abort()
        events = [(e.event, json.loads(e.data)) for e in watcher.take(4)]
        self.assertEqual(events[:2], [("join", {"id": 7, "name": "ada"}), ("join", "bob")])
        self.assertEqual(sorted(kind for kind, _ in events[2:]), ["leave", "leave"])
        self.assertEqual(members(), [])

    def test_half_a_close_is_a_leave(self):
        watcher = self.joined("/on/half")
        guest = self.joined("/on/half?name=guest")
        guest.client.half_close()
        self.assertEqual([e.event for e in watcher.take(2)], ["join", "leave"])

    def test_a_stream_ends_with_the_session_that_it_was_opened_in(self):
        def cookie_of(user):
            answer = self.server.fetch("POST", f"/login/{user}")
            return [("Cookie", answer.header("set-cookie").split(";")[0])]
        self.assertEqual(self.get("/mine").status, 401)
        for end in ("/logout", "/kick/ada"):
            ada, bob = cookie_of("ada"), cookie_of("bob")
            streams = [self.joined("/mine", headers=ada) for _ in range(3)]
            other = self.joined("/mine", headers=bob)
            self.assertEqual(other.next().event, "join")
            self.assertEqual(self.server.fetch("POST", end, headers=ada).status, 204)
            for stream in streams:
                self.assertLessEqual(set(stream.until_end()), {'"ada"'})  # who came first was told
                self.assertTrue(stream.ended)
            self.say("user:bob", "still here")
            self.assertEqual(other.next().data, "still here")
            other.client.close()
            wait_until(lambda: self.get("/members/user:bob").json() == [], "bob to be gone")

    def test_a_stream_of_lua_sends_and_drains(self):
        stream = self.subscribe("/stream", last_event_id="seven")
        self.assertEqual(json.loads(stream.next().data), {"last": "seven"})
        self.server.reload()
        self.assertEqual(stream.until_end(), ["bye"])
        self.assertTrue(stream.ended)


    def test_a_stream_of_lua_follows_a_topic(self):
        ended = self.joined("/on/followers")
        streams = [self.subscribe("/follow/news") for _ in range(4)]
        for stream in streams:
            self.assertEqual(stream.next().data, "ready")
        self.say("news", "text", "?event=e&id=7")
        self.say("news", '{"a": [1, null]}', "?json=1")
        for stream in streams:
            event = stream.next()
            self.assertEqual((event.data, event.event, event.id), ("text", "e", "7"))
            self.assertEqual(json.loads(stream.next().data), {"a": [1, None]})
        streams[0].client.half_close()  # gone, for one that only reads
        streams[1].client.abort()
        self.assertEqual(ended.data(2), ["ended"] * 2)
        self.say("news", "stop")
        self.assertEqual((streams[2].until_end(), streams[3].until_end()), ([], []))
        self.assertEqual(ended.data(2), ["ended"] * 2)


class Listeners(ChannelCase):
    APP = APP
    WORKERS = 1
    CONFIG = "[channels]\nqueue = 3\n[server]\ndrain = 2\n"

    def test_functions_get_messages_one_after_the_other(self):
        echo = self.joined("/on/t:echo")
        with self.server.client() as client:
            client.request("POST", "/hear/t")
            self.say("t", "a", "?event=e&id=7&retry=5")
            self.say("t", "raise")
            self.say("t", '{"b": [null]}', "?json=1")
            first, second = (json.loads(data) for data in echo.data(2))
            self.assertEqual(first, {"topic": "t", "data": "a", "event": "e", "id": "7", "retry": 5})
            self.assertEqual((second["data"], "event" in second), ({"b": [None]}, False))
            self.server.stderr.wait(r"error in the subscriber of 't' at .*app.lua:\d+: .*on purpose")
            self.assertEqual(len(client.get("/heard/t").json()), 2)
            client.request("POST", "/deaf")
            self.say("t", "c")
            self.assertEqual(len(client.get("/heard/t").json()), 2)

    def test_one_that_lags_loses_the_oldest_and_is_told(self):
        echo = self.joined("/on/lag:echo")
        with self.server.client() as client:
            client.request("POST", "/hear/lag")
            self.say("lag", "wait")
            for i in range(10):
                self.say("lag", f"m{i}")
            messages = [json.loads(data) for data in echo.data(4)]
            self.assertEqual([m["data"] for m in messages], ["wait", "m7", "m8", "m9"])
            self.assertEqual([m.get("missed") for m in messages], [None, 7, None, None])

    def test_they_end_with_their_version_of_the_app(self):
        echo = self.joined("/on/old:echo")
        with self.server.client() as client:
            client.request("POST", "/hear/old")
            self.say("old", "a")
            self.assertEqual(len(echo.data(1)), 1)
            self.server.reload()
            self.say("old", "b")
            client.request("POST", "/hear/old")
            self.say("old", "c")
            self.assertEqual(json.loads(echo.next().data)["data"], "c")

    def test_a_stream_that_follows_ends_whole_at_the_drain_deadline(self):
        stream = self.subscribe("/follow/quiet")
        self.assertEqual(stream.next().data, "ready")
        self.server.reload()
        self.assertEqual(stream.until_end(), [])
        self.assertTrue(stream.ended)


class Refused(ServerCase):
    def test_nothing_is_published_at_the_top_level_of_a_file(self):
        for line in ('perigee.publish("t", "x")', 'perigee.subscribe("t", print)', 'perigee.members("t")'):
            result = run_perigee("check", "--app", self.app_file(line))
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stdout + result.stderr,
                             r"app.lua:2: perigee.\w+ can't be used at the top level of a file: put it in app:start")

    def app_file(self, line):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = pathlib.Path(folder, "app.lua")
        path.write_text(f'local perigee = require "perigee"\n{line}\nreturn perigee.app()\n')
        return path


class Ends(ChannelCase):
    def test_the_servers_end_ends_streams_as_whole_ones(self):
        server = self.start(APP, workers=2)
        streams = [self.joined("/on/end?name=n", server=server) for _ in range(5)]
        old = self.joined("/on/end", server=server, version="HTTP/1.0")
        server.signal(signal.SIGTERM)
        for stream in streams:
            self.assertEqual([e for e in stream.until_end() if e != '"n"'], [])
            self.assertTrue(stream.ended)
        old.until_end()
        server.wait_exit()


class Heartbeats(ChannelCase):
    APP = APP
    CONFIG = "[channels]\nheartbeat = 0.2\n"

    def test_comments_keep_connections_open(self):
        streams = [self.joined("/on/quiet") for _ in range(3)]
        old = self.joined("/on/quiet", version="HTTP/1.0")
        for stream in (*streams, old):
            while b":\n\n" not in stream.text:
                stream._more()
        self.say("quiet", "x")
        self.assertEqual(streams[0].next().data, "x")
        self.assertGreater(streams[0].comments, 0)


if __name__ == "__main__":
    unittest.main()
