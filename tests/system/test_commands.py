"""The commands that do not serve, and the configuration they read."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from harness import BINARY, ROOT, ServerCase, run_perigee

APP = """
local app = require("perigee").app()
app:get("/", function() return "root" end)
app:post("/users/{id:integer}", function() return "user" end)
app:any("/files/{rest*}", function() return "file" end)
return app
"""


class Commands(ServerCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.write("app.lua", APP)
        self.write("server.toml", "")

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def run_it(self, command, *arguments, env=None):
        return run_perigee(command, "-c", self.folder / "server.toml", "--app", self.folder / "app.lua", *arguments,
                           cwd=self.folder, env={**os.environ, **(env or {})})

    def check(self, config=None, *arguments, **options):
        if config is not None:
            self.write("server.toml", config)
        return self.run_it("check", *arguments, **options)

    def refused(self, config, *said):
        result = self.check(config)
        output = result.stdout + result.stderr
        self.assertEqual(result.returncode, 1, output)
        for text in said:
            self.assertRegex(output, text)
        return output

    def test_check_of_what_is_right_is_0(self):
        self.assertEqual(self.check().returncode, 0)

    def test_check_takes_the_files_of_the_house(self):
        result = run_perigee("check", "-c", "conf/server.toml", "--app", "lua/app.lua", cwd=ROOT)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_check_names_every_mistake_at_once_with_line_column_and_the_nearest_key(self):
        output = self.refused('[server]\nworkres = 2\nbacklog = "many"\n\n[limits]\nbody = -1\n[htpt]\nfields = 5\n',
                              r"server\.toml:2:\d+.*workers", r"server\.toml:3:\d+.*backlog", r"server\.toml:6:\d+.*body",
                              r"server\.toml:7:\d+.*http")
        self.assertGreaterEqual(len(output.strip().splitlines()), 4)

    def test_check_names_mistakes_of_configuration_and_app_together(self):
        self.write("app.lua", "\nlocal x = = 1")
        self.refused("[server]\nworkres = 2\n", r"server\.toml:2", r"app\.lua:2")

    def test_toml_that_is_none_is_named_with_its_place(self):
        self.refused("[server\n", r"server\.toml:1:\d+")
        self.refused("[server]\nworkers = 1\nworkers = 2\n", r"server\.toml:3:\d+")

    def test_values_out_of_range_and_wrong_choices_are_named(self):
        self.refused("[http]\nfields = 0\n", r"server\.toml:2:\d+.*fields")
        self.refused('[server]\naccept = "reuse"\n', r"server\.toml:2:\d+.*reuseport")
        self.refused("[http]\nidle_timeout = -1\n", r"server\.toml:2:\d+.*idle_timeout")

    def test_sizes_take_units(self):
        for size in ('"1MB"', '"1MiB"', '"64KiB"', "4096"):
            self.assertEqual(self.check(f"[limits]\nbody = {size}\n").returncode, 0, size)
        self.refused('[limits]\nbody = "1 parsec"\n', r"server\.toml:2:\d+")

    def test_environment_and_files_are_expanded(self):
        secret = self.write("secret", "from-a-file\n")
        config = f'[admin]\ntoken = "${{file:{secret}}}"\n[app]\nname = "${{PERIGEE_TEST_NAME}}"\n'
        self.assertEqual(self.check(config, env={"PERIGEE_TEST_NAME": "x"}).returncode, 0)
        result = self.check('[app]\nname = "${PERIGEE_TEST_ABSENT}"\n')
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout + result.stderr, r"server\.toml:2:\d+.*PERIGEE_TEST_ABSENT")

    def test_check_names_files_and_users_that_serve_would_not_get(self):
        self.refused('[server]\nuser = "no-such-user"\n[log]\naccess = "/no/such/access.log"\nerror = "/"\n',
                     r"server\.toml:2:\d+: server\.user: there is no user 'no-such-user'",
                     r"server\.toml:4:\d+: log\.access: '/no/such/access\.log': its folder '/no/such': No such file",
                     r"server\.toml:5:\d+: log\.error: '/': is a folder")
        self.refused('[session]\nfile = "/no/such/sessions.db"\n',
                     r"server\.toml:2:\d+: session\.file: '/no/such/sessions\.db': its folder '/no/such': No such file")

    def test_set_overrides_and_its_mistakes_are_named(self):
        self.assertEqual(self.check("", "--set", "limits.body=10", "--set", "server.accept=balanced").returncode, 0)
        for setting in ("limits.bodi=10", "limits.body=x", "nothing.at_all=1", "limits", "limits.body"):
            result = self.check("", "--set", setting)
            self.assertEqual(result.returncode, 1, setting)
            self.assertTrue((result.stdout + result.stderr).strip())
        result = self.check("", "--set", "limits.bodi=10")
        self.assertIn("limits.body", result.stdout + result.stderr)

    def test_set_takes_effect(self):
        server = self.start("""
            local app = require("perigee").app()
            app:post("/", function(req) return req.body end)
            return app""", config="[limits]\nbody = 100\n", settings={"limits.body": 10})
        self.assertEqual(server.fetch("POST", "/", body="x" * 10).status, 200)
        self.assertEqual(server.fetch("POST", "/", body="x" * 11).status, 413)

    def test_routes_prints_method_pattern_and_place(self):
        result = self.run_it("routes")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"GET\s+/\s.*app\.lua:3")
        self.assertRegex(result.stdout, r"POST\s+/users/\{id:integer\}.*app\.lua:4")
        self.assertRegex(result.stdout, r"/files/\{rest\*\}.*app\.lua:5")

    def test_routes_prints_json(self):
        result = self.run_it("routes", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        routes = json.loads(result.stdout)
        routes = routes["routes"] if isinstance(routes, dict) else routes
        by_pattern = {route["pattern"]: route for route in routes}
        self.assertEqual(set(by_pattern), {"/", "/users/{id:integer}", "/files/{rest*}"})
        self.assertEqual(by_pattern["/users/{id:integer}"]["method"], "POST")
        self.assertIn("integer", json.dumps(by_pattern["/users/{id:integer}"]))
        self.assertIn("app.lua", json.dumps(by_pattern["/"]))

    def test_routes_of_a_broken_app_is_1(self):
        self.write("app.lua", "return nil")
        result = self.run_it("routes")
        self.assertEqual(result.returncode, 1)
        self.assertIn("app.lua", result.stdout + result.stderr)

    def test_version_prints_one_line(self):
        result = run_perigee("version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^(perigee )?\d+\.\d+\.\d+.*\n$")

    def test_help_lists_the_commands(self):
        result = run_perigee("--help")
        self.assertEqual(result.returncode, 0)
        for command in ("serve", "check", "reload", "health", "routes", "version"):
            self.assertIn(command, result.stdout)
            self.assertEqual(run_perigee(command, "--help").returncode, 0)

    def test_wrong_usage_is_an_error_with_the_nearest_word(self):
        for arguments, said in ((["serv"], "serve"), (["serve", "--lisen", "x"], "--listen"), (["check", "--no-such"], "--no-such")):
            result = run_perigee(*arguments)
            self.assertEqual(result.returncode, 1, arguments)
            self.assertIn(said, result.stderr)
            self.assertEqual(result.stdout, "")

    def test_what_can_not_be_printed_whole_is_an_error(self):
        for arguments in (["--help"], ["routes", "--app", "app.lua"], ["version"]):
            with open("/dev/full", "w") as full:
                result = subprocess.run([BINARY, *arguments], cwd=self.folder, stdout=full, stderr=subprocess.PIPE,
                                        text=True, timeout=60)
            self.assertEqual((result.returncode, result.stderr),
                             (1, "perigee: not all could be printed: No space left on device\n"), arguments)

    def test_a_file_to_be_written_has_a_name(self):
        for arguments in (["test", "--junit", ""], ["test", "--coverage-dir", ""], ["bench", "--cpuprofile", ""],
                          ["bench", "--memprofile", ""]):
            result = run_perigee(*arguments, cwd=self.folder)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(f"perigee: {arguments[1]}: it has no name", result.stderr)

    def test_check_runs_no_start_hook_of_a_server_and_opens_no_port(self):
        self.write("app.lua", "local app = require('perigee').app()\napp:get('/', function() end)\nreturn app\n")
        result = self.check("")
        self.assertEqual(result.returncode, 0)
        self.assertNotIn("listening on", result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
