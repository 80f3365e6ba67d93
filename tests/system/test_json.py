"""JSON both ways, in the server's own Lua."""

import json
import unittest

from harness import ServerCase

# The contract promises an error that names the path and not whether encode raises it or returns nil and it: `try`
# takes both.
APP = """
local perigee = require "perigee"
local app = perigee.app()

local function try(value)
  local ok, text, err = pcall(perigee.encode, value)
  if not ok then return { error = tostring(text) } end
  if text == nil then return { error = tostring(err) } end
  return { text = text }
end

local cyclic = { items = { 1, {} } }
cyclic.items[2].back = cyclic
local nest = {}
local function nested(depth)
  local value = {}
  for _ = 2, depth do value = { value } end
  return value
end

local values = {
  ["function"] = { items = { 1, 2, { f = function() end } } },
  thread = { t = coroutine.create(function() end) },
  cycle = cyclic,
  holes = { items = { 1, nil, 3 } },
  mixed = { deep = { a = 1, [1] = 2 } },
  keys = { deep = { [true] = 1 } },
  nan = { list = { 1, 0 / 0 } },
  inf = { x = math.huge },
  utf8 = { bad = "a\\255b" },
  utf8_key = { ["\\192\\128"] = 1 },
  surrogate = { bad = "\\237\\160\\128" },
  deep64 = nested(64), deep65 = nested(65),
  shared = { { nest }, { nest } },
  null = { a = perigee.null }, empty = {}, empty_array = perigee.array {}, array = perigee.array { 1, "x", true },
  nested_array = { list = perigee.array({}), object = {} },
  strings = { 'q"\\\\ / \\b\\f\\n\\r\\t\\1\\127 ä €' },
}
local numbers = { 0, -1, 9007199254740992, -9007199254740992, 9007199254740991, 1e15, 1e21, 0.1, -2.5, 1e300, 5e-324,
  123456.789, 3.141592653589793, 1 / 3 }

app:get("/encode/{name}", function(req) return try(values[req.params.name]) end)
app:get("/return/{name}", function(req) return values[req.params.name] end)
app:get("/numbers", function() return numbers end)
app:post("/decode", function(req)
  local value, err = perigee.decode(req.body)
  if value == nil then return 422, { error = tostring(err) } end
  return { again = try(value).text, null = value == perigee.null, kind = type(value) }
end)
app:post("/echo", function(req) return perigee.json(assert(perigee.decode(req.body))) end)
app:get("/big", function()
  local items = {}
  for i = 1, 20000 do items[i] = { id = i, name = "item " .. i, on = i % 2 == 0 } end
  return { items = items }
end)
return app
"""


class Encoding(ServerCase):
    APP = APP

    def error_of(self, name):
        answer = self.get("/encode/" + name).json()
        self.assertNotIn("text", answer)
        return answer["error"]

    def text_of(self, name):
        return self.get("/encode/" + name).json()["text"]

    def test_what_cannot_be_encoded_is_refused_and_its_path_named(self):
        for name, path in {"function": "$.items[3].f", "thread": "$.t", "cycle": "$.items[2].back", "holes": "$.items",
                           "mixed": "$.deep", "keys": "$.deep", "nan": "$.list[2]", "inf": "$.x",
                           "utf8": "$.bad", "surrogate": "$.bad"}.items():
            with self.subTest(name=name):
                self.assertIn(path, self.error_of(name))

    def test_a_key_that_is_no_utf8_is_refused(self):
        self.assertTrue(self.error_of("utf8_key"))

    def test_returning_what_cannot_be_encoded_is_a_500_with_the_path_in_the_log(self):
        since = len(self.server.stderr.text)
        self.assert_problem(self.get("/return/function"), 500)
        self.server.stderr.wait(r"\$\.items\[3\]\.f", since=since)

    def test_depth_64_is_taken_and_65_refused(self):
        self.assertEqual(self.text_of("deep64").count("["), 63)
        self.assertTrue(self.error_of("deep65"))

    def test_the_same_table_twice_is_no_cycle(self):
        self.assertEqual(json.loads(self.text_of("shared")), [[{}], [{}]])

    def test_null_arrays_and_objects(self):
        self.assertEqual(self.text_of("null"), '{"a":null}')
        self.assertEqual(self.text_of("empty"), "{}")
        self.assertEqual(self.text_of("empty_array"), "[]")
        self.assertEqual(self.text_of("array"), '[1,"x",true]')
        self.assertEqual(json.loads(self.text_of("nested_array")), {"list": [], "object": {}})

    def test_strings_are_escaped_and_come_back_whole(self):
        self.assertEqual(json.loads(self.text_of("strings")), ['q"\\ / \b\f\n\r\t\x01\x7f ä €'])

    def test_numbers_are_exact_to_2_to_the_53rd_and_doubles_come_back_the_same(self):
        expected = [0, -1, 2**53, -2**53, 2**53 - 1, 10**15, 1e21, 0.1, -2.5, 1e300, 5e-324, 123456.789,
                    3.141592653589793, 1 / 3]
        text = self.get("/numbers").text
        self.assertEqual(json.loads(text), expected)
        self.assertIn("9007199254740992", text)
        self.assertIn("1000000000000000", text)

    def test_a_big_value_arrives_whole(self):
        items = self.get("/big").json()["items"]
        self.assertEqual(len(items), 20000)
        self.assertEqual(items[19999], {"id": 20000, "name": "item 20000", "on": True})


class Decoding(ServerCase):
    APP = APP

    def decode(self, text):
        return self.server.fetch("POST", "/decode", body=text)

    def test_what_is_json_comes_back_the_same(self):
        for text in ("{}", "[]", "[[],{}]", '{"a":[1,2.5,"x",true,false,null]}', '"text"', "7", "true", "[null]",
                     '" \\u00e4 \\ud83d\\ude00 \\u0000 \\/"', " [ 1 , 2 ] \n", "-0.5", "1e2", "9007199254740992",
                     "-9007199254740991", '{"":1}'):
            with self.subTest(text=text):
                answer = self.decode(text)
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(json.loads(answer.json()["again"]), json.loads(text))

    def test_null_is_perigee_null(self):
        self.assertIs(self.decode("null").json()["null"], True)

    def test_what_is_not_json_is_refused_with_a_reason(self):
        for text in (b"", b"{", b"[1,]", b'{"a":1,}', b"nul", b"01", b"+1", b".5", b"1.", b"'x'", b'"\n"', b"[1] x", b"{1:2}",
                     b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\\ud800"', b'"\\x"', b"NaN", b"Infinity", b"1e999",
                     b"// c\n1", b'{"a" 1}', b"[1 2]", b'"open'):
            with self.subTest(text=text):
                answer = self.decode(text)
                self.assertEqual(answer.status, 422, answer)
                self.assertTrue(answer.json()["error"])

    def test_depth_64_is_taken_and_65_refused(self):
        for open_, close in (("[", "]"), ('{"a":', "}")):
            inner = "1" if open_ != "[" else ""
            self.assertEqual(self.decode(open_ * 64 + inner + close * 64).status, 200)
            self.assertEqual(self.decode(open_ * 65 + inner + close * 65).status, 422)

    def test_a_bottomless_document_is_refused_and_the_worker_goes_on(self):
        self.assertEqual(self.decode("[" * 500_000).status, 422)
        self.assertEqual(self.decode("[]").status, 200)

    def test_a_big_document_goes_both_ways(self):
        value = [{"id": i, "text": "x" * 20, "list": [i, i + 0.5, None]} for i in range(5000)]
        answer = self.server.fetch("POST", "/echo", body=json.dumps(value))
        self.assertEqual(answer.json(), value)


class Limits(ServerCase):
    APP = APP
    SETTINGS = {"limits.json_depth": 3}

    def test_the_depth_is_an_option(self):
        self.assertEqual(self.server.fetch("POST", "/decode", body="[[[]]]").status, 200)
        self.assertEqual(self.server.fetch("POST", "/decode", body="[[[[]]]]").status, 422)


if __name__ == "__main__":
    unittest.main()
