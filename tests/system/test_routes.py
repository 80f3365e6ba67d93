"""Which route takes which request, and what those get that no route takes."""

import pathlib
import tempfile
import unittest
from urllib.parse import quote

from harness import ServerCase, run_perigee

VERBS = ("get", "post", "put", "patch", "delete")

APP = """
local perigee = require "perigee"
local app = perigee.app()

for _, verb in ipairs { "get", "post", "put", "patch", "delete" } do
  app[verb](app, "/verbs", function(req) return verb .. " took " .. req.method end)
end
app:head("/head-only", function() return 200, nil, { ["x-head"] = "own" } end)
app:options("/options-only", function() return 200, "asked", { ["x-options"] = "own" } end)
app:any("/any", function(req) return req.method end)
app:get("/any-but-get", function() return "the exact one" end)
app:any("/any-but-get", function() return "any" end)
app:route("PROPFIND", "/custom", function(req) return req.method end)
app:get("/body", function() return ("x"):rep(1234) end)
app:get("/getpost", function() return "" end)
app:post("/getpost", function() return "" end)

local function typed(req) return { value = req.params.value, kind = type(req.params.value) } end
for _, name in ipairs { "string", "integer", "number", "boolean", "uuid", "date", "json", "keyword", "slug" } do
  app:get("/typed/" .. name .. "/{value:" .. name .. "}", typed)
end
app:get("/two/{a:integer}/{b:keyword}", function(req) return { a = req.params.a, b = req.params.b } end)
app:get("/files/{path*}", function(req) return req.params.path end)

app:get("/order/literal", function() return "literal" end)
app:get("/order/{n:integer}", function() return "typed" end)
app:get("/order/{s}", function() return "untyped" end)
app:get("/order/{r*}", function() return "rest" end)
app:get("/back/{n:integer}/x", function() return "typed x" end)
app:get("/back/{s}/y", function(req) return "untyped y " .. req.params.s end)
app:get("/back/{r*}", function(req) return "rest " .. req.params.r end)
app:get("/back/seven/x", function() return "literal x" end)
return app
"""

# type: texts taken with the value they become, texts refused
TYPES = {
    "string": ({"abc": "abc", "a bä": "a bä", "7": "7"}, []),
    "integer": ({"0": 0, "-42": -42, "9007199254740992": 2**53, "-9007199254740992": -2**53},
                ["4x", "", "+1", "007", "1.0", "1e3", "0x10", "9007199254740993", "-9007199254740993", "--1", " 1"]),
    "number": ({"1": 1, "-2.5": -2.5, "2.5e3": 2500, "0.125": 0.125}, ["1e", ".5.", "nan", "inf", "0x10", "1e999", "1,5"]),
    "boolean": ({"true": True, "false": False}, ["yes", "1", "True", "TRUE"]),
    "uuid": ({"123e4567-e89b-12d3-a456-426614174000": "123e4567-e89b-12d3-a456-426614174000"},
             ["123", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"]),
    "date": ({"2024-02-29": "2024-02-29", "1999-12-31": "1999-12-31"},
             ["2023-02-29", "2024-13-01", "2024-00-10", "2024-1-1", "24-01-01", "2024-04-31"]),
    "json": ({'{"a":[1,2]}': {"a": [1, 2]}, "7": 7, '"text"': "text", "true": True}, ["{", "nope", "[1,]"]),
    "keyword": ({"a": "a", "ab_1": "ab_1"}, ["Ab", "1a", "_a", "a-b"]),
    "slug": ({"a": "a", "a-b-1": "a-b-1", "2024": "2024"}, ["A-b", "a--b", "-a", "a-", "a_b"]),
}


class Routes(ServerCase):
    APP = APP

    def test_each_verb_reaches_its_own_handler(self):
        with self.server.client() as client:
            for verb in VERBS:
                response = client.request(verb.upper(), "/verbs", body="" if verb in ("post", "put", "patch") else None)
                self.assertEqual((response.status, response.text), (200, f"{verb} took {verb.upper()}"))

    def test_any_takes_every_method(self):
        with self.server.client() as client:
            for verb in VERBS:
                self.assertEqual(client.request(verb.upper(), "/any").text, verb.upper())

    def test_a_route_of_the_exact_method_beats_one_of_any(self):
        self.assertEqual(self.get("/any-but-get").text, "the exact one")
        self.assertEqual(self.server.fetch("POST", "/any-but-get").text, "any")

    def test_route_takes_a_method_by_name(self):
        self.assertEqual(self.server.fetch("PROPFIND", "/custom").text, "PROPFIND")

    def test_own_head_and_options_routes_are_used(self):
        head = self.server.fetch("HEAD", "/head-only")
        self.assertEqual((head.status, head.header("x-head")), (200, "own"))
        options = self.server.fetch("OPTIONS", "/options-only")
        self.assertEqual((options.text, options.header("x-options")), ("asked", "own"))

    def test_every_type_takes_what_it_should_and_gives_its_value(self):
        with self.server.client() as client:
            for name, (good, _) in TYPES.items():
                for text, value in good.items():
                    with self.subTest(type=name, text=text):
                        response = client.get(f"/typed/{name}/{quote(text, safe='')}")
                        self.assertEqual(response.status, 200, response)
                        self.assertEqual(response.json()["value"], value)

    def test_integers_numbers_and_booleans_are_lua_values(self):
        self.assertEqual(self.get("/typed/integer/7").json()["kind"], "number")
        self.assertEqual(self.get("/typed/number/7.5").json()["kind"], "number")
        self.assertEqual(self.get("/typed/boolean/false").json(), {"value": False, "kind": "boolean"})
        self.assertEqual(self.get("/typed/json/%5B1%5D").json(), {"value": [1], "kind": "table"})

    def test_every_type_refuses_with_a_problem_that_names_the_parameter(self):
        with self.server.client() as client:
            for name, (_, bad) in TYPES.items():
                for text in filter(None, bad):
                    with self.subTest(type=name, text=text):
                        problem = self.assert_problem(client.get(f"/typed/{name}/{quote(text, safe='')}"), 400)
                        (error,) = problem["errors"]
                        self.assertEqual((error["in"], error["name"], error["got"]), ("path", "value", text))
                        self.assertTrue(error["expected"])

    def test_what_a_refusal_shows_is_cut_at_64_bytes(self):
        got = self.assert_problem(self.get("/typed/integer/" + "x" * 500), 400)["errors"][0]["got"]
        self.assertLessEqual(len(got.encode()), 64)
        self.assertTrue(got.startswith("x" * 40))

    def test_several_parameters_of_one_path(self):
        self.assertEqual(self.get("/two/7/abc").json(), {"a": 7, "b": "abc"})

    def test_an_empty_segment_is_no_parameter(self):
        # The contract is silent: either no route takes the path or its type refuses it.
        self.assertIn(self.get("/typed/string/").status, (400, 404))

    def test_a_rest_takes_the_rest_of_the_path_decoded(self):
        self.assertEqual(self.get("/files/a/b%20c/d.txt").text, "a/b c/d.txt")
        self.assertEqual(self.get("/files/one").text, "one")

    def test_a_literal_beats_typed_beats_untyped_beats_rest(self):
        for path, taken in {"literal": "literal", "12": "typed", "word": "untyped", "12/more": "rest"}.items():
            self.assertEqual(self.get("/order/" + path).text, taken)

    def test_a_dead_end_is_walked_back_from(self):
        self.assertEqual(self.get("/back/7/x").text, "typed x")
        self.assertEqual(self.get("/back/7/y").text, "untyped y 7")
        self.assertEqual(self.get("/back/7/z").text, "rest 7/z")
        self.assertEqual(self.get("/back/seven/x").text, "literal x")
        self.assertEqual(self.get("/back/seven/y").text, "untyped y seven")

    def test_head_is_answered_by_get_without_the_body(self):
        with self.server.client() as client:
            get, head = client.get("/body"), client.request("HEAD", "/body")
            self.assertEqual(head.status, 200)
            self.assertEqual(head.header("content-length"), "1234")
            self.assertEqual(head.header("content-type"), get.header("content-type"))
            self.assertEqual(client.get("/verbs").text, "get took GET")

    def test_options_names_what_the_path_takes(self):
        response = self.server.fetch("OPTIONS", "/getpost")
        self.assertIn(response.status, (200, 204))
        self.assertEqual(allowed(response), {"GET", "HEAD", "POST", "OPTIONS"})

    def test_a_method_the_path_does_not_take_is_405_with_allow(self):
        response = self.server.fetch("DELETE", "/getpost")
        self.assert_problem(response, 405)
        self.assertEqual(allowed(response), {"GET", "HEAD", "POST", "OPTIONS"})
        response = self.server.fetch("GET", "/custom")
        self.assert_problem(response, 405)
        self.assertEqual(allowed(response), {"PROPFIND", "OPTIONS"})

    def test_an_unknown_path_is_a_404_problem(self):
        with self.server.client() as client:
            for path in ("/nowhere", "/verbs/more", "/Verbs", "/verb"):
                self.assert_problem(client.get(path), 404)
            self.assertEqual(client.request("HEAD", "/nowhere").status, 404)


def allowed(response):
    return {method.strip() for method in response.header("allow").split(",")}


class LoadErrors(unittest.TestCase):
    def check(self, routes):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "app.lua"
            path.write_text('local app = require("perigee").app()\n' + routes + "\nreturn app\n")
            result = run_perigee("check", "--app", path)
            return result.returncode, result.stdout + result.stderr

    def test_routes_that_cannot_be_told_apart_are_named_with_both_places(self):
        for first, second in (("/a/{x}", "/a/{y}"), ("/a", "/a"), ("/a/{x:integer}/b", "/a/{n:integer}/b"),
                              ("/a/{x*}", "/a/{y*}")):
            with self.subTest(first=first, second=second):
                code, output = self.check(f'app:get("{first}", function() end)\n\napp:get("{second}", function() end)')
                self.assertEqual(code, 1, output)
                self.assertIn("app.lua:2", output)
                self.assertIn("app.lua:4", output)

    def test_routes_that_differ_in_method_or_type_live_together(self):
        code, output = self.check('app:get("/a/{x}", function() end)\napp:post("/a/{y}", function() end)\n'
                                  'app:get("/a/{n:integer}", function() end)')
        self.assertEqual(code, 0, output)

    def test_an_unknown_type_is_named_with_its_place(self):
        code, output = self.check('\napp:get("/a/{x:interger}", function() end)')
        self.assertEqual(code, 1, output)
        self.assertIn("app.lua:3", output)
        self.assertIn("interger", output)
        self.assertIn("integer", output.replace("interger", ""))

    def test_a_malformed_pattern_is_named_with_its_place(self):
        for pattern in ("a", "/{", "/{a", "/{rest*}/more", "/{a}{b}", "/x/{}", "/{a}/{a}"):
            with self.subTest(pattern=pattern):
                code, output = self.check(f'app:get("{pattern}", function() end)')
                self.assertEqual(code, 1, output)
                self.assertIn("app.lua:2", output)

    def test_a_segment_that_other_servers_take_for_a_parameter_is_pointed_out(self):
        code, output = self.check('\napp:get("/a/:id", function() end)')
        self.assertEqual(code, 0, output)
        self.assertIn("app.lua:3: ':id' of the pattern '/a/:id' is taken as it stands: a parameter is written {id}", output)

    def test_a_handler_must_be_a_function(self):
        code, output = self.check('app:get("/a", 7)')
        self.assertEqual(code, 1, output)
        self.assertIn("app.lua:2", output)


if __name__ == "__main__":
    unittest.main()
