"""The middleware that comes with Perigee, over real connections."""

import base64
import re
import unittest
import urllib.parse

from harness import ServerCase

APP = """
local perigee = require "perigee"
local app = perigee.app()
local ware = perigee.middleware
app:use(ware.security_headers())
app:use("/api", ware.cors { origins = { "https://app.example" }, credentials = true, expose = { "x-total" } })
app:use("/open", ware.cors { origins = "*" })
app:group("/admin", ware.basic_auth { users = { ada = "lovelace" }, realm = "the admin" }, function(admin)
  admin:get("/", function(req) return "hello " .. req.ctx.user end)
end)
app:group("/shop", ware.csrf(), function(shop)
  shop:get("/form", function(req)
    return "<form method=post><input name=csrf_token value=" .. req.ctx.csrf_token() .. "></form>"
  end)
  shop:post("/order", function(req) return 201, "ordered " .. req.form.what end)
end)
app:get("/api/x", function() return { a = 1 } end)
app:post("/api/x", function() return 201 end)
app:get("/open/x", function() return "open" end)
return app
"""

CAREFUL = ("x-content-type-options", "x-frame-options", "content-security-policy", "referrer-policy",
           "cross-origin-opener-policy", "cross-origin-resource-policy")


class BuiltIn(ServerCase):
    APP = APP

    def ask(self, method, target, headers=(), body=None):
        with self.server.client() as client:
            return client.request(method, target, headers, body)

    def test_security_headers_are_on_every_answer_once(self):
        for method, target in (("GET", "/open/x"), ("GET", "/nowhere"), ("PUT", "/open/x"), ("OPTIONS", "/open/x"),
                               ("GET", "/admin")):
            response = self.ask(method, target)
            for name in CAREFUL:
                self.assertEqual(len(response.all(name)), 1, (target, name))
            self.assertIsNone(response.header("strict-transport-security"))

    def test_a_preflight_is_answered_where_no_route_takes_options(self):
        response = self.ask("OPTIONS", "/api/x", [("Origin", "https://app.example"),
                                                  ("Access-Control-Request-Method", "POST"),
                                                  ("Access-Control-Request-Headers", "content-type")])
        self.assertEqual(response.status, 204)
        self.assertEqual(response.header("access-control-allow-origin"), "https://app.example")
        self.assertEqual(response.header("access-control-allow-credentials"), "true")
        self.assertEqual(response.header("access-control-allow-headers"), "content-type")
        self.assertIn("POST", response.header("access-control-allow-methods"))

    def test_cross_origin_answers_say_who_may_read_them_errors_too(self):
        for method, target, status in (("GET", "/api/x", 200), ("POST", "/api/x", 201), ("GET", "/api/nowhere", 404),
                                       ("DELETE", "/api/x", 405)):
            response = self.ask(method, target, [("Origin", "https://app.example")])
            self.assertEqual(response.status, status)
            self.assertEqual(response.all("access-control-allow-origin"), ["https://app.example"])
            self.assertEqual(response.header("access-control-expose-headers"), "x-total")
            self.assertIn("Origin", response.header("vary"))
            response = self.ask(method, target, [("Origin", "https://evil.example")])
            self.assertEqual(response.status, status)
            self.assertIsNone(response.header("access-control-allow-origin"))
        self.assertEqual(self.ask("GET", "/open/x", [("Origin", "null")]).header("access-control-allow-origin"), "*")
        self.assertIsNone(self.ask("GET", "/apis", [("Origin", "https://app.example")]).header("vary"))

    def test_basic_auth_asks_and_lets_in(self):
        response = self.ask("GET", "/admin")
        self.assert_problem(response, 401)
        self.assertEqual(response.header("www-authenticate"), 'Basic realm="the admin", charset="UTF-8"')
        token = base64.b64encode(b"ada:lovelace").decode()
        self.assertEqual(self.ask("GET", "/admin", [("Authorization", f"Basic {token}")]).text, "hello ada")
        for field in ("Basic", f"Bearer {token}", f"Basic {token[:-2]}", f"Basic {token}{token}", "Basic \x80\xff",
                      "Basic " + base64.b64encode(b"ada:lovelac").decode(), "Basic " + "A" * 5000):
            self.assertEqual(self.ask("GET", "/admin", [("Authorization", field)]).status, 401, field)

    def test_a_form_of_our_own_passes_and_another_sites_does_not(self):
        page = self.ask("GET", "/shop/form")
        cookie = re.match(r"csrf=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Lax$", page.header("set-cookie"))
        self.assertTrue(cookie, page.header("set-cookie"))
        token = re.search(r"value=([0-9a-f.]+)", page.text).group(1)
        form = [("Cookie", page.header("set-cookie").split(";")[0]),
                ("Content-Type", "application/x-www-form-urlencoded")]
        body = urllib.parse.urlencode({"what": "tea", "csrf_token": token}).encode()
        host = [("Origin", "http://localhost")]
        self.assertEqual(self.ask("POST", "/shop/order", form, body).text, "ordered tea")
        self.assertEqual(self.ask("POST", "/shop/order", form + host, b"what=tea").status, 201)
        same = form + [("Sec-Fetch-Site", "same-origin")]
        self.assertEqual(self.ask("POST", "/shop/order", same, b"what=tea").status, 201)
        evil = [("Origin", "https://evil.example")]
        for headers, sent in ((form, b"what=tea"), (form, body[:-1]), (form + evil, body), (form[1:] + evil, body),
                              (form + [("Sec-Fetch-Site", "cross-site")], body),
                              (form[1:] + [("Origin", "null")], body)):
            self.assert_problem(self.ask("POST", "/shop/order", headers, sent), 403)


LIMITED = """
local perigee = require "perigee"
local app = perigee.app()
app:use(perigee.middleware.rate_limit { requests = 40, per = 3600,
  key = function(req) return req:header("x-key") end })
app:get("/", function() return tostring(perigee.worker.id) end)
return app
"""


class RateLimit(ServerCase):
    def statuses(self, server, key, count):
        """What `count` requests are answered, each over a connection of its own, and which workers answered."""
        statuses, workers = [], set()
        for _ in range(count):
            with server.client() as client:
                response = client.get("/", **{"X-Key": key})
                statuses.append(response.status)
                if response.status == 200:
                    workers.add(response.text)
        return statuses, workers

    def test_all_workers_count_together_and_a_reload_forgets_nothing(self):
        server = self.start(LIMITED, workers=4)
        statuses, workers = self.statuses(server, "a", 30)
        self.assertEqual(statuses, [200] * 30)
        self.assertGreater(len(workers), 1)
        server.reload()
        self.assertEqual(self.statuses(server, "a", 20)[0], [200] * 10 + [429] * 10)
        self.assertEqual(self.statuses(server, "b", 5)[0], [200] * 5)

    def test_a_refusal_says_when_to_come_back(self):
        server = self.start(LIMITED.replace("requests = 40, per = 3600", "requests = 1, per = 30"))
        with server.client() as client:
            first = client.get("/", **{"X-Key": "a"})
            self.assertEqual(first.header("ratelimit-policy"), '"default";q=1;w=30')
            self.assertEqual(first.header("ratelimit"), '"default";r=0;t=30')
            refused = client.get("/", **{"X-Key": "a"})
            self.assert_problem(refused, 429)
            self.assertIn(int(refused.header("retry-after")), range(20, 31))
            self.assertIn('"default";r=0;t=', refused.header("ratelimit"))
            self.assertIsNone(client.get("/").header("ratelimit"))


if __name__ == "__main__":
    unittest.main()
