"""Limits on connections and descriptors."""

import time
import unittest

from harness import SLOW, Closed, ServerCase, wait_until

APP = """
local app = require("perigee").app()
app:get("/", function() return "root" end)
return app
"""


class Limits(ServerCase):
    def answered(self, client):
        """Whether a request on this connection is answered 200."""
        try:
            return client.get("/").status == 200
        except (Closed, OSError):
            return False

    def admitted(self, server, **options):
        """Opens a connection that is served."""
        client = self.connect(server, **options)
        self.assertTrue(self.answered(client))
        return client

    def assert_turned_away(self, server, **options):
        client = self.connect(server, **options)
        response = client.read_response()
        self.assertEqual(response.status, 503)
        self.assertGreaterEqual(int(response.header("retry-after")), 0)
        self.assertTrue(response.closes)
        self.assertTrue(client.closed())

    def free_again(self, server, **options):
        def one():
            with server.client(**options) as client:
                return self.answered(client)
        wait_until(one, "a place to become free")

    def test_one_connection_over_the_limit_is_503_with_retry_after(self):
        server = self.start(APP, settings={"limits.connections": 3})
        clients = [self.admitted(server) for _ in range(3)]
        self.assert_turned_away(server)
        self.assertTrue(all(self.answered(client) for client in clients))
        clients[0].close()
        self.free_again(server)

    def test_the_limit_counts_all_workers_together(self):
        server = self.start(APP, workers=3, settings={"limits.connections": 5})
        clients = [self.admitted(server) for _ in range(5)]
        self.assert_turned_away(server)
        for client in clients:
            client.close()
        self.free_again(server)

    def test_one_address_over_its_limit_is_turned_away_and_others_are_not(self):
        server = self.start(APP, workers=2, settings={"limits.connections_per_address": 2})
        clients = [self.admitted(server) for _ in range(2)]
        self.assert_turned_away(server)
        self.admitted(server, source="127.0.0.2")
        self.admitted(server, source="127.0.0.2")
        self.assert_turned_away(server, source="127.0.0.2")
        clients[0].abort()
        self.free_again(server)

    def test_thousands_of_connections_come_and_go_without_leaving_anything(self):
        server = self.start(APP, settings={"limits.connections": 50})
        with server.client() as client:
            self.assertTrue(self.answered(client))
        wait_until(lambda: self.counted(server), "the first connection to be gone")
        descriptors = server.descriptors()
        for index in range(1000):
            with server.client() as client:
                self.assertTrue(self.answered(client) or index > 0)
                if index % 3 == 0:
                    client.abort()
        wait_until(lambda: server.descriptors() <= descriptors, "every connection to be gone")

    def counted(self, server):
        before = server.descriptors()
        time.sleep(0.05)
        return server.descriptors() == before

    def test_out_of_descriptors_it_serves_on_and_does_not_spin(self):
        server = self.start(APP, descriptors=64)
        served = self.admitted(server)
        crowd = [self.connect(server) for _ in range(100)]
        wait_until(lambda: server.descriptors() >= 60, "the descriptors to be used up")
        begin = server.cpu_seconds()
        time.sleep(0.5)  # the window in which the processor's time is measured
        self.assertLess(server.cpu_seconds() - begin, 0.25 * SLOW)
        self.assertTrue(self.answered(served))
        for client in crowd:
            client.close()
        self.free_again(server)


if __name__ == "__main__":
    unittest.main()
