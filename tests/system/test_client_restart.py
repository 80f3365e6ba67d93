"""Upstreams that are restarted under load, and requests that are given up: nobody gets another's answer, nothing stays."""

import threading
import time
import unittest

from harness import PATIENCE, wait_until
from peers import read_head, reset, wait_for_end
from tls_case import TlsCase
from upstream import APP, HttpCase, Upstream, answer

# Asks for 40 things at once, `rounds` times; counts right answers, errors by first word, and wrong answers.
STORM = """
local right, wrong, errors = 0, 0, {}
local function ask(i)
  local res, err = http.%s(url .. "/" .. i, { timeout = 5 })
  if not res then
    local word = err:match("^%%w+")
    errors[word] = (errors[word] or 0) + 1
  elseif res.body == "/" .. i then
    right = right + 1
  else
    wrong = wrong + 1
  end
end
for round = 1, 10 do
  local tasks = {}
  for i = 1, 40 do tasks[i] = perigee.spawn(ask, round * 100 + i) end
  for _, task in ipairs(tasks) do task:wait() end
  perigee.sleep(0.01)
end
return right, wrong, errors"""


class Restart(HttpCase):
    APP = APP

    def storm(self, method):
        """A storm of requests while the upstream's connections are all ended, again and again."""
        upstream = self.upstream(lambda method, target, *_: answer(body=target.encode()))
        over = threading.Event()

        def shoot():
            while not over.wait(0.005):
                upstream.drop_all()
        shooter = threading.Thread(target=shoot)
        shooter.start()
        try:
            right, wrong, errors = self.run_lua(STORM % method, upstream.port)
        finally:
            over.set()
            shooter.join()
        errors = errors or {}
        self.assertEqual(wrong, 0)
        self.assertEqual(right + sum(errors.values()), 400)
        self.assertLessEqual(set(errors), {"closed", "reset", "refused"})
        self.assertGreater(right, 0)
        found = self.run_lua(f'return http.{method}(url .. "/after").body', upstream.port)
        self.assertEqual(found, ["/after"])

    def test_every_connection_is_killed_under_requests_that_may_be_repeated(self):
        self.storm("get")

    def test_every_connection_is_killed_under_requests_that_may_not(self):
        self.storm("post")

    def test_another_server_on_the_same_port_answers_what_is_asked_of_it(self):
        first = self.upstream(lambda method, target, *_: answer(body=b"old " + target.encode()))
        ask = 'local out = {} for i = 1, 10 do out[i] = http.get(url .. "/" .. i).body end return out'
        tasks = f"""
            local tasks = {{}}
            for i = 1, 10 do tasks[i] = perigee.spawn(function() return http.get(url).body end) end
            for _, task in ipairs(tasks) do task:wait() end
            {ask}"""
        self.assertEqual(self.run_lua(tasks, first.port)[0][9], "old /10")
        first.close()
        first.wait_open(0)
        second = Upstream(lambda method, target, *_: answer(body=b"new " + target.encode()),
                          address=("127.0.0.1", first.port))
        self.addCleanup(second.close)
        self.assertEqual(self.run_lua(ask, second.port), [[f"new /{i}" for i in range(1, 11)]])

    def test_answers_that_nobody_asked_for_reach_nobody(self):
        def talk(connection, number):
            buffer = b""
            while True:
                head, buffer = read_head(connection, buffer)
                if not head:
                    return
                target = head.split(b" ")[1]
                connection.sendall(answer(body=target) + (answer(body=b"poison") if number % 2 else b""))
        peer = self.peer(talk)
        found = self.run_lua("""
            local wrong = 0
            for i = 1, 50 do
              local res = http.get(url .. "/" .. i)
              if res and res.body ~= "/" .. i then wrong = wrong + 1 end
              if i % 5 == 0 then perigee.sleep(0.002) end
            end
            return wrong""", peer.port)
        self.assertEqual(found, [0])


class GivenUp(TlsCase, HttpCase):
    APP = APP

    def error_of(self, code, port):
        found = self.run_lua(f"local res, err = {code} return res == nil, err", port)
        self.assertTrue(found[0], "an answer was given")
        return found[1]

    def test_a_handshake_that_stalls_or_breaks_off(self):
        silent = self.peer(lambda connection, _: wait_for_end(connection))
        self.assertTrue(self.error_of('http.get("https://localhost:" .. port, { timeout = 0.1 })', silent.port)
                        .startswith("timeout: "))
        silent.wait_open(0)
        breaks = self.peer(lambda connection, _: (connection.recv(1), reset(connection)))
        self.assertRegex(self.error_of('http.get("https://localhost:" .. port)', breaks.port), "^(reset|closed|tls)")

    def test_an_upstream_that_does_not_read_what_is_sent(self):
        peer = self.peer(lambda connection, _: time.sleep(0.5))
        error = self.error_of('http.post(url, { body = ("x"):rep(2^25), timeout = { read = 0.1 } })', peer.port)
        self.assertEqual(error, "timeout: sending to 127.0.0.1")

    def test_ten_thousand_tasks_of_one_request_are_answered_over_one_pool(self):
        upstream = self.upstream(lambda method, target, *_: answer(body=target.encode()))
        found = self.run_lua("""
            local slots, right = perigee.semaphore(20), 0
            local function ask(i)
              local res = slots:with(http.get, url .. "/" .. i)
              if res and res.body == "/" .. i then right = right + 1 end
            end
            local tasks = {}
            for i = 1, 10000 do tasks[i] = perigee.spawn(i <= 1000 and ask or perigee.sleep, i <= 1000 and i or 0) end
            perigee.all(tasks)
            return right, http.stats()["127.0.0.1:" .. port].errors.closed""", upstream.port)
        self.assertEqual(found, [1000, None])
        self.assertLessEqual(upstream.accepted, 20)

    def test_a_client_that_leaves_gives_back_sockets_and_semaphores(self):
        peer = self.peer(lambda connection, _: (read_head(connection), wait_for_end(connection)))
        code = "slots = slots or perigee.semaphore(1) slots:acquire() return http.get(url)"
        for _ in range(3):
            client = self.connect()
            client.send_request("POST", f"/run?port={peer.port}", (), code)
            peer.wait_open(1)
            client.abort()
            peer.wait_open(0)
        free = lambda: self.run_lua("local free = slots:acquire(0) if free then slots:release() end return free") == [True]
        wait_until(free, "the semaphore to be free", PATIENCE)


if __name__ == "__main__":
    unittest.main()
