"""perigee.crypto in the running server: passwords are hashed while the worker serves others."""

import threading
import unittest

from harness import Client, ServerCase, wait_until

APP = """
local perigee = require "perigee"
local app, crypto = perigee.app(), perigee.crypto
local served = 0

app:get("/hash/{count:integer}", function(req)
  local functions = {}
  for i = 1, req.params.count do
    functions[i] = function() return crypto.password_hash("password " .. i) end
  end
  local before = served
  local hashes, errors = perigee.all(functions)
  local made, refused = 0, {}
  for i = 1, req.params.count do
    made = made + (hashes[i] and 1 or 0)
    refused[#refused + 1] = errors[i]
  end
  return { made = made, refused = #refused, err = refused[1], served = served - before }
end)
app:get("/other", function() served = served + 1 return "served" end)

app:get("/flood", function()
  local tasks, refused, err = {}, 0, nil
  for i = 1, 600 do
    tasks[i] = perigee.spawn(function()
      local hash, why = crypto.password_hash("x")
      refused, err = refused + (hash and 0 or 1), why or err
    end)
  end
  perigee.sleep(0)
  for _, task in ipairs(tasks) do
    task:cancel()
  end
  return { refused = refused, err = err }
end)

app:get("/round", function()
  local hash = crypto.password_hash("secret")
  return { hash, crypto.password_verify("secret", hash), crypto.password_verify("Secret", hash) }
end)
app:get("/limited", { limits = { time = 0.05 } }, function()
  while true do crypto.password_hash("x") end
end)
app:get("/killed", { limits = { cpu = 0.05 } }, function()
  perigee.spawn(crypto.password_hash, "x")
  while true do end
end)
app:get("/in-coroutine", function()
  local made = {}
  for hash in coroutine.wrap(function()
    for _ = 1, 2 do
      local ok, hash = pcall(crypto.password_hash, "x")
      coroutine.yield(ok and hash)
    end
  end) do
    made[#made + 1] = crypto.password_verify("x", hash)
  end
  return made
end)
app:get("/table-sort", function()
  table.sort({ 2, 1 }, function() return #crypto.password_hash("x") > 0 end)
end)
app:get("/bad", function() return #crypto.password_hash(nil) end)
return app
"""


class Passwords(ServerCase):
    APP = APP

    def test_a_hash_is_of_its_password(self):
        digest, right, wrong = self.get("/round").json()
        self.assertTrue(digest.startswith("$argon2id$v=19$m=19456,t=2,p=1$"), digest)
        self.assertEqual((right, wrong), (True, False))

    def test_the_one_worker_serves_others_meanwhile(self):
        with Client(self.server.address) as busy:
            busy.send_request("GET", "/hash/20")
            for _ in range(5):
                self.assertEqual(self.get("/other").text, "served")
            answer = busy.read_response().json()
        self.assertEqual((answer["made"], answer["refused"]), (20, 0))
        self.assertGreaterEqual(answer["served"], 5)

    def test_more_than_may_wait_are_told_so(self):
        answer = self.get("/flood").json()
        self.assertGreater(answer["refused"], 300)
        self.assertLess(answer["refused"], 345)
        self.assertEqual(answer["err"], "full: too many passwords wait for their turn")
        wait_until(lambda: self.get("/round").status == 200, "those that were given up to have been passed over")

    def test_they_wait_within_coroutines_and_not_below_c_functions(self):
        self.assertEqual(self.get("/in-coroutine").json(), [True, True])
        self.assertEqual(self.get("/table-sort").status, 500)
        self.server.stderr.wait(r"app.lua:\d+: perigee.crypto.password_hash can't wait here: a C function is calling back")

    def test_a_bad_argument_names_the_line(self):
        self.assertEqual(self.get("/bad").status, 500)
        self.server.stderr.wait(r"app.lua:\d+: bad argument #1 to 'password_hash' \(string expected, got nil\)")

    def test_a_handler_over_its_limits_is_stopped(self):
        self.assertEqual(self.get("/limited").status, 503)
        self.assertEqual(self.get("/killed").status, 503)
        self.assertEqual(self.get("/round").status, 200)

    def test_clients_that_leave_leave_nothing_behind(self):
        def leave():
            with Client(self.server.address) as client:
                client.send_request("GET", "/hash/20")
                client.abort()
        threads = [threading.Thread(target=leave) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.get("/round").status, 200)


class Stopping(ServerCase):
    APP = APP

    def test_the_server_stops_while_passwords_are_hashed(self):
        with Client(self.server.address) as busy:
            busy.send_request("GET", "/hash/10")
            self.assertEqual(self.get("/other").status, 200)
            self.server.stop()
            self.assertEqual(busy.read_response().status, 200)


if __name__ == "__main__":
    unittest.main()
