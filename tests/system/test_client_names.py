"""How names become addresses: /etc/hosts, nameservers, ttl, both families."""

import socket
import unittest

from peers import Nameserver, echo, free_port
from socket_case import APP, SocketCase


class Names(SocketCase):
    def test_names_are_asked_for_once_and_kept_for_their_ttl(self):
        dns = Nameserver({"kept.test": {"A": ["127.0.0.1"], "ttl": 600}, "fleeting.test": {"A": ["127.0.0.1"], "ttl": 0}})
        self.addCleanup(dns.close)
        server = self.start(APP, config=f'[client]\nnameservers = ["{dns.address}"]\n')
        peer = self.peer(echo)
        for name in ("kept.test", "KEPT.test", "fleeting.test", "fleeting.test"):
            self.assertEqual(self.run_lua(f'return sock:connect("{name}", port)', peer.port, server), [True])
        self.assertEqual(dns.asked.count(("kept.test", "A")), 1)
        self.assertEqual(dns.asked.count(("fleeting.test", "A")), 2)

    def test_who_asks_for_one_name_at_once_shares_the_question(self):
        dns = Nameserver({"one.test": {"A": ["127.0.0.1"]}})
        self.addCleanup(dns.close)
        server = self.start(APP, config=f'[client]\nnameservers = ["{dns.address}"]\n')
        peer = self.peer(echo)
        found = self.run_lua("""
            local tasks, good = {}, 0
            for i = 1, 50 do
              tasks[i] = perigee.spawn(function() return perigee.socket.tcp():connect("one.test", port) end)
            end
            for _, task in ipairs(tasks) do good = good + (task:wait() and 1 or 0) end
            return good""", peer.port, server)
        self.assertEqual(found, [50])
        self.assertEqual(dns.asked.count(("one.test", "A")), 1)

    def test_both_families_are_tried(self):
        port = free_port()
        dns = Nameserver({"both.test": {"A": ["127.0.0.1"], "AAAA": ["::1"]},
                          "dead.test": {"A": ["127.0.0.2", "127.0.0.1"]}})
        self.addCleanup(dns.close)
        server = self.start(APP, config=f'[client]\nnameservers = ["{dns.address}"]\n')
        self.peer(echo, address=("127.0.0.1", port))  # nobody listens at ::1 or 127.0.0.2
        for name in ("both.test", "dead.test"):
            self.assertEqual(self.run_lua(f'return sock:connect("{name}", port)', port, server), [True])

    def test_ipv6_literals(self):
        peer = self.peer(echo, family=socket.AF_INET6)
        server = self.start(APP)
        for host in ("::1", "[::1]"):
            self.assertEqual(self.run_lua(f'return sock:connect("{host}", port)', peer.port, server), [True])

    def test_etc_hosts_comes_first(self):
        dns = Nameserver({})
        self.addCleanup(dns.close)
        server = self.start(APP, config=f'[client]\nnameservers = ["{dns.address}"]\n')
        peer = self.peer(echo)
        self.assertEqual(self.run_lua('return sock:connect("localhost", port)', peer.port, server), [True])
        self.assertEqual(dns.asked, [])

    def test_a_name_that_does_not_exist_is_an_error_that_names_it(self):
        dns = Nameserver({})
        self.addCleanup(dns.close)
        server = self.start(APP, config=f'[client]\nnameservers = ["{dns.address}"]\n')
        self.assertEqual(self.run_lua('return sock:connect("nowhere.test", 80)', 0, server),
                         [None, "dns: no such name: nowhere.test"])

    def test_a_nameserver_that_never_answers_is_given_up(self):
        dns = Nameserver({"silent.test": None})
        self.addCleanup(dns.close)
        server = self.start(
            APP, config=f'[client]\nnameservers = ["{dns.address}"]\nname_timeout = 0.1\nname_tries = 2\n')
        self.assertEqual(self.run_lua('return sock:connect("silent.test", 80)', 0, server),
                         [None, "dns: no nameserver answers: silent.test"])
        self.assertEqual(self.run_lua('sock:settimeout(0.05) return sock:connect("silent.test", 80)', 0, server),
                         [None, "timeout"])

    def test_a_reload_takes_other_nameservers(self):
        first, second = Nameserver({}), Nameserver({"later.test": {"A": ["127.0.0.1"]}})
        self.addCleanup(first.close)
        self.addCleanup(second.close)
        server = self.start(APP, config=f'[client]\nnameservers = ["{first.address}"]\n')
        peer = self.peer(echo)
        self.assertEqual(self.run_lua('return sock:connect("later.test", port)', peer.port, server)[0], None)
        server.write("server.toml", server.config_path.read_text().replace(first.address, second.address))
        server.reload()
        self.assertEqual(self.run_lua('return sock:connect("later.test", port)', peer.port, server), [True])


if __name__ == "__main__":
    unittest.main()
