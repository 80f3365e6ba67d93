"""Sessions: what the cookie is worth, what is written when, and who sees it."""

import pathlib
import re
import resource
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
from signal import SIGKILL

from harness import Closed, ServerCase, run_perigee, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
local made = perigee.shared("made")
app:on_session(function(session, req) made:incr("count") session.born = req.path end)
app:use("/guarded", function(req, inner)
  if not req.session.user then req.session.wanted = req.path return perigee.redirect("/login", 303) end
  return inner(req)
end)
app:get("/user", function(req) return tostring(req.session.user) end)
app:get("/all", function(req) return req.session:all() end)
app:get("/id", function(req) return tostring(req.session:id()) end)
app:get("/plain", function() return "plain" end)
app:get("/set/{key}/{value}", function(req) req.session[req.params.key] = req.params.value return "set" end)
app:get("/login/{user}", function(req) req.session:login(req.params.user) return "in" end)
app:get("/rotate", function(req) req.session:rotate() return "rotated" end)
app:get("/destroy", function(req) req.session:destroy() return 204 end)
app:get("/flash", function(req) req.session:destroy() req.session.flash = "bye" return "out" end)
app:get("/push/{item}", function(req)
  req.session.cart = req.session.cart or {}
  table.insert(req.session.cart, req.params.item)
  return req.session.cart
end)
app:get("/pushed/{item}", function(req) table.insert(req.session.cart, req.params.item) return "pushed" end)
app:get("/count", function(req) req.session.n = (req.session.n or 0) + 1 return tostring(req.session.n) end)
app:get("/raise", function(req) req.session.tried = true error("raised") end)
app:get("/forbid", function(req) req.session.tried = true error(perigee.problem(403, "no")) end)
app:get("/large", function(req) req.session.large = ("x"):rep(70000) return "kept" end)
app:get("/stream", function(req)
  local user = req.session.user
  req.session.streamed = true
  return perigee.stream(function(write)
    write("begin ")
    if user then req.session.later = "written" else
      local ok, err = pcall(function() req.session.after = 1 end)
      write(ok and "made" or err)
    end
  end)
end)
app:get("/latest", function(req)
  return perigee.stream(function(write)
    local ok, err = pcall(function() req.session.after = 1 end)
    write(tostring(ok) .. " " .. tostring(err))
  end)
end)
app:get("/forever", function(req)
  local user = req.session.user
  return perigee.stream(function(write)
    while write(tostring(user) .. "\\n") do perigee.sleep(0.02) end
  end)
end)
app:get("/wait", function(req)
  req.session.began = true
  made:set("waiting", true)
  local ok, err = pcall(perigee.sleep, 60)
  made:set("left", tostring(err))
  req.session.ended = true
  return "waited"
end)
app:get("/made/{key}", function(req) return tostring(made:get(req.params.key)) end)
app:get("/of/{user}", function(req) return perigee.sessions.of(req.params.user) end)
app:get("/kill/{user}", function(req) return tostring(perigee.sessions.destroy(req.params.user)) end)
app:get("/own", function(req) return req.session.missing and "" or perigee.encode(req.cookies) end)
app:after(function(req) if req.path == "/count" then made:set("seen", req.session.n) end end)
app:get("/guarded/page", function(req) return "page of " .. req.session.user end)
return app
"""
TOKEN = re.compile(r"^session=([A-Za-z0-9_-]{44}); Path=/; HttpOnly; SameSite=Lax$")


class SessionCase(ServerCase):
    def ask(self, target, token=None, server=None, name="session", headers=()):
        headers = list(headers) + ([("Cookie", f"{name}={token}")] if token else [])
        return (server or self.server).get(target, headers)

    def token(self, response):
        lines = response.all("set-cookie")
        self.assertEqual(len(lines), 1, response)
        self.assertRegex(lines[0], TOKEN)
        return TOKEN.match(lines[0])[1]

    def made(self, key):
        return self.ask("/made/" + key).text


class Sessions(SessionCase):
    APP = APP
    WORKERS = 2

    def test_reading_makes_none(self):
        before = self.made("count")
        for target in ("/user", "/all", "/id", "/rotate", "/destroy", "/own"):
            response = self.ask(target)
            self.assertLess(response.status, 300)
            self.assertEqual(response.all("set-cookie"), [], target)
        self.assertEqual(self.made("count"), before)

    def test_the_first_write_makes_one_that_every_worker_sees(self):
        response = self.ask("/set/colour/green")
        token = self.token(response)
        for _ in range(8):
            self.assertEqual(self.ask("/all", token).json(), {"colour": "green", "born": "/set/colour/green"})
        self.assertEqual(self.ask("/set/colour/red", token).all("set-cookie"), [])
        self.assertEqual(self.ask("/all", token).json()["colour"], "red")
        self.server.reload()
        self.assertEqual(self.ask("/all", token).json()["colour"], "red")

    def test_tables_that_were_read_are_written_back(self):
        token = self.token(self.ask("/push/tea"))
        self.assertEqual(self.ask("/push/milk", token).json(), ["tea", "milk"])
        self.ask("/pushed/sugar", token)
        self.assertEqual(self.ask("/all", token).json()["cart"], ["tea", "milk", "sugar"])

    def test_a_text_of_the_client_s_is_never_adopted(self):
        token = self.token(self.ask("/set/a/b"))
        forged = [token[:-1] + ("A" if token[-1] != "A" else "B"), token[1:], token + "A", token[:43], "x", "A" * 44,
                  token.swapcase(), "A" * 4000, token[:20] + "%00" + token[23:], "__Host-session"]
        for text in forged:
            with self.subTest(text[:60]):
                self.assertEqual(self.ask("/all", text).json(), {})
                fresh = self.token(self.ask("/set/a/c", text))
                self.assertNotIn(fresh, (text, token))
                self.assertEqual(self.ask("/all", fresh).json()["a"], "c")
        self.assertEqual(self.ask("/all", token).json()["a"], "b")

    def test_two_cookies_of_the_name_are_none(self):
        token, other = self.token(self.ask("/set/a/1")), self.token(self.ask("/set/a/2"))
        for headers in ([("Cookie", f"session={token}; session={other}")],
                        [("Cookie", f"session={token}; x=y;  session =x")],
                        [("Cookie", f"session={token}; session={token}")],
                        [("Cookie", f"session={token}"), ("Cookie", f"session={other}")]):
            self.assertEqual(self.ask("/all", headers=headers).json(), {}, headers)
        for cookie in (f"a=b; session={token}; c=d", f"session={token}; xsession=1", f'session="{token}"; c=d'):
            self.assertEqual(self.ask("/all", headers=[("Cookie", cookie)]).json()["a"], "1", cookie)

    def test_login_and_rotate_give_another_token(self):
        first = self.token(self.ask("/set/cart/tea"))
        first_id = self.ask("/id", first).text
        second = self.token(self.ask("/login/ada", first))
        self.assertEqual(self.ask("/all", first).json(), {})
        self.assertEqual(self.ask("/all", second).json(), {"cart": "tea", "born": "/set/cart/tea", "user": "ada"})
        third = self.token(self.ask("/rotate", second))
        self.assertEqual(self.ask("/user", second).text, "nil")
        self.assertEqual(self.ask("/user", third).text, "ada")
        self.assertEqual(self.ask("/id", third).text, first_id)

    def test_destroy_ends_it_on_the_server_and_deletes_the_cookie(self):
        token = self.token(self.ask("/login/bea"))
        line = self.ask("/destroy", token).header("set-cookie")
        self.assertRegex(line, r"^session=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 .*; HttpOnly; SameSite=Lax$")
        self.assertEqual(self.ask("/user", token).text, "nil")
        token = self.token(self.ask("/login/bea"))
        response = self.ask("/flash", token)
        last = re.match(r"session=([^;]+)", response.all("set-cookie")[-1])[1]
        self.assertEqual(self.ask("/all", last).json(), {"flash": "bye", "born": "/flash"})
        self.assertEqual(self.ask("/all", token).json(), {})

    def test_a_user_s_sessions_are_listed_and_ended(self):
        tokens = [self.token(self.ask("/login/carl")) for _ in range(3)]
        other = self.token(self.ask("/login/dora"))
        listed = self.ask("/of/carl").json()
        self.assertEqual({session["id"] for session in listed}, {self.ask("/id", token).text for token in tokens})
        self.assertTrue(all(abs(session["created"] - time.time()) < 60 for session in listed))
        self.assertEqual(self.ask("/kill/carl").text, "3")
        self.assertEqual(self.ask("/of/carl").json(), [])
        self.assertEqual([self.ask("/user", token).text for token in [*tokens, other]], ["nil"] * 3 + ["dora"])

    def test_its_end_ends_its_streams(self):
        token = self.token(self.ask("/login/eve"))
        bystander = self.token(self.ask("/login/finn"))
        clients = [self.connect() for _ in range(3)]
        for client, cookie in zip(clients, (token, token, bystander)):
            client.send_request("GET", "/forever", [("Cookie", f"session={cookie}")])
            client.read_until(b"\n")
        self.assertEqual(self.ask("/kill/eve").text, "1")
        for client in clients[:2]:
            client.read_to_end()
        clients[2].buffer = b""
        clients[2].read_until(b"finn\n")

    def test_whatever_is_answered_what_was_written_is_kept(self):
        for target, status in (("/raise", 500), ("/forbid", 403), ("/guarded/page", 303)):
            response = self.ask(target)
            self.assertEqual(response.status, status)
            values = self.ask("/all", self.token(response)).json()
            self.assertEqual(values.get("tried", values.get("wanted")), target if "guarded" in target else True)
        token = self.token(self.ask("/login/gus"))
        self.assertEqual(self.ask("/guarded/page", token).text, "page of gus")

    def test_more_than_it_may_hold_is_an_error_and_changes_nothing(self):
        token = self.token(self.ask("/set/a/b"))
        self.assert_problem(self.ask("/large", token), 500)
        self.server.stderr.wait("the session can't be written: it would be larger than session.size allows")
        self.assertEqual(self.ask("/all", token).json(), {"a": "b", "born": "/set/a/b"})
        self.assertEqual(self.ask("/large").all("set-cookie"), [])

    def test_streams_write_before_the_head_and_after_it_what_there_is(self):
        response = self.ask("/stream")
        token = self.token(response)
        self.assertEqual(response.text, "begin made")
        self.assertEqual(self.ask("/all", token).json(), {"streamed": True, "after": 1, "born": "/stream"})
        token = self.token(self.ask("/login/hal"))
        self.ask("/stream", token)
        self.assertEqual(self.ask("/all", token).json()["later"], "written")
        text = self.ask("/latest").text
        self.assertRegex(text, "^false .*a session can't begin once the head of the answer is sent")

    def test_after_hooks_still_read_it(self):
        token = self.token(self.ask("/count"))
        wait_until(lambda: self.made("seen") == "1", "the after hook")
        self.assertEqual(self.ask("/count", token).text, "2")  # perhaps on another worker
        wait_until(lambda: self.made("seen") == "2", "the after hook")

    def test_a_client_that_leaves_takes_nothing_with_it(self):
        token = self.token(self.ask("/login/ida"))
        for cookie in (token, None):
            count = self.made("count")
            with self.server.client() as client:
                client.send_request("GET", "/wait", [("Cookie", f"session={cookie}")] if cookie else [])
                wait_until(lambda: self.made("waiting") == "true", "the handler")
                client.abort()
            wait_until(lambda: "client has gone" in self.made("left"), "its end")
            if cookie:
                wait_until(lambda: self.ask("/all", token).json().get("ended"), "what it wrote")
            else:
                self.assertEqual(self.made("count"), count)  # nobody would have the cookie

    def test_writers_of_different_keys_lose_nothing(self):
        token, errors = self.token(self.ask("/set/user/jim")), []

        def write(part):
            with self.server.client() as client:
                for i in range(100):
                    key = f"/set/k{part}_{i}/{part * 1000 + i}"
                    if client.get(key, Cookie=f"session={token}").text != "set":
                        errors.append(key)
        threads = [threading.Thread(target=write, args=(part,)) for part in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        values = self.ask("/all", token).json()
        self.assertEqual(errors, [])
        self.assertEqual(len(values), 1000 + 2)
        self.assertTrue(all(values[f"k{p}_{i}"] == str(p * 1000 + i) for p in range(10) for i in range(100)))

    def test_writers_of_one_key_leave_the_value_of_one(self):
        token = self.token(self.ask("/set/key/begin"))
        values = [str(n) * 1000 for n in range(8)]

        def write(value):
            with self.server.client() as client:
                for _ in range(50):
                    client.get(f"/set/key/{value}", Cookie=f"session={token}")
        threads = [threading.Thread(target=write, args=(value,)) for value in values]
        for thread in threads:
            thread.start()
        seen = {self.ask("/all", token).json()["key"] for _ in range(50)}
        for thread in threads:
            thread.join()
        self.assertLessEqual(seen | {self.ask("/all", token).json()["key"]}, {*values, "begin"})

    def test_curl_keeps_it_in_its_jar(self):
        host, port = self.server.address
        jar = str(self.server.directory / "jar")

        def curl(target):
            command = ["curl", "-sS", "-b", jar, "-c", jar, f"http://{host}:{port}{target}"]
            return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
        self.assertEqual([curl("/count") for _ in range(3)], ["1", "2", "3"])
        curl("/login/kim")
        self.assertEqual((curl("/user"), curl("/count")), ("kim", "4"))
        curl("/destroy")
        self.assertEqual((curl("/user"), curl("/count")), ("nil", "1"))


class Options(SessionCase):
    def test_over_tls_the_cookie_is_bound_to_the_host(self):
        server = self.start(APP, config='[server]\ntrusted_proxies = ["127.0.0.1"]\n[session]\ncookie = "sid"\n')
        https = [("X-Forwarded-Proto", "https")]
        line = self.ask("/login/ada", server=server, headers=https).header("set-cookie")
        match = re.match(r"^__Host-sid=([\w-]{44}); Path=/; Secure; HttpOnly; SameSite=Lax$", line)
        self.assertTrue(match, line)
        self.assertEqual(self.ask("/user", match[1], server, "__Host-sid", https).text, "ada")
        for name, headers in (("sid", https), ("__Host-sid", []), ("session", [])):
            self.assertEqual(self.ask("/user", match[1], server, name, headers).text, "nil")
        self.assertRegex(self.ask("/login/ada", server=server).header("set-cookie"), "^sid=[^;]*; Path=/; HttpOnly")

    def test_timeouts_end_it(self):
        server = self.start(APP, config="[session]\nidle = 0.5\nabsolute = 1.5\n")
        token = self.token(self.ask("/set/a/b", server=server))
        born = time.monotonic()
        while time.monotonic() < born + 1.2:
            self.assertEqual(self.ask("/all", token, server).json()["a"], "b")
        wait_until(lambda: self.ask("/all", token, server).json() == {}, "the absolute timeout")
        self.assertGreater(time.monotonic(), born + 1.3)
        token = self.token(self.ask("/login/ada", server=server))
        wait_until(lambda: self.ask("/of/ada", server=server).json() == [], "the idle timeout")
        self.assertEqual(self.ask("/all", token, server).json(), {})

    def test_one_more_than_may_be_takes_the_place_of_nobody_s(self):
        server = self.start(APP, config="[session]\nmax = 20\n", workers=2)
        user = self.token(self.ask("/login/ada", server=server))
        others = [self.token(self.ask("/set/a/b", server=server)) for _ in range(100)]
        self.assertLess(sum(1 for token in others if self.ask("/all", token, server).json()), 21)
        self.assertTrue(self.ask("/all", others[-1], server).json())
        self.assertEqual(self.ask("/id", user, server).status, 200)

    def test_a_reload_changes_name_and_bounds_and_keeps_the_sessions(self):
        server = self.start(APP, config="[session]\nsize = 300\n")
        token = self.token(self.ask("/login/ada", server=server))
        self.assertEqual(self.ask("/set/k/" + "v" * 300, token, server).status, 500)
        server.write("server.toml", '[session]\nsize = "1KiB"\ncookie = "other"\n')
        server.reload()
        self.assertEqual(self.ask("/user", token, server).text, "nil")
        self.assertEqual(self.ask("/user", token, server, "other").text, "ada")
        self.assertEqual(self.ask("/set/k/" + "v" * 300, token, server, "other").status, 200)

    def test_the_top_level_of_a_file_may_not_use_them(self):
        top = 'local p = require "perigee"\np.sessions.destroy("ada")\nreturn p.app()\n'
        path = self.start(APP).write("top.lua", top)
        checked = run_perigee("check", "-c", "", "--app", path)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("top.lua:2: sessions can't be used at the top level of a file: put it in app:start",
                      checked.stderr)

    def test_a_cookie_s_name_is_checked(self):
        path = self.start(APP).app_path
        for name in ("a b", "a=b", "__Host-x", "ä"):
            checked = run_perigee("check", "-c", "", "--app", path, "--set", f"session.cookie={name}")
            self.assertEqual(checked.returncode, 1, name)
            self.assertIn("session.cookie takes letters", checked.stderr)


class OnDisk(SessionCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="perigee-sessions-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = self.folder / "sessions.db"

    def run_server(self, **settings):
        settings = {f"session.{name}": value for name, value in settings.items()}
        return self.start(APP, settings={"session.file": self.file, **settings}, workers=2)

    def kill(self, server):
        server.signal(SIGKILL)
        server.process.wait()
        server.stopped = True

    def write_until(self, server, enough):
        """Writes by several clients until `enough(number)`, then kills; what was acknowledged, with the time."""
        tokens = [self.token(self.ask("/set/a/b", server=server)) for _ in range(4)]
        done, lock, killed = {}, threading.Lock(), []

        def write(number):
            try:
                with server.client() as client:
                    for i in range(100000):
                        asked = time.monotonic()
                        key = f"k{number}_{i % 50}"
                        if client.get(f"/set/{key}/{i}", Cookie=f"session={tokens[number]}").status == 200:
                            with lock:
                                done.setdefault((number, key), []).append((asked, time.monotonic(), i))
            except (OSError, Closed):  # the server is killed under it
                if not killed:
                    raise
        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: enough(sum(len(times) for times in done.values())), "writes")
        killed.append(time.monotonic())
        self.kill(server)
        for thread in threads:
            thread.join()
        return tokens, done, killed[0]

    def test_what_was_answered_outlives_a_kill(self):
        tokens, done, _ = self.write_until(self.run_server(), lambda count: count > 200)
        server = self.run_server()
        for number, token in enumerate(tokens):
            values = self.ask("/all", token, server).json()
            for key in [key for part, key in done if part == number]:
                self.assertGreaterEqual(int(values[key]), done[number, key][-1][2], key)

    def test_async_loses_at_most_the_window(self):
        window, begin = 0.4, time.monotonic()
        tokens, done, killed = self.write_until(self.run_server(durability="async", window=window),
                                                lambda count: time.monotonic() > begin + 1.5)
        server = self.run_server()
        for (number, key), times in done.items():
            old = [i for _, answered, i in times if answered < killed - window]
            if old:
                values = self.ask("/all", tokens[number], server).json()
                self.assertGreaterEqual(int(values[key]), old[-1])

    def test_an_orderly_end_loses_nothing(self):
        server = self.run_server(durability="async", window=60)
        token = self.token(self.ask("/login/ada", server=server))
        server.stop()
        server = self.run_server()
        self.assertEqual(self.ask("/user", token, server).text, "ada")
        self.ask("/destroy", token, server)
        self.kill(server)
        server = self.run_server()
        self.assertEqual(self.ask("/user", token, server).text, "nil")
        self.assertEqual(self.ask("/kill/ada", server=server).text, "0")

    def test_a_full_disk_is_an_error_and_leaves_all_as_it_was(self):
        server = self.run_server()
        token = self.token(self.ask("/login/ada", server=server))
        wal = pathlib.Path(f"{self.file}-wal")
        hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (wal.stat().st_size, hard))
        self.assert_problem(self.ask("/set/large/" + "x" * 7000, token, server), 500)
        server.stderr.wait("the session can't be written: session.file: ")
        server.stderr.wait("sessions can't be written: session.file: ")
        response = self.ask("/login/bob", token, server)
        self.assertEqual((response.status, response.all("set-cookie")), (500, []))
        self.assertEqual(self.ask("/set/a/b", server=server).all("set-cookie"), [])
        self.assertEqual(self.ask("/all", token, server).json(), {"user": "ada", "born": "/login/ada"})
        self.assertEqual(self.ask("/plain", server=server).text, "plain")
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))
        self.assertEqual(self.ask("/set/after/1", token, server).status, 200)
        server.stderr.wait("sessions are written again")
        self.kill(server)
        self.assertEqual(self.ask("/all", token, self.run_server()).json(),
                         {"user": "ada", "born": "/login/ada", "after": "1"})

    def refused(self, path, because):
        app = self.folder / "app.lua"
        app.write_text("return require('perigee').app()")
        result = run_perigee("serve", "-c", "", "--app", app, "--listen", "127.0.0.1:0", "--admin", "off", "--set",
                             f"session.file={path}")
        self.assertEqual(result.returncode, 1)
        self.assertIn("session.file: ", result.stderr)
        self.assertIn(because, result.stderr)

    def test_a_file_that_is_none_keeps_it_from_starting(self):
        self.file.write_bytes(b"no database " * 1000)
        self.refused(self.file, "not a database")
        self.refused(self.folder / "none" / "sessions.db", "No such file or directory")
        self.refused(self.folder, "Is a directory")

    def test_a_damaged_file_keeps_it_from_starting(self):
        server = self.run_server()
        self.token(self.ask("/set/a/unmistakable", server=server))
        server.stop()
        self.file.write_bytes(self.file.read_bytes().replace(b"unmistakable", b"something at"))
        self.refused(self.file, "is damaged")

    def test_two_servers_do_not_share_a_file(self):
        self.run_server()
        self.refused(self.file, "is in use by another process")


if __name__ == "__main__":
    unittest.main()
