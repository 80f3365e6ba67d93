"""What a handler sees of a request."""

import unittest

from harness import ServerCase

APP = """
local perigee = require "perigee"
local app = perigee.app()
local kept

app:any("/fields/{id:integer}", function(req)
  return {
    method = req.method, path = req.path, target = req.target, version = req.version, scheme = req.scheme,
    host = req.host, remote_addr = req.remote_addr, id = req.id, route = req.route, number = req.params.id,
    color = req.query.color, missing = req.query.missing == nil, cookie = req.cookies.tasty,
    agent = req.headers["user-agent"], body = req.body,
  }
end)
app:get("/query", function(req)
  return { first = req.query.a, all = perigee.array(req:query_all("a")), none = perigee.array(req:query_all("zz")),
    empty = req.query.empty, plus = req.query.plus, bare = req.query.bare }
end)
app:get("/header", function(req)
  return { a = req:header("X-Thing"), b = req:header("x-thing"), c = req:header("X-THING"),
    none = req:header("x-none") == nil, host = req:header("host"), agent = req:header("User-Agent") }
end)
app:get("/headers", function(req)
  local out = {}
  for name, value in pairs(req.headers) do out[name] = value end
  return out
end)
app:get("/cookies", function(req)
  local out = perigee.decode("{}")
  for name, value in pairs(req.cookies) do out[name] = value end
  return out
end)
app:post("/form", function(req)
  return { a = req.form.a, b = req.form.b, none = req.form.none == nil }
end)
app:post("/raw", function(req) return perigee.bytes(req:raw(), "application/octet-stream") end)
app:post("/body", function(req) return { size = #req.body, same = req.body == req:raw() } end)
app:post("/json", function(req)
  local value, err = req:json()
  if value == nil then return 422, { error = err } end
  return { value = value }
end)
app:get("/set-cookie", function(req)
  req:set_cookie("plain", "1")
  req:set_cookie("full", "v", { path = "/x", domain = "example.com", max_age = 60, http_only = true, secure = true,
    same_site = "Lax" })
  req:delete_cookie("old", { path = "/x" })
  return "ok"
end)
app:get("/set-cookie-and-fail", function(req)
  req:set_cookie("rides", "along")
  error(perigee.problem(403, "no"))
end)
app:get("/bad-cookie", function(req)
  req:set_cookie("a", "x\\r\\nSet-Cookie: evil=1")
  return "sent"
end)
app:get("/assign/{field}", function(req)
  local ok, err = pcall(function() req[req.params.field] = "changed" end)
  return { ok = ok, error = tostring(err) }
end)
app:get("/ctx", function(req)
  req.ctx.user = "ada"
  local first = req.ctx.user
  req.ctx = { user = "grace" }
  return { first = first, second = req.ctx.user }
end)
app:get("/ctx-is-fresh", function(req) return { fresh = next(req.ctx) == nil } end)
app:get("/keep", function(req)
  kept = req
  return { path = req.path, id = req.id, color = req.query.color }
end)
app:get("/look", function()
  local function read(fn)
    local ok, value = pcall(fn)
    return { ok = ok, value = tostring(value) }
  end
  return {
    path = read(function() return kept.path end),
    method = read(function() return kept.method end),
    headers = read(function() return kept.headers end),
    header = read(function() return kept:header("host") end),
    raw = read(function() return kept:raw() end),
    cookies = read(function() return kept.cookies end),
    assign = read(function() kept.path = "x" end),
  }
end)
return app
"""


class Request(ServerCase):
    APP = APP

    def test_every_field_says_what_was_sent(self):
        response = self.server.fetch("POST", "/fields/7?color=red&x=1",
                                     [("User-Agent", "test/1"), ("Cookie", "tasty=yes; other=no")],
                                     "the body", host="example.com:8443")
        fields = response.json()
        self.assertEqual(fields["method"], "POST")
        self.assertEqual(fields["path"], "/fields/7")
        self.assertEqual(fields["target"], "/fields/7?color=red&x=1")
        self.assertEqual(fields["scheme"], "http")
        self.assertEqual(fields["remote_addr"], "127.0.0.1")
        self.assertEqual(fields["number"], 7)
        self.assertEqual(fields["color"], "red")
        self.assertIs(fields["missing"], True)
        self.assertEqual(fields["cookie"], "yes")
        self.assertEqual(fields["agent"], "test/1")
        self.assertEqual(fields["body"], "the body")
        self.assertEqual(fields["route"], "/fields/{id:integer}")
        # The contract says these are strings and not how they are written: the version may bear its protocol's name.
        self.assertRegex(fields["version"], r"^(HTTP/)?1\.1$")
        self.assertRegex(fields["host"], r"^example\.com(:8443)?$")
        self.assertTrue(fields["id"])

    def test_path_is_decoded_and_target_is_not(self):
        fields = self.get("/fields/%37").json()
        self.assertEqual((fields["path"], fields["target"]), ("/fields/7", "/fields/%37"))

    def test_the_version_follows_the_request(self):
        fields = self.server.fetch("GET", "/fields/1", version="HTTP/1.0").json()
        self.assertRegex(fields["version"], r"^(HTTP/)?1\.0$")

    def test_every_request_has_an_id_of_its_own(self):
        with self.server.client() as client:
            ids = {client.get("/fields/1").json()["id"] for _ in range(50)}
        self.assertEqual(len(ids), 50)

    def test_query_holds_first_values_and_query_all_every_one(self):
        answer = self.get("/query?a=1&b=2&a=%32%2B&a=&empty=&plus=a+b%20c&bare").json()
        self.assertEqual(answer["first"], "1")
        self.assertEqual(answer["all"], ["1", "2+", ""])
        self.assertEqual(answer["none"], [])
        self.assertEqual(answer["empty"], "")
        self.assertEqual(answer["plus"], "a b c")
        self.assertEqual(answer["bare"], "")

    def test_header_takes_a_name_in_any_case(self):
        answer = self.get("/header", [("x-ThInG", " spaced \t"), ("User-Agent", "me")]).json()
        self.assertEqual(answer, {"a": "spaced", "b": "spaced", "c": "spaced", "none": True, "host": "localhost", "agent": "me"})

    def test_headers_that_come_again_and_others_on_one_connection(self):
        with self.server.client() as client:
            for i in range(60):
                thing = ("same", "same", f"other {i}")[i % 3]
                target = "/header" + "?longer" * (i % 2)
                answer = client.request("GET", target, [("X-Thing", thing), ("User-Agent", f"me {i // 20}")]).json()
                self.assertEqual((answer["a"], answer["agent"], answer["host"]), (thing, f"me {i // 20}", "localhost"))

    def test_headers_of_connections_stay_apart(self):
        clients = [self.connect() for _ in range(300)]
        for turn in range(5):
            for i, client in enumerate(clients):
                client.send_request("GET", "/header", [("X-Thing", f"{i} {turn // 3}")])
            for i, client in enumerate(clients):
                self.assertEqual(client.read_response().json()["a"], f"{i} {turn // 3}")

    def test_headers_lists_every_field_by_lower_case_name(self):
        headers = self.get("/headers", [("X-One", "1"), ("X-Two", "2")]).json()
        self.assertEqual((headers["x-one"], headers["x-two"], headers["host"]), ("1", "2", "localhost"))

    def test_cookies_are_taken_apart(self):
        answer = self.get("/cookies", [("Cookie", 'a=1; b="quoted"; c=x=y; empty=')]).json()
        self.assertEqual((answer["a"], answer["c"], answer["empty"]), ("1", "x=y", ""))
        self.assertIn(answer["b"], ('quoted', '"quoted"'))
        self.assertEqual(self.get("/cookies").json(), {})

    def test_a_form_becomes_first_values(self):
        answer = self.server.fetch("POST", "/form", [("Content-Type", "application/x-www-form-urlencoded")],
                                   "a=1+2&b=%C3%A4&a=3").json()
        self.assertEqual(answer, {"a": "1 2", "b": "ä", "none": True})

    def test_raw_gives_every_byte(self):
        body = bytes(range(256)) * 200
        self.assertEqual(self.server.fetch("POST", "/raw", body=body).body, body)
        self.assertEqual(self.server.fetch("POST", "/body", body=body).json(), {"size": len(body), "same": True})
        self.assertEqual(self.server.fetch("POST", "/raw", body=b"").body, b"")

    def test_json_decodes_the_body_or_says_what_is_wrong(self):
        good = self.server.fetch("POST", "/json", [("Content-Type", "application/json")], '{"a": [1, null, "x"]}')
        self.assertEqual(good.json(), {"value": {"a": [1, None, "x"]}})
        bad = self.server.fetch("POST", "/json", [("Content-Type", "application/json")], '{"a": ')
        self.assertEqual(bad.status, 422)
        self.assertTrue(bad.json()["error"])

    def test_set_and_delete_cookie_write_whole_fields(self):
        cookies = {value.split("=")[0]: value for value in self.get("/set-cookie").all("set-cookie")}
        self.assertEqual(cookies["plain"].split(";")[0], "plain=1")
        attributes = {part.strip().lower() for part in cookies["full"].split(";")[1:]}
        self.assertEqual(attributes, {"path=/x", "domain=example.com", "max-age=60", "httponly", "secure", "samesite=lax"})
        gone = cookies["old"].lower()
        self.assertIn("path=/x", gone)
        self.assertTrue("max-age=0" in gone or "1970" in gone, gone)

    def test_cookies_ride_on_whatever_answer_is_sent(self):
        response = self.get("/set-cookie-and-fail")
        self.assertEqual(response.status, 403)
        self.assertTrue(response.header("set-cookie").startswith("rides=along"))

    def test_a_cookie_with_a_line_end_is_an_error_and_never_sent(self):
        response = self.get("/bad-cookie")
        self.assertEqual(response.status, 500)
        self.assertFalse([value for value in response.all("set-cookie") if "evil" in value])

    def test_assigning_a_field_raises(self):
        for field in ("path", "method", "headers", "query", "id", "invented"):
            with self.subTest(field=field):
                self.assertIs(self.get("/assign/" + field).json()["ok"], False)

    def test_ctx_is_free_to_write_and_fresh_each_request(self):
        with self.server.client() as client:
            self.assertEqual(client.get("/ctx").json(), {"first": "ada", "second": "grace"})
            self.assertEqual(client.get("/ctx-is-fresh").json(), {"fresh": True})

    def test_a_kept_request_keeps_what_was_read_and_refuses_the_rest(self):
        with self.server.client() as client:
            client.get("/keep?color=red")
            seen = client.request("GET", "/look", [("Cookie", "secret=1")], host="other.example").json()
        self.assertEqual(seen["path"], {"ok": True, "value": "/keep"})
        for name in ("headers", "header", "raw", "cookies"):
            with self.subTest(name=name):
                self.assertIs(seen[name]["ok"], False)
                self.assertIn("request has ended", seen[name]["value"])
        self.assertIs(seen["assign"]["ok"], False)
        self.assertNotIn("other.example", str(seen))


if __name__ == "__main__":
    unittest.main()
