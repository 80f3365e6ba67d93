"""Reloading: what changes, what a broken app changes (nothing), and what a request under way sees."""

import json
import signal
import threading
import unittest

from harness import Closed, ServerCase, run_perigee, wait_until


def app(generation, extra=""):
    return f"""
local perigee = require "perigee"
local part = require "part"
local app = perigee.app()
local generation = {generation}
app:get("/", function() return generation .. " " .. part.generation end)
app:get("/wait/{{seconds:number}}", function(req)
  local before = generation
  perigee.sleep(req.params.seconds)
  return before .. " " .. part.generation .. " " .. require("late").generation
end)
{extra}
return app
"""


def files(generation):
    return {"part.lua": f"return {{ generation = {generation} }}", "late.lua": f"return {{ generation = {generation} }}"}


class Reload(ServerCase):
    def serve(self, generation=1, **options):
        return self.start(app(generation), files=files(generation), **options)

    def change(self, server, generation, extra=""):
        for name, text in files(generation).items():
            server.write(name, text)
        server.write("app.lua", app(generation, extra))

    def hup(self, server, pattern, since=None):
        """Sends SIGHUP and waits for a line about it."""
        since = len(server.stderr.text) if since is None else since
        server.signal(signal.SIGHUP)
        return server.stderr.wait(pattern, since=since)

    def serves(self, server, text):
        wait_until(lambda: server.get("/").text == text, f"{text!r} to be served")

    def test_sighup_serves_the_changed_app_and_its_modules(self):
        server = self.serve(workers=2)
        self.assertEqual(server.get("/").text, "1 1")
        self.change(server, 2)
        self.assertEqual(server.get("/").text, "1 1")
        server.signal(signal.SIGHUP)
        self.serves(server, "2 2")

    def test_every_worker_swaps(self):
        server = self.serve(workers=4)
        clients = [self.connect(server) for _ in range(40)]
        self.assertEqual({client.get("/").text for client in clients}, {"1 1"})
        self.change(server, 2)
        server.reload()
        self.assertEqual({client.get("/").text for client in clients}, {"2 2"})

    def test_post_reload_answers_once_the_new_app_serves(self):
        server = self.serve()
        for generation in range(2, 8):
            self.change(server, generation)
            server.reload()
            self.assertEqual(server.get("/").text, f"{generation} {generation}")

    def test_a_broken_app_changes_nothing_and_names_its_place(self):
        server = self.serve()
        for text, said in (("local x = = 1", r"app\.lua:1"), ("\n\nerror('at load')", r"app\.lua:3.*at load"),
                           ("return 7", r"app\.lua"), ("local a = require 'perigee'.app()\na:get('/{x:no}', function() end)\nreturn a",
                                                       r"app\.lua:2"),
                           ("\nrequire 'not.there'", r"not\.there")):
            with self.subTest(text=text):
                server.write("app.lua", text)
                before = len(server.stderr.text)
                self.hup(server, said, since=before)
                self.assertEqual(server.get("/").text, "1 1")
        server.write("part.lua", "return {{")
        server.write("app.lua", app(2))
        self.hup(server, r"part\.lua:1")
        self.assertEqual(server.get("/").text, "1 1")

    def test_a_broken_app_is_one_event_in_the_log(self):
        server = self.serve(settings={"log.format": "json"})
        server.write("app.lua", "\nlocal x = = 1")
        before = len(server.stderr.text)
        self.hup(server, r"app\.lua:2", since=before)
        server.write("app.lua", app(1))
        server.reload()
        lines = [line for line in server.stderr.text[before:].splitlines() if "app.lua:2" in line]
        self.assertEqual(len(lines), 1)
        self.assertEqual(json.loads(lines[0])["level"], "error")

    def test_a_mended_app_is_taken_after_a_broken_one(self):
        server = self.serve()
        server.write("app.lua", "syntax error")
        server.reload(ok=False)
        self.change(server, 3)
        server.reload()
        self.assertEqual(server.get("/").text, "3 3")

    def test_a_broken_configuration_changes_nothing(self):
        server = self.serve(config="[limits]\nbody = 10\n")
        self.change(server, 2)
        for text, said in (("[limits]\nbody = 'x'\n", r"server\.toml:2"), ("[limits]\nbodi = 10\n", r"server\.toml:2.*body"),
                           ("[limits\n", r"server\.toml:1")):
            with self.subTest(text=text):
                server.write("server.toml", text)
                self.hup(server, said)
                self.assertEqual(server.get("/").text, "1 1")

    def test_reloadable_options_take_effect(self):
        server = self.start("""
            local perigee = require "perigee"
            local app = perigee.app()
            app:post("/", function(req) return #req.body .. " " .. tostring(perigee.config.name) end)
            return app""", config="[limits]\nbody = 10\n[app]\nname = 'first'\n")
        self.assertEqual(server.fetch("POST", "/", body="x" * 10).text, "10 first")
        self.assertEqual(server.fetch("POST", "/", body="x" * 11).status, 413)
        server.write("server.toml", "[limits]\nbody = 20\n[app]\nname = 'second'\n")
        server.reload()
        self.assertEqual(server.fetch("POST", "/", body="x" * 20).text, "20 second")
        self.assertEqual(server.fetch("POST", "/", body="x" * 21).status, 413)

    def test_options_that_cannot_be_reloaded_are_named_in_a_warning(self):
        server = self.serve(config="[server]\nbacklog = 100\n")
        server.write("server.toml", "[server]\nbacklog = 200\n")
        self.change(server, 2)
        before = len(server.stderr.text)
        server.reload()
        self.assertEqual(server.get("/").text, "2 2")
        self.assertRegex(server.stderr.wait(r".*backlog.*", since=before).group(0).lower(), "warn")

    def test_the_command_says_what_happened(self):
        server = self.serve(config="", arguments=[])
        admin = "{}:{}".format(*server.admin_address)
        self.change(server, 2)
        result = run_perigee("reload", "-c", server.config_path, "--admin", admin)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(server.get("/").text, "2 2")
        server.write("app.lua", "\nlocal x = = 1")
        result = run_perigee("reload", "-c", server.config_path, "--admin", admin)
        self.assertEqual(result.returncode, 1)
        self.assertIn("app.lua:2", result.stdout + result.stderr)
        self.assertEqual(server.get("/").text, "2 2")

    def test_the_command_fails_clearly_when_nothing_runs(self):
        server = self.serve()
        admin = "{}:{}".format(*server.admin_address)
        server.stop()
        result = run_perigee("reload", "--admin", admin)
        self.assertEqual(result.returncode, 1)
        self.assertTrue((result.stdout + result.stderr).strip())

    def test_a_refused_reload_names_the_mistakes_in_its_answer(self):
        server = self.serve()
        server.write("app.lua", "\nlocal x = = 1")
        with server.admin() as client:
            response = client.request("POST", "/reload", host="127.0.0.1")
        self.assertGreaterEqual(response.status, 400)
        self.assertIn("app.lua:2", response.text)

    def test_a_start_hook_that_fails_aborts_on_every_worker(self):
        server = self.serve(workers=3)
        self.change(server, 2, "app:start(function() if perigee.worker.id == perigee.worker.count then error('no start') end "
                               "if perigee.worker.count > 1 then perigee.sleep(0.01) error('no start') end end)")
        before = len(server.stderr.text)
        server.reload(ok=False)
        server.stderr.wait("no start", since=before)
        clients = [self.connect(server) for _ in range(20)]
        self.assertEqual({client.get("/").text for client in clients}, {"1 1"})

    def test_a_start_hook_that_does_not_end_aborts_the_reload(self):
        server = self.serve(settings={"server.reload_timeout": 0.3})
        self.change(server, 2, "app:start(function() perigee.sleep(60) end)")
        server.reload(ok=False)
        self.assertEqual(server.get("/").text, "1 1")
        self.change(server, 3)
        server.reload()
        self.assertEqual(server.get("/").text, "3 3")

    def test_a_waiting_request_ends_in_the_generation_it_began_in(self):
        server = self.serve()
        clients = [self.connect(server) for _ in range(5)]
        clients[0].send_request("GET", "/wait/0.4")
        clients[1].send_request("GET", "/wait/0.4")
        self.assertEqual(server.get("/").text, "1 1")
        self.change(server, 2)
        # late.lua was not required yet: the old generation may read it from disk now, and only then.
        server.write("late.lua", "return { generation = 'late' }")
        server.reload()
        self.assertEqual(server.get("/").text, "2 2")
        for client in clients[:2]:
            self.assertEqual(client.read_response().text.split()[:2], ["1", "1"])
        self.assertEqual(clients[0].get("/").text, "2 2")

    def test_a_request_that_waits_past_the_drain_deadline_is_ended(self):
        server = self.serve(settings={"server.drain": 0.3})
        with server.client() as client:
            client.send_request("GET", "/wait/60")
            self.assertEqual(server.get("/").text, "1 1")
            self.change(server, 2)
            server.reload()
            try:
                self.assertEqual(client.read_response().status, 503)
            except Closed:
                self.fail("closed without an answer")
        self.assertEqual(server.get("/").text, "2 2")

    def test_connections_do_not_notice(self):
        server = self.serve()
        with server.client() as client:
            for generation in range(1, 6):
                self.assertEqual(client.get("/").text, f"{generation} {generation}")
                self.change(server, generation + 1)
                server.reload()
            client.send("GET / HTTP/1.1\r\nHo")
            self.change(server, 7)
            server.reload()
            self.assertEqual(client.send("st: a\r\n\r\n").read_response().text, "7 7")

    def test_stop_hooks_run_when_a_generation_ends(self):
        server = self.serve()
        self.change(server, 2, "app:stop(function() print('generation 2 stopped') end)")
        server.reload()
        self.change(server, 3)
        server.reload()
        server.stderr.wait("generation 2 stopped")

    def test_signals_in_a_burst_are_taken_together_and_the_last_state_wins(self):
        server = self.serve()
        for generation in range(2, 30):
            self.change(server, generation)
            server.signal(signal.SIGHUP)
        self.serves(server, "29 29")

    def test_reloads_asked_at_once_are_all_answered(self):
        server = self.serve()
        self.change(server, 2)
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(server.reload(ok=None))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(statuses), 8)
        self.assertTrue(all(200 <= status < 300 for status in statuses), statuses)
        self.assertEqual(server.get("/").text, "2 2")


if __name__ == "__main__":
    unittest.main()
