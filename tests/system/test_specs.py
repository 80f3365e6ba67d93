"""What a route says of its requests: typed values for those that fit, one 400 with all that is wrong for the others."""

import json
import pathlib
import tempfile
import unittest

from harness import ServerCase, run_perigee

APP = """
local perigee = require "perigee"
local app, t = perigee.app(), perigee.types

local function shown(value)
  return { value = value, kind = type(value) }
end

local TYPES = {
  string = t.string, integer = t.integer, number = t.number, boolean = t.boolean, uuid = t.uuid, date = t.date,
  json = t.json, keyword = t.keyword, slug = t.slug,
  bounded = t.integer:min(-2):max(5), fraction = t.number:min(0.5):max(1.5), year = t.date:min("2024-01-01"):max("2024-12-31"),
  short = t.string:length(2, 4), matched = t.match("^%u%l*$"), colour = t.enum { "red", "green" }, level = t.enum { 1, 2.5, true },
  list = t.list(t.integer:min(0)):length(1, 3), words = t.list(t.keyword),
  hex = function(text) local n = tonumber(text, 16) if n then return n end return nil, "a hexadecimal number" end,
}
for name, kind in pairs(TYPES) do
  app:get("/query/" .. name, { query = { v = kind } }, function(req) return shown(req.query.v) end)
  app:get("/header/" .. name, { headers = { ["X-V"] = kind } }, function(req) return shown(req.headers["x-v"]) end)
  app:get("/cookie/" .. name, { cookies = { v = kind } }, function(req) return shown(req.cookies.v) end)
  app:post("/form/" .. name, { form = { v = kind } }, function(req) return shown(req.form.v) end)
  app:post("/body/" .. name, { body = t.object { v = kind } }, function(req) return shown(req.body.v) end)
end

app:get("/absent", { query = { a = t.string:optional(), b = t.integer:default(7), c = t.list(t.slug):default { "x" } } },
  function(req)
    req.query.c[#req.query.c + 1] = "more"
    return { a = req.query.a or "none", b = req.query.b, c = req.query.c, drop = req.query.other or "dropped" }
  end)

app:post("/all/{id:integer}", { params = { id = t.integer:min(10) }, query = { q = t.integer }, cookies = { c = t.integer },
  headers = { h = t.integer, Authorization = t.match("^Bearer ") }, body = t.object { b = t.integer } },
  function() return "never" end)

local order = t.object {
  customer = t.object { name = t.string:length(1, 80), password = t.string:length(8):secret() },
  items = t.list(t.object { qty = t.integer:min(1), sku = t.slug, tags = t.list(t.keyword):optional() }):length(1),
  note = t.string:nullable():optional(),
  state = t.enum { "open", "paid" }:default("open"),
}
app:post("/orders", { body = order }, function(req) return 201, req.body end)
app:post("/strict", { body = t.object { a = t.integer }:strict() }, function(req) return req.body end)
app:post("/open", { body = t.object { a = t.integer }:open() }, function(req) return req.body end)
app:post("/any", { body = t.json }, function(req) return perigee.json(req.body) end)
app:post("/optional", { body = t.object { a = t.integer }:optional() }, function(req) return { body = req.body or "none" } end)
app:post("/false", { body = t.boolean }, function(req) return { body = req.body } end)
app:post("/text", { body = t.string:length(1, 5) }, function(req) return req.body .. "|" .. req:raw() end)
app:post("/some", { body = t.object { a = t.string:length(2, 4), b = t.slug:optional(), c = t.integer:nullable(),
  d = t.uuid:default("123e4567-e89b-12d3-a456-426614174000"), e = t.string:length(1),
  f = t.string:nullable() } },
  function(req) return req.body.a .. tostring(req.body.c) end)
app:post("/none", { body = t.object { a = t.string:length(2, 4), b = t.integer } }, function() return "taken" end)
app:post("/raw", { body = t.object { a = t.integer } }, function(req) return { raw = req:raw(), again = req:json() } end)
app:post("/forms", { form = { user = t.string:length(1, 20), n = t.list(t.integer):optional() } },
  function(req) return req.form end)

local games = { chess = { name = "Chess" } }
app:type("game", function(text)
  if text == "boom" then error("the type's own mistake") end
  if text == "slow" then perigee.sleep(0.01) return { name = "Slow" } end
  return games[text]
end, "a known game")
app:get("/play/{game:game}", function(req) return req.params.game.name end)
app:get("/play/{id:integer}", function(req) return "number " .. req.params.id end)
app:get("/choose/{game:game}", function(req) return req.params.game.name end)
app:get("/choose/{other}", function(req) return "other " .. req.params.other end)
app:get("/deep/{game:game}/x", function(req) return "x of " .. req.params.game.name end)
app:get("/deep/{rest*}", function(req) return "rest " .. req.params.rest .. " " .. req.route end)
app:get("/json/{v:json}", function(req) return { v = req.params.v } end)
app:get("/refined/{n:integer}", { params = { n = t.integer:min(10) } }, function(req) return "ten or more: " .. req.params.n end)
app:get("/refined/{s}", function(req) return "any: " .. req.params.s end)
app:get("/list/{ids}", { params = { ids = t.list(t.integer) } }, function(req) return { ids = req.params.ids } end)
app:get("/games", { query = { game = "game", more = t.list("game"):optional() } }, function(req)
  return { game = req.query.game.name, more = req.query.more and #req.query.more or 0 }
end)

local kept
app:post("/keep", { query = { a = t.integer }, body = t.object { b = t.integer } }, function(req)
  local _ = req.query
  kept = req
  return 204
end)
app:get("/kept", function() return { a = kept.query.a, b = kept.body.b, ended = not pcall(function() return kept.path end) } end)
return app
"""

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# type: texts that are taken and their values, texts that are refused; of queries, headers, cookies and forms alike
TEXTS = {
    "string": ({"": "", "a b": "a b", "\u00e4": "\u00e4"}, []),
    "integer": ({"0": 0, "-42": -42, "9007199254740992": 2**53, "-9007199254740992": -2**53},
                ["", "1.0", "007", "+1", "9007199254740993", "-9007199254740993", "1e3", "x"]),
    "number": ({"2.5e3": 2500, "-0.5": -0.5}, ["", ".5", "1.", "0x1", "1e999", "nan", "1_0"]),
    "boolean": ({"true": True, "false": False}, ["", "1", "on", "TRUE"]),
    "uuid": ({"123e4567-e89b-12d3-a456-426614174000": "123e4567-e89b-12d3-a456-426614174000"}, ["", "123"]),
    "date": ({"2024-02-29": "2024-02-29"}, ["2023-02-29", "2024-2-9"]),
    "keyword": ({"a_1": "a_1"}, ["A", "1a", "a-b"]),
    "slug": ({"a-1": "a-1"}, ["a--b", "a_b"]),
    "bounded": ({"-2": -2, "5": 5}, ["-3", "6"]),
    "fraction": ({"0.5": 0.5, "1.5": 1.5}, ["0.499", "1.501"]),
    "year": ({"2024-01-01": "2024-01-01", "2024-12-31": "2024-12-31"}, ["2023-12-31", "2025-01-01"]),
    "short": ({"ab": "ab", "abcd": "abcd", "\u00e4\u00f6\u00fc\u00df": "\u00e4\u00f6\u00fc\u00df"},
              ["a", "abcde", "\u00e4", "\u00e4\u00f6\u00fc\u00df\u00e4"]),
    "matched": ({"Ada": "Ada"}, ["ada", "A1"]),
    "colour": ({"red": "red"}, ["", "blue", "Red"]),
    "level": ({"1": 1, "2.5": 2.5, "true": True}, ["2", "false", "1.0"]),
    "hex": ({"ff": 255}, ["xyz"]),
    "list": ({"1": [1], "1,2,3": [1, 2, 3], "1, 2": [1, 2]}, ["1,2,3,4", "-1", "1,x", ""]),
    "words": ({"": [], "a,b": ["a", "b"]}, ["a,B"]),
}
# and what JSON bodies are taken and refused
VALUES = {
    "string": (["", "\u00e4", "a\u0000b"], [7, True, ["a"], {}]),
    "integer": ([0, -7, 2**53, -2**53, 1.0], [0.5, 2**53 + 1, -2**53 - 1, 2**53 + 2, 10**30, "1", True]),
    "number": ([0.5, -1e300], ["1", False]),
    "boolean": ([True, False], [0, "true"]),
    "date": (["2024-02-29"], ["2023-02-29", 20240229]),
    "bounded": ([-2, 5], [-3, 6]),
    "short": (["ab", "abcd", "\U0001f600" * 4], ["a", "abcde", "\U0001f600" * 5]),
    "colour": (["green"], ["blue", 1, ["red"]]),
    "level": ([1, 2.5, True], [2, "1", False]),
    "json": ([1, "a", [1, [2]], {"a": {}}, False], []),
    "list": ([[1], [1, 2, 3]], [[], [1, 2, 3, 4], [-1], ["1"], {}, "1", {"1": 1}]),
    "words": ([[], ["a"]], [["A"], "a"]),
}


def fields(**values):
    return "&".join(f"{name}={value}" for name, value in values.items())


class Specs(ServerCase):
    APP = APP

    def errors(self, response):
        return self.assert_problem(response, 400)["errors"]

    def post(self, path, value, headers=None):
        body = value if isinstance(value, (str, bytes)) else json.dumps(value)
        return self.server.fetch("POST", path, headers or JSON, body)

    def ask(self, client, source, name, text):
        encoded = "".join(f"%{byte:02X}" for byte in text.encode())
        if source == "query":
            return client.get(f"/query/{name}?v={encoded}")
        if source == "header":
            return client.request("GET", f"/header/{name}", {"X-V": text.encode().decode("latin-1")})
        if source == "cookie":
            return client.request("GET", f"/cookie/{name}", {"Cookie": "v=" + text.encode().decode("latin-1")})
        return client.request("POST", f"/form/{name}", FORM, f"v={encoded}")

    def test_every_type_takes_texts_up_to_its_bounds(self):
        with self.server.client() as client:
            for source in ("query", "header", "cookie", "form"):
                for name, (good, _) in TEXTS.items():
                    for text, value in good.items():
                        if source == "cookie" and text == "\u00e4":
                            continue
                        with self.subTest(source=source, type=name, text=text):
                            response = self.ask(client, source, name, text)
                            self.assertEqual((response.status, response.body and response.json()["value"]), (200, value))

    def test_every_type_refuses_texts_beyond_its_bounds(self):
        with self.server.client() as client:
            for source in ("query", "header", "cookie", "form"):
                for name, (_, bad) in TEXTS.items():
                    for text in bad:
                        with self.subTest(source=source, type=name, text=text):
                            errors = self.errors(self.ask(client, source, name, text))
                            self.assertEqual(errors[0]["in"], source)
                            self.assertRegex(errors[0]["name"], r"^(v|x-v)(\[\d\])?$")
                            self.assertTrue(errors[0]["expected"])
                            self.assertEqual("got" in errors[0], source != "cookie")

    def test_every_type_takes_and_refuses_values_of_json(self):
        with self.server.client() as client:
            for name, (good, bad) in VALUES.items():
                for value in good:
                    with self.subTest(type=name, value=value):
                        response = client.request("POST", f"/body/{name}", JSON, json.dumps({"v": value}))
                        self.assertEqual((response.status, response.json().get("value")), (200, value))
                for value in bad:
                    with self.subTest(type=name, value=value):
                        response = client.request("POST", f"/body/{name}", JSON, json.dumps({"v": value}))
                        self.assertRegex(self.errors(response)[0]["name"], r"^v(\[\d\])?$")

    def test_numbers_are_numbers_and_lists_lists(self):
        self.assertEqual(self.get("/query/integer?v=7").json()["kind"], "number")
        self.assertEqual(self.get("/query/list?v=1&v=2,3").json()["value"], [1, 2, 3])
        self.assertEqual(self.get("/query/json?v=%7B%22a%22%3A%5B1%5D%7D").json()["value"], {"a": [1]})
        with self.server.client() as client:
            response = client.request("GET", "/header/list", [("X-V", "1"), ("X-V", "2 ,3")])
            self.assertEqual(response.json()["value"], [1, 2, 3])

    def test_what_is_absent_is_nil_its_default_or_an_error(self):
        for _ in range(2):
            self.assertEqual(self.get("/absent?other=1").json(), {"a": "none", "b": 7, "c": ["x", "more"], "drop": "dropped"})
        for path in ("/query/string", "/header/string", "/cookie/string"):
            (error,) = self.errors(self.get(path))
            self.assertEqual((error["expected"], error["got"]), ("a string", None))
        (error,) = self.errors(self.post("/body/string", {}))
        self.assertEqual(error, {"in": "body", "name": "v", "expected": "a string", "got": None})

    def test_a_texts_bytes_are_utf8(self):
        (error,) = self.errors(self.get("/query/string?v=%ff"))
        self.assertEqual(error["got"], "\ufffd")

    def test_all_errors_come_at_once(self):
        response = self.server.fetch("POST", "/all/12?q=x", {"H": "y", "Authorization": "Basic c2VjcmV0", "Cookie": "c=z",
                                                             **JSON}, '{"b":"w"}')
        errors = self.errors(response)
        self.assertEqual([(error["in"], error["name"], error.get("got", "-")) for error in errors],
                         [("query", "q", "x"), ("header", "authorization", "-"), ("header", "h", "y"), ("cookie", "c", "-"),
                          ("body", "b", "w")])
        self.assertNotIn("c2VjcmV0", response.text)
        (error,) = self.errors(self.server.fetch("POST", "/all/9?q=x", JSON, "{}"))  # the path comes first
        self.assertEqual((error["in"], error["name"], error["got"]), ("path", "id", "9"))

    def test_what_is_shown_is_cut_at_64_bytes_between_characters(self):
        (error,) = self.errors(self.get("/query/integer?v=" + "x" * 500))
        self.assertEqual(error["got"], "x" * 64)
        (error,) = self.errors(self.get("/query/integer?v=" + "x" * 63 + "%C3%A4"))
        self.assertEqual(error["got"], "x" * 63)

    def test_names_are_dotted_and_indexed(self):
        errors = self.errors(self.post("/orders", {
            "customer": {"name": ""}, "items": [{"qty": 1, "sku": "a"}, {"qty": 0, "sku": "B", "tags": ["ok", "No"]}, 7]}))
        self.assertEqual([(error["name"], error.get("got", "-")) for error in errors],
                         [("customer.name", ""), ("customer.password", None), ("items[1].qty", "0"), ("items[1].sku", "B"),
                          ("items[1].tags[1]", "No"), ("items[2]", "7")])

    def test_secrets_are_never_shown(self):
        for customer in ({"name": "a", "password": "hush"}, {"name": "a", "password": ["hush"]}, "hush", ["hush"]):
            response = self.post("/orders", {"customer": customer, "items": [{"qty": 1, "sku": "a"}]})
            self.errors(response)
            self.assertNotIn("hush", response.text)
        self.assertNotIn("hush", self.post("/orders", '{"customer":{"password":"hush"').text)

    def test_a_whole_object_arrives_with_defaults_and_without_what_nobody_asked_for(self):
        given = {"customer": {"name": "a", "password": "12345678", "x": 1}, "items": [{"qty": 1, "sku": "a"}], "note": None}
        response = self.post("/orders", given)
        self.assertEqual(response.status, 201)
        del given["customer"]["x"]
        self.assertEqual(response.json(), {**given, "state": "open"})

    def test_objects_may_refuse_or_keep_other_members(self):
        (error,) = self.errors(self.post("/strict", {"a": 1, "b": "value"}))
        self.assertEqual(error, {"in": "body", "name": "b", "expected": "no member of this name"})
        self.assertEqual(self.post("/open", {"a": 1, "b": [2]}).json(), {"a": 1, "b": [2]})

    def test_malformed_json_is_told_with_the_byte(self):
        for text, said in (('{"b":', "byte"), ("{'b':1}", "byte 2"), ('{"a":1,}', "byte 8"), ("nul", "byte"), ("1e999", "byte"),
                           ('{"a":"\\ud800"}', "surrogate"), (b'{"a":"\xff"}', "byte"), ("[1] x", "byte")):
            with self.subTest(text=text):
                (error,) = self.errors(self.post("/any", text))
                self.assertEqual((error["in"], error["name"]), ("body", ""))
                self.assertIn("JSON", error["expected"])
                self.assertIn(said, error["expected"])
                self.assertNotIn("got", error)

    def test_json_is_bounded_in_depth_and_size_and_the_last_of_equal_keys_counts(self):
        self.assertEqual(self.post("/any", "[" * 64 + "]" * 64).status, 200)
        self.assertIn("64", self.errors(self.post("/any", "[" * 65 + "]" * 65))[0]["expected"])
        self.assertEqual(self.errors(self.post("/any", "[" * 500_000))[0]["name"], "")
        self.assertEqual(self.post("/strict", '{"a":1,"a":2}').json(), {"a": 2})
        self.assertEqual(len(self.post("/any", json.dumps(list(range(100_000)))).json()), 100_000)
        self.assertEqual(len(self.errors(self.post("/body/words", json.dumps({"v": [1] * 100_000})))), 100)

    def test_a_body_of_another_type_is_415(self):
        for headers in ({"Content-Type": "text/plain"}, {}, FORM, {"Content-Type": "application/jsonp"}):
            response = self.server.fetch("POST", "/any", headers, "{}")
            self.assert_problem(response, 415)
            self.assertEqual(response.header("accept"), "application/json")
        for kind in ("application/json; charset=utf-8", "application/merge-patch+json", "APPLICATION/JSON"):
            self.assertEqual(self.post("/any", "{}", {"Content-Type": kind}).status, 200)
        response = self.post("/forms", {"user": "ada"})
        self.assert_problem(response, 415)
        self.assertEqual(response.header("accept"), "application/x-www-form-urlencoded, multipart/form-data")

    def test_a_body_that_is_missing_is_a_400_unless_it_may_be(self):
        for headers in ({}, JSON):
            (error,) = self.errors(self.server.fetch("POST", "/any", headers))
            self.assertEqual((error["in"], error["name"], error["got"]), ("body", "", None))
            self.assertEqual(self.server.fetch("POST", "/optional", headers).json(), {"body": "none"})
        self.assertEqual(self.post("/optional", "null").json(), {"body": "none"})
        self.assertEqual(self.post("/false", "false").json(), {"body": False})
        self.assertEqual([error["name"] for error in self.errors(self.server.fetch("POST", "/forms"))], ["user"])

    def test_a_body_of_text_is_the_text(self):
        self.assertEqual(self.post("/text", "abc", {}).text, "abc|abc")
        (error,) = self.errors(self.post("/text", "abcdef", {}))
        self.assertEqual((error["expected"], error["got"]), ("a string of 1 to 5 characters", "abcdef"))

    def test_the_raw_body_is_still_there(self):
        self.assertEqual(self.post("/raw", '{"a":1, "b":2}').json(), {"raw": '{"a":1, "b":2}', "again": {"a": 1, "b": 2}})

    def test_members_that_no_handler_reads_are_checked_all_the_same(self):
        good = {"a": "\u00e4\u00f6\u00fc\u00df", "b": "x-y", "c": 7, "d": "00000000-0000-0000-0000-000000000000", "e": "x", "f": "y"}
        for _ in range(200):  # long enough to be compiled
            self.assertEqual(self.post("/some", good).text, "\u00e4\u00f6\u00fc\u00df7")
        self.assertEqual(self.post("/some", {"a": "ab", "c": None, "e": "\u00e4", "f": None}).text[:2], "ab")
        for name, value in {"a": "a", "b": "No", "c": "7", "d": "x", "e": ""}.items():
            self.assertEqual([error["name"] for error in self.errors(self.post("/some", {**good, name: value}))], [name])
        self.assertEqual([error["name"] for error in self.errors(self.post("/some", {"a": "ab", "c": 1}))], ["e", "f"])
        self.assertEqual(self.post("/none", {"a": "\u00e4\u00e4", "b": 1}).text, "taken")
        for bad in ({"a": "\u00e4", "b": 1}, {"a": "ab", "b": 0.5}, {"a": "abcde", "b": 1}, {"a": "ab"}):
            self.assertEqual(len(self.errors(self.post("/none", bad))), 1)

    def test_a_long_run_of_spaces_in_a_list_costs_no_more_than_its_length(self):
        spaces = "+" * 300_000
        self.assertEqual(self.server.fetch("POST", "/forms", FORM, f"user=a&n={spaces}1,2{spaces}").json()["n"], [1, 2])
        self.assertEqual(self.server.fetch("POST", "/forms", FORM, f"user=a&n=1{spaces}1").status, 400)

    def test_a_form_has_lists_by_repeated_names_and_commas(self):
        response = self.server.fetch("POST", "/forms", FORM, "user=ada+l&n=1,2&n=3&x=1")
        self.assertEqual(response.json(), {"user": "ada l", "n": [1, 2, 3]})

    def test_a_body_that_comes_in_parts_is_waited_for(self):
        with self.server.client() as client:
            client.send("POST /raw HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n")
            client.send_split('{"a":1}')
            self.assertEqual(client.read_response().json()["again"], {"a": 1})

    def test_the_apps_own_types_stand_in_patterns_and_specs(self):
        self.assertEqual(self.get("/play/chess").text, "Chess")
        self.assertEqual(self.get("/play/slow").text, "Slow")
        self.assertEqual(self.get("/play/7").text, "number 7")
        (error,) = self.errors(self.get("/play/go"))
        self.assertEqual(error, {"in": "path", "name": "game", "expected": "a known game", "got": "go"})
        self.assertEqual(self.get("/games?game=chess&more=chess,slow").json(), {"game": "Chess", "more": 2})
        self.assertEqual([error["name"] for error in self.errors(self.get("/games?game=go&more=chess,no"))], ["game", "more[1]"])
        self.assert_problem(self.get("/play/boom"), 500)
        self.server.stderr.wait("the type's own mistake")

    def test_another_route_may_take_what_a_type_of_the_app_refuses(self):
        with self.server.client() as client:
            for path, answer in {"/choose/chess": "Chess", "/choose/go": "other go", "/deep/chess/x": "x of Chess",
                                 "/deep/go/x": "rest go/x /deep/{rest*}", "/refined/10": "ten or more: 10",
                                 "/refined/9": "any: 9", "/refined/x": "any: x"}.items():
                self.assertEqual(client.get(path).text, answer)

    def test_parameters_of_json_and_lists(self):
        self.assertEqual(self.get("/json/%5B1,2%5D").json(), {"v": [1, 2]})
        self.assertEqual(self.errors(self.get("/json/nope"))[0]["name"], "v")
        self.assertEqual(self.get("/list/1,2").json(), {"ids": [1, 2]})
        self.assertEqual(self.errors(self.get("/list/1,x"))[0]["name"], "ids[1]")

    def test_what_was_typed_stays_when_the_request_has_ended(self):
        self.assertEqual(self.post("/keep?a=1", {"b": 2}).status, 204)
        self.assertEqual(self.get("/kept").json(), {"a": 1, "b": 2, "ended": True})


class Middleware(ServerCase):
    APP = """
local perigee = require "perigee"
local app, t = perigee.app(), perigee.types
app:use(function(req, inner)
  local res = inner(req)
  res.headers["x-around"] = req.params.n and type(req.params.n) or "none"
  return res
end)
app:get("/{n}", { params = { n = t.integer:min(1) }, query = { q = t.integer } }, function(req) return "n " .. req.params.n end)
return app
"""

    def test_the_path_is_checked_before_and_the_rest_inside_of_it(self):
        self.assertEqual(self.get("/7?q=1").text, "n 7")
        response = self.get("/7?q=x")
        self.assert_problem(response, 400)
        self.assertEqual(response.header("x-around"), "number")
        response = self.get("/0?q=x")
        self.assertEqual([error["in"] for error in self.assert_problem(response, 400)["errors"]], ["path"])
        self.assertTrue(response.header("x-around"))


class Mistakes(unittest.TestCase):
    def check(self, code):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "app.lua"
            path.write_text(f'local perigee = require "perigee" local app, t = perigee.app(), perigee.types\n{code}\nreturn app\n')
            result = run_perigee("check", "--app", path)
            return result.returncode, result.stdout + result.stderr

    def test_each_is_named_with_its_line(self):
        handler = "function() end)"
        for code, said in {
            f'app:get("/", {{ qury = {{}} }}, {handler}': "unknown key 'qury'",
            f'app:get("/", {{ query = 7 }}, {handler}': "a table of types by name",
            f'app:get("/", {{ query = {{ a = 7 }} }}, {handler}': "'a': a type is expected",
            f'app:get("/", {{ query = {{ a = "intger" }} }}, {handler}': "unknown type 'intger'",
            f'app:get("/", {{ body = t.list("nope") }}, {handler}': "unknown type 'nope'",
            f'app:get("/", {{ query = {{ a = t.object {{}} }} }}, {handler}': "comes as text",
            f'app:get("/{{n:integer}}", {{ params = {{ n = t.uuid }} }}, {handler}': "of the type integer in the pattern",
            f'app:get("/{{n:integer}}", {{ params = {{ m = t.uuid }} }}, {handler}': "which the pattern",
            f'app:get("/", {{ body = t.json, form = {{}} }}, {handler}': "either 'form' or 'body'",
            "local _ = t.uuid:min(1)": "':min' makes no sense on the type uuid",
            'local _ = t.integer:default("x")': "not of its own type",
            "local _ = t.int": "perigee.types has no 'int'",
            'app:type("integer", function() end)': "there is a type 'integer' already",
            'app:type("a b", function() end)': "a type's name",
        }.items():
            with self.subTest(code=code):
                status, output = self.check("\n" + code)
                self.assertEqual(status, 1, output)
                self.assertIn(said, output)
                self.assertIn("app.lua:3", output)

    def test_all_routes_mistakes_are_told(self):
        status, output = self.check('app:get("/a", { query = { a = "x1" } }, function() end)\n'
                                    'app:get("/b", { query = { a = "x2" } }, function() end)')
        self.assertEqual(status, 1)
        self.assertIn("x1", output)
        self.assertIn("x2", output)

    def test_conflicting_types_are_named_with_both_places(self):
        status, output = self.check('local id = t.slug:length(1, 9)\n\napp:get("/{id:integer}", { params = { id = id } }, '
                                    "function() end)")
        self.assertEqual(status, 1)
        self.assertIn("app.lua:2", output)
        self.assertIn("app.lua:4", output)


if __name__ == "__main__":
    unittest.main()
