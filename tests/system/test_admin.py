"""The admin port: health, routes, reload, and who may ask."""

import signal
import socket
import threading
import unittest

from harness import Client, Server, ServerCase, run_perigee

APP = """
local perigee = require "perigee"
local app = perigee.app()
app:get("/", function() return "root" end)
app:get("/users/{id:integer}", function() return "user" end)
app:post("/users", function() return "made" end)
app:get("/sleep", function() perigee.sleep(0.5) return "slept" end)
return app
"""


class Admin(ServerCase):
    APP = APP

    def ask(self, method, target, host="127.0.0.1", headers=(), server=None):
        with (server or self.server).admin() as client:
            return client.request(method, target, headers, host=host)

    def test_healthz_and_readyz_are_200_while_it_serves(self):
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.ask("GET", path).status, 200)
            self.assertEqual(self.ask("HEAD", path).status, 200)

    def test_routes_lists_every_route(self):
        response = self.ask("GET", "/routes")
        self.assertEqual(response.status, 200)
        for text in ("/users/{id:integer}", "GET", "POST", "integer", "app.lua:5"):
            self.assertIn(text, response.text)

    def test_reload_is_a_post(self):
        response = self.ask("GET", "/reload")
        self.assertEqual(response.status, 405)
        self.assertIn("POST", response.header("allow"))
        self.assertIn(self.ask("POST", "/reload").status, (200, 204))

    def test_commands_take_the_admin_port_as_the_server_says_it(self):
        said = self.server.stderr.wait(r"admin on (http://\S+:\d+)").group(1)
        for words in (("health",), ("reload",), ("profile", "--seconds", "0.1")):
            for url in (said, said + "/"):
                result = run_perigee(*words, "--admin", url, cwd=self.server.directory)
                self.assertEqual(result.returncode, 0, result.stderr)

    def test_health_asks_whether_it_serves(self):
        def health(address):
            return run_perigee("health", "--admin", address, cwd=self.server.directory)
        well = health("{}:{}".format(*self.server.admin_address))
        self.assertEqual((well.returncode, well.stdout), (0, "ok\n"), well.stderr)
        with socket.create_server(("127.0.0.1", 0)) as other:
            place = "127.0.0.1:{}".format(other.getsockname()[1])

            def answer(text):
                connection, _ = other.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(text)
            for text in (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", b"220 mail\r\n", b""):
                thread = threading.Thread(target=answer, args=(text,))
                thread.start()
                ill = health(place)
                thread.join()
                self.assertEqual((ill.returncode, ill.stdout, ill.stderr.count("\n")), (1, "", 1), ill.stderr)
        for address, why in ((place, "no server answers"), ("off", "is off"), ("nowhere", "admin.listen")):
            ill = health(address)
            self.assertEqual((ill.returncode, ill.stdout), (1, ""))
            self.assertIn(why, ill.stderr)

    def test_an_unknown_path_is_404(self):
        self.assertEqual(self.ask("GET", "/nowhere").status, 404)

    def test_the_apps_own_port_answers_nothing_of_it(self):
        self.assertEqual(self.get("/readyz").status, 404)
        self.assertEqual(self.server.fetch("POST", "/reload").status, 404)

    def test_a_host_that_is_not_this_machine_is_refused(self):
        # A page that rebound its name to 127.0.0.1 still sends its own name.
        for host in ("evil.example", "evil.example:9145", "127.0.0.1.evil.example", "localhost.evil.example"):
            for method, path in (("GET", "/routes"), ("POST", "/reload"), ("GET", "/healthz")):
                self.assertEqual(self.ask(method, path, host=host).status, 403, host)

    def test_names_of_this_machine_are_taken(self):
        port = self.server.admin_address[1]
        for host in ("127.0.0.1", f"127.0.0.1:{port}", "localhost", f"localhost:{port}"):
            self.assertEqual(self.ask("GET", "/healthz", host=host).status, 200, host)

    def test_keep_alive_and_pipelines_work_here_too(self):
        with self.server.admin() as client:
            for _ in range(3):
                self.assertEqual(client.request("GET", "/healthz", host="127.0.0.1").status, 200)

    def test_a_malformed_request_is_refused(self):
        with self.server.admin() as client:
            client.send("GET / HTTP/1.1\r\n\r\n")
            self.assert_refused(client, 400)

    def test_readyz_says_no_while_it_drains(self):
        server = self.start(APP)
        with server.client() as client, server.admin() as admin:
            self.assertEqual(admin.request("GET", "/readyz", host="127.0.0.1").status, 200)
            client.send_request("GET", "/sleep")
            server.get("/")
            server.signal(signal.SIGTERM)
            status = None
            while status != 503:
                status = admin.request("GET", "/readyz", host="127.0.0.1").status
                self.assertIn(status, (200, 503))
            self.assertEqual(client.read_response().text, "slept")
        self.assertEqual(server.wait_exit(), 0)


class Token(ServerCase):
    def ask(self, server, authorization=None, path="/routes"):
        headers = [("Authorization", authorization)] if authorization else []
        with Client(("127.0.0.1", server.admin_address[1])) as client:
            return client.request("GET", path, headers, host="127.0.0.1")

    def serve(self):
        return self.start(APP, settings={"admin.listen": "0.0.0.0:0", "admin.token": "s3cret-of-the-port"}, admin=True)

    def start(self, app, admin=False, **options):
        server = super().start(app, **options)
        if admin:
            port = int(server.stderr.wait(r"admin on http://[^:\s]+:(\d+)").group(1))
            server.admin_address = ("127.0.0.1", port)
        return server

    def test_beyond_loopback_a_token_is_asked_for(self):
        server = self.serve()
        self.assertEqual(self.ask(server).status, 401)
        self.assertIn("bearer", self.ask(server).header("www-authenticate").lower())
        for wrong in ("Bearer wrong", "Bearer s3cret-of-the-por", "Bearer s3cret-of-the-port2", "Basic s3cret-of-the-port",
                      "Bearer", "s3cret-of-the-port"):
            self.assertIn(self.ask(server, wrong).status, (401, 403), wrong)
        self.assertEqual(self.ask(server, "Bearer s3cret-of-the-port").status, 200)

    def test_a_command_without_it_is_told_so_in_a_sentence(self):
        server = self.serve()
        for command in ("profile", "reload"):
            result = run_perigee(command, "--admin", "{}:{}".format(*server.admin_address))
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, r"refused \(401\): a token is required: Authorization: Bearer TOKEN\n$")

    def test_the_token_is_never_printed(self):
        server = self.serve()
        self.ask(server, "Bearer s3cret-of-the-port")
        server.stop()
        self.assertNotIn("s3cret", server.stderr.text + server.stdout.text)

    def test_beyond_loopback_it_does_not_start_without_one(self):
        server = Server(APP, settings={"admin.listen": "0.0.0.0:0"}, expect_start=False)
        self.addCleanup(server.kill)
        self.assertEqual(server.wait_exit(), 1)
        self.assertIn("token", server.stderr.text)

    def test_off_opens_no_port(self):
        server = self.start(APP, arguments=["--admin", "off"])
        self.assertEqual(server.get("/").text, "root")
        server.stop()
        self.assertNotIn("admin on", server.stderr.text)


if __name__ == "__main__":
    unittest.main()
