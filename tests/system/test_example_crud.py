"""examples/crud does what its README says."""

import json
import unittest

from harness import ROOT, ServerCase

ADA = {"Authorization": "Bearer let-me-in", "Content-Type": "application/json"}


class Example(ServerCase):
    def setUp(self):
        folder = ROOT / "examples/crud"
        self.server = self.start((folder / "app.lua").read_text(), files={"store.lua": (folder / "store.lua").read_text()},
                                 config='[app.tokens]\nlet-me-in = "ada"\nopen-sesame = "ali"\n')

    def send(self, method, path, value=None, headers=None):
        return self.server.fetch(method, path, headers or ADA, None if value is None else json.dumps(value))

    def add(self, title, **fields):
        response = self.send("POST", "/notes", {"title": title, **fields})
        self.assertEqual(response.status, 201, response)
        return response

    def test_a_note_lives_and_dies(self):
        response = self.add("Tea", tags=["shopping"])
        note = {"id": 1, "author": "ada", "title": "Tea", "text": "", "tags": ["shopping"], "state": "open"}
        self.assertEqual((response.json(), response.header("location")), (note, "/notes/1"))
        self.assertEqual(self.server.get("/notes/1").json(), note)
        changed = {**note, "state": "done", "text": ""}
        self.assertEqual(self.send("PATCH", "/notes/1", {"state": "done", "text": None}).json(), changed)
        self.assertEqual(self.server.get("/notes/1").json(), changed)
        self.assertEqual(self.send("DELETE", "/notes/1").status, 204)
        self.assert_problem(self.server.get("/notes/1"), 404)
        self.assertEqual(self.server.get("/notes").json(), {"items": []})

    def test_who_writes_shows_a_token(self):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic bGV0LW1lLWlu"}):
            response = self.send("POST", "/notes", {"title": "x"}, {**headers, "Content-Type": "application/json"})
            self.assert_problem(response, 401)
            self.assertIn("Bearer", response.header("www-authenticate"))
        self.add("Tea")
        other = {**ADA, "Authorization": "Bearer open-sesame"}
        self.assert_problem(self.send("PATCH", "/notes/1", {"title": "Coffee"}, other), 403)
        self.assert_problem(self.send("DELETE", "/notes/1", headers=other), 403)

    def test_input_is_validated(self):
        response = self.send("POST", "/notes", {"title": "", "tags": ["Bad Tag"], "state": "lost", "extra": 1})
        errors = self.assert_problem(response, 400)["errors"]
        self.assertEqual([error["name"] for error in errors], ["state", "tags[0]", "title", "extra"])
        self.assert_problem(self.send("POST", "/notes", {"title": "x" * 81}), 400)
        self.assert_problem(self.server.get("/notes/0"), 400)
        self.assert_problem(self.server.get("/notes?limit=101"), 400)
        self.assert_problem(self.server.fetch("POST", "/notes", {"Authorization": ADA["Authorization"]}, "title=x"), 415)

    def test_pages_follow_one_another(self):
        for number in range(1, 8):
            self.add(f"n{number}", tags=["odd"] if number % 2 else [])
        titles, path = [], "/notes?limit=2&tag=odd"
        for _ in range(5):
            response = self.server.get(path)
            page = response.json()
            titles.append([note["title"] for note in page["items"]])
            path = page.get("next")
            if path is None:
                self.assertIsNone(response.header("link"))
                break
            self.assertEqual(response.header("link"), f'<{path}>; rel="next"')
        self.assertEqual(titles, [["n7", "n5"], ["n3", "n1"]])


if __name__ == "__main__":
    unittest.main()
