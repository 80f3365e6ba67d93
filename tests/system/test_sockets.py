"""Where it listens, and which worker gets a connection."""

import os
import pathlib
import re
import socket
import tempfile
import unittest

from harness import ServerCase, run_perigee, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
app:get("/", function(req) return req.remote_addr .. " " .. perigee.worker.id end)
app:get("/host", function(req) return req.host end)
return app
"""


class Addresses(ServerCase):
    def test_ipv4_on_another_address_of_the_loopback(self):
        server = self.start(APP, listen=["127.0.0.2:0"])
        self.assertEqual(server.address[0], "127.0.0.2")
        self.assertEqual(server.get("/").text.split()[0], "127.0.0.1")

    def test_ipv6(self):
        server = self.start(APP, listen=["[::1]:0"])
        self.assertEqual(server.address[0], "::1")
        self.assertEqual(server.get("/").text.split()[0], "::1")
        self.assertIn("listening on http://[::1]:", server.stderr.text)

    def test_localhost_and_every_address(self):
        server = self.start(APP, listen=["localhost:0", ":0", "*:0"])
        self.assertEqual(len(server.addresses), 3)
        for address in server.addresses:
            with socket.create_connection(("127.0.0.1", address[1])) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 200"))

    def test_a_unix_socket(self):
        server = self.start(APP, listen=["unix:{dir}/perigee.sock"])
        path = server.directory / "perigee.sock"
        self.assertEqual(server.address, str(path))
        with server.client() as client:
            self.assertEqual(client.get("/").text.split()[0], "unix")
            self.assertEqual(client.get("/host").text, "localhost")

    def test_a_unix_socket_serves_every_worker_and_is_gone_after_the_end(self):
        server = self.start(APP, listen=["unix:{dir}/perigee.sock"], workers=3, settings={"server.accept": "balanced"})
        path = server.directory / "perigee.sock"
        clients = [self.connect(server) for _ in range(9)]
        self.assertEqual(len({client.get("/").text for client in clients}), 3)
        server.signal(15)
        self.assertEqual(server.wait_exit(), 0)
        self.assertFalse(path.exists())

    def test_a_unix_socket_left_by_the_dead_is_taken_over(self):
        with tempfile.TemporaryDirectory() as folder:
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(folder + "/left.sock")
            server = self.start(APP, listen=[f"unix:{folder}/left.sock"])
            self.assertEqual(server.get("/").status, 200)
            server.stop()

    def test_a_unix_socket_in_use_is_not_taken_over(self):
        server = self.start(APP, listen=["unix:{dir}/perigee.sock"])
        result = run_perigee("serve", "-c", server.config_path, "--app", server.app_path, "--admin", "off",
                             "--listen", f"unix:{server.directory}/perigee.sock")
        self.assertEqual(result.returncode, 1)
        self.assertIn("perigee.sock", result.stderr)
        self.assertEqual(server.get("/").status, 200)

    def test_several_at_once(self):
        server = self.start(APP, listen=["127.0.0.1:0", "[::1]:0", "127.0.0.2:0", "unix:{dir}/a.sock"], workers=2)
        self.assertEqual(len(server.addresses), 4)
        for index in range(4):
            with server.client(index) as client:
                self.assertEqual(client.get("/").status, 200)

    def test_the_configuration_names_several_too(self):
        server = self.start(APP, config='[server]\nlisten = ["127.0.0.1:0", "[::1]:0"]\n', listen=[])
        server.stderr.wait("listening on", count=2)


class Workers(ServerCase):
    def workers_of(self, clients):
        return [client.get("/").text.split()[1] for client in clients]

    def test_a_connection_stays_with_its_worker(self):
        server = self.start(APP, workers=3)
        for _ in range(5):
            with server.client() as client:
                self.assertEqual(len(set(self.workers_of([client] * 20))), 1)

    def test_reuseport_spreads_over_all_workers(self):
        server = self.start(APP, workers=3)
        seen = set()

        def one_more():
            with server.client() as client:
                seen.update(self.workers_of([client]))
            return len(seen) == 3
        wait_until(one_more, "every worker to get a connection")

    def test_balanced_gives_each_worker_the_same(self):
        server = self.start(APP, workers=4, settings={"server.accept": "balanced"})
        clients = []
        for _ in range(20):
            clients.append(self.connect(server))
            clients[-1].get("/")
        counts = sorted(self.workers_of(clients).count(worker) for worker in set(self.workers_of(clients)))
        self.assertEqual(counts, [5, 5, 5, 5])

    def test_balanced_fills_up_the_worker_that_lost_its_connections(self):
        server = self.start(APP, workers=2, settings={"server.accept": "balanced"})
        clients = []
        for _ in range(10):
            clients.append(self.connect(server))
            clients[-1].get("/")
        workers = self.workers_of(clients)
        left = workers[0]
        before = server.descriptors()
        for client, worker in zip(clients, workers):
            if worker == left:
                client.close()
        wait_until(lambda: server.descriptors() == before - 5, "the connections to be gone")
        new = [self.connect(server) for _ in range(4)]
        self.assertEqual(set(self.workers_of(new)), {left})

    def test_zero_workers_is_one_a_core(self):
        server = self.start(APP, workers=0)
        cores = len(os.sched_getaffinity(0))
        self.assertGreaterEqual(server.threads(), cores + 1)

    def test_pinned_workers_stay_on_one_core_each(self):
        cores = len(os.sched_getaffinity(0))
        server = self.start(APP, workers=cores, settings={"server.pin": "true"})
        with server.client() as client:
            client.get("/")
        pinned = set()
        for task in pathlib.Path(f"/proc/{server.pid}/task").iterdir():
            allowed = re.search(r"Cpus_allowed_list:\s+(\S+)", (task / "status").read_text()).group(1)
            if re.fullmatch(r"\d+", allowed):
                pinned.add(allowed)
        self.assertEqual(len(pinned), cores)


if __name__ == "__main__":
    unittest.main()
