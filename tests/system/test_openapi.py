"""The OpenAPI document: valid by a validator from npm, and true to what the routes take."""

import json
import pathlib
import tempfile
import unittest

import npm
from harness import ServerCase, run_perigee

VALIDATOR = ("@seriousme/openapi-schema-validator", "2.11.0", "index.js")

APP = """
local perigee = require "perigee"
local app, t = perigee.app(), perigee.types
app:type("game", function(text) return text end, "a known game")
app:get("/", function() return "root" end)
app:get("/users/{id:integer}", { name = "user", params = { id = t.integer:min(1) }, query = {
  page = t.integer:min(1):max(100):default(1), tags = t.list(t.keyword):length(1, 5):optional(), day = t.date:min("2024-01-01"):optional(),
  filter = t.json:optional(), colour = t.enum { "red", "green" }:default("red"), q = t.match("^%w+$"):optional() },
  headers = { ["X-Trace"] = t.uuid:optional(), Authorization = t.match("^Bearer "):secret() }, cookies = { sid = t.string:optional() } },
  function() return {} end)
app:post("/users", { name = "create user", body = t.object {
  name = t.string:length(1, 80), password = t.string:length(8):secret():default("changeme"), note = t.string:nullable():optional(),
  items = t.list(t.object { sku = t.slug, qty = t.number:min(0.5) }:strict()), more = t.json:optional(), game = "game" } },
  function() return 201 end)
app:put("/users/{id:integer}", { body = t.object { name = t.string }:open():optional() }, function() return 204 end)
app:delete("/users/{name}", function() return 204 end)
app:post("/login", { form = { user = t.string, n = t.list(t.integer):optional() } }, function() return 204 end)
app:post("/text", { body = t.string:length(1, 9) }, function() return 204 end)
app:any("/any/{rest*}", { name = "any" }, function() return 204 end)
app:get("/play/{game:game}/{v:json}/{ids}", { params = { ids = t.list(t.integer) } }, function() return 204 end)
app:route("PROPFIND", "/dav", function() return 204 end)
return app
"""


class OpenApi(ServerCase):
    APP = APP

    def document(self):
        with self.server.admin() as client:
            response = client.request("GET", "/openapi.json", host="127.0.0.1")
        self.assertEqual((response.status, response.header("content-type")), (200, "application/json"))
        return response.json()

    def validated(self, document):
        return npm.run("validate_openapi.mjs", npm.module(*VALIDATOR), stdin=json.dumps(document))

    def test_it_is_valid_openapi_3_1(self):
        result = self.validated(self.document())
        self.assertEqual((result.returncode, result.stdout.strip()), (0, "3.1"), result.stderr)

    def test_the_validator_refuses_what_is_none(self):
        document = self.document()
        document["paths"]["/users"]["post"]["parameters"] = [{"name": "x", "in": "nowhere"}]
        self.assertEqual(self.validated(document).returncode, 1)

    def test_it_says_what_the_routes_take(self):
        document = self.document()
        user = document["paths"]["/users/{id}"]["get"]
        self.assertEqual(user["operationId"], "user")
        parameters = {(parameter["in"], parameter["name"]): parameter for parameter in user["parameters"]}
        self.assertEqual(parameters["path", "id"]["schema"], {"type": "integer", "format": "int64", "minimum": 1})
        self.assertTrue(parameters["path", "id"]["required"])
        self.assertEqual(parameters["query", "page"]["schema"],
                         {"type": "integer", "format": "int64", "minimum": 1, "maximum": 100, "default": 1})
        self.assertNotIn("required", parameters["query", "page"])
        self.assertEqual(parameters["query", "q"]["schema"], {"type": "string", "pattern": "^[A-Za-z0-9]+$"})
        self.assertEqual(parameters["query", "filter"]["content"], {"application/json": {"schema": {}}})
        self.assertNotIn(("header", "authorization"), parameters)
        self.assertEqual(parameters["cookie", "sid"]["schema"], {"type": "string"})
        self.assertIn("400", user["responses"])
        self.assertNotIn("400", document["paths"]["/"]["get"]["responses"])
        self.assertEqual(set(document["paths"]["/users/{id}"]), {"get", "put", "delete"})
        self.assertEqual(set(document["paths"]["/any/{rest}"]), {"get", "put", "post", "patch", "delete"})
        self.assertNotIn("/dav", document["paths"])

    def test_bodies_and_secrets(self):
        post = self.document()["paths"]["/users"]["post"]
        schema = post["requestBody"]["content"]["application/json"]["schema"]
        self.assertEqual(schema["required"], ["game", "items", "name"])
        self.assertEqual(schema["properties"]["password"],
                         {"type": "string", "minLength": 8, "format": "password", "writeOnly": True})
        self.assertEqual(schema["properties"]["note"], {"type": ["string", "null"]})
        self.assertIs(schema["properties"]["items"]["items"]["additionalProperties"], False)
        self.assertNotIn("changeme", json.dumps(self.document()))
        form = self.document()["paths"]["/login"]["post"]["requestBody"]
        self.assertIn("application/x-www-form-urlencoded", form["content"])
        self.assertTrue(form["required"])

    def test_its_title_is_the_apps_and_a_reload_renews_it(self):
        server = self.start(APP, config='[app]\nname = "Shop"\nversion = "7"\n')

        def document():
            with server.admin() as client:
                return client.request("GET", "/openapi.json", host="127.0.0.1").json()
        self.assertEqual(document()["info"], {"title": "Shop", "version": "7"})
        server.write("app.lua", APP.replace('"/login"', '"/signin"'))
        server.reload()
        self.assertIn("/signin", document()["paths"])

    def test_the_listing_has_the_same_types(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "app.lua"
            path.write_text(APP)
            routes = json.loads(run_perigee("routes", "--json", "--app", path).stdout)
            table = run_perigee("routes", "--app", path).stdout
        user = next(route for route in routes if route.get("name") == "user")
        self.assertEqual((user["method"], user["pattern"], user["params"]), ("GET", "/users/{id:integer}", {"id": "integer"}))
        self.assertEqual(user["query"]["page"], "integer=")
        self.assertEqual(user["query"]["tags"], "[keyword]?")
        self.assertRegex(user["place"], r"app\.lua:\d+$")
        self.assertRegex(table, r"(?m)^POST +/login +form\{n:\[integer\]\? user:string\} +\S*app\.lua:\d+$")

    def test_an_app_can_list_its_own_routes(self):
        server = self.start('''
local perigee = require "perigee"
local app = perigee.app()
app:get("/about", { query = { all = perigee.types.boolean:optional() } }, function()
  return { version = perigee.version, routes = perigee.routes() }
end)
return app
''')
        about = server.get("/about").json()
        self.assertIn(about["version"], run_perigee("version").stdout)
        entry = about["routes"][0]
        self.assertEqual((entry["method"], entry["pattern"], entry["query"]), ("GET", "/about", {"all": "boolean?"}))

    def test_the_routes_are_not_known_while_the_file_runs(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "app.lua"
            path.write_text('local perigee = require "perigee"\nperigee.routes()\nreturn perigee.app()\n')
            result = run_perigee("check", "--app", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("app.lua:2: perigee.routes: the routes are known once the app is loaded", result.stderr)


if __name__ == "__main__":
    unittest.main()
