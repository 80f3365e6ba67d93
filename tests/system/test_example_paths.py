"""examples/paths does what its README says."""

import unittest

from harness import ROOT, ServerCase


class Example(ServerCase):
    APP = (ROOT / "examples/paths/app.lua").read_text()

    def test_a_page(self):
        response = self.server.get("/hello")
        self.assertEqual((response.status, response.text), (200, "<h1>Hello, World!</h1>\n"))
        self.assertTrue(response.header("content-type").startswith("text/html"))

    def test_a_typed_part(self):
        self.assertEqual(self.server.get("/hello/3").text, "Hello! Hello! Hello! \n")
        for times in ("three", "0", "101"):
            errors = self.assert_problem(self.server.get(f"/hello/{times}"), 400)["errors"]
            self.assertEqual((errors[0]["name"], errors[0]["got"]), ("times", times))

    def test_the_rest_of_the_path(self):
        self.assertEqual(self.server.get("/echo/any/number/of/words").text, "any number of words\n")
        self.assertEqual(self.server.get("/echo/caf%C3%A9").text, "café\n")

    def test_lists_and_defaults(self):
        self.assertEqual(self.server.get("/sum?n=1,2&n=39&name=Ada").json(), {"sum": 42, "name": "Ada"})
        self.assertEqual(self.server.get("/sum?n=1").json(), {"sum": 1, "name": "nobody"})
        errors = self.assert_problem(self.server.get("/sum?n=1,x"), 400)["errors"]
        self.assertEqual(errors[0]["name"], "n[1]")

    def test_a_handler_refuses(self):
        self.assertEqual(self.server.get("/square-root/6.25").json(), {"root": 2.5})
        problem = self.assert_problem(self.server.get("/square-root/-1"), 400)
        self.assertEqual(problem["detail"], "no real number has that square")

    def test_a_redirect(self):
        response = self.server.get("/old")
        self.assertEqual((response.status, response.header("location")), (301, "/hello"))


if __name__ == "__main__":
    unittest.main()
