"""examples/visitors: no visit is lost, and a colour is a colour."""

import threading
import unittest

from harness import ROOT, ServerCase


class Example(ServerCase):
    APP = (ROOT / "examples/visitors/app.lua").read_text()

    def test_visitors_are_counted_by_all_workers_and_over_reloads(self):
        server = self.start(self.APP, workers=2)
        statuses = []

        def visit():
            for _ in range(50):
                statuses.append(server.get("/hi").status)

        visitors = [threading.Thread(target=visit) for _ in range(4)]
        for visitor in visitors:
            visitor.start()
        server.reload()
        for visitor in visitors:
            visitor.join()
        self.assertEqual(statuses, [200] * 200)
        self.assertIn("visitor number 201!", server.get("/hi").text)

    def test_the_colour_is_shown(self):
        response = self.server.get("/hi?color=teal")
        self.assertIn('<h1 style="color: teal">', response.text)
        self.assertTrue(response.header("content-type").startswith("text/html"))

    def test_what_is_no_colour_is_refused(self):
        for color in ("%22onload=%22x", "red;", "a%20b", "%3Cscript%3E"):
            errors = self.assert_problem(self.server.get(f"/hi?color={color}"), 400)["errors"]
            self.assertEqual((errors[0]["in"], errors[0]["name"]), ("query", "color"))


if __name__ == "__main__":
    unittest.main()
