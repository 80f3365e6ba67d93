"""examples/chat: names in sessions, rooms over server-sent events, who is there."""

import unittest

from browser import browse
from harness import ROOT, ServerCase

FOLDER = ROOT / "examples/chat"
FILES = {str(path.relative_to(FOLDER)): path.read_text() for path in FOLDER.rglob("*")
         if path.is_file() and path.parent != FOLDER}
HTML = ("Accept", "text/html")


class Chat(ServerCase):
    APP = (FOLDER / "app.lua").read_text()
    FILES = FILES
    WORKERS = 2

    def post(self, path, form, cookie=None, origin=None):
        host, port = self.server.address
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin or f"http://{host}:{port}"}
        headers |= {"Cookie": cookie} if cookie else {}
        return self.server.fetch("POST", path, headers, form, host=f"{host}:{port}")

    def login(self, name):
        response = self.post("/login", f"name={name}")
        self.assertEqual((response.status, response.header("location")), (303, "/rooms/lobby"), response)
        return response.header("set-cookie").split(";")[0]

    def test_two_browsers_talk(self):
        found = browse("browse_chat.mjs", "http://{}:{}".format(*self.server.address))
        self.assertNotIn("Nobody in here", found["heard"])
        self.assertEqual(found["left"], "/")
        self.assertEqual(found["wide"], 400, "the page is wider than a phone")
        self.assertTrue(found["leave"], "seven members push the button to leave out of a phone's sight")

    def test_who_has_no_name_gets_in_nowhere(self):
        response = self.get("/rooms/lobby", [HTML])
        self.assertEqual((response.status, response.header("location")), (307, "/"))
        for method, path in (("GET", "/rooms/lobby/events"), ("GET", "/rooms/lobby/members")):
            self.assert_problem(self.server.fetch(method, path), 401)
        self.assert_problem(self.post("/rooms/lobby/messages", "text=hi"), 401)

    def test_names_rooms_and_texts_are_checked(self):
        for name in ("", "x" * 25, "%3Cscript%3E", "%20"):
            self.assert_problem(self.post("/login", f"name={name}"), 400)
        cookie = self.login("Ada")
        self.assert_problem(self.server.fetch("GET", "/rooms/cellar", {"Cookie": cookie}), 400)
        for text in ("", "x" * 501):
            self.assert_problem(self.post("/rooms/lobby/messages", f"text={text}", cookie), 400)
        self.assertEqual(self.post("/rooms/lobby/messages", "text=hi", cookie).status, 204)

    def test_another_site_can_not_post(self):
        cookie = self.login("Ada")
        response = self.post("/rooms/lobby/messages", "text=spam", cookie, origin="http://elsewhere.example")
        self.assert_problem(response, 403)

    def test_a_session_survives_a_reload_and_ends_with_a_logout(self):
        cookie = self.login("Ada")
        self.server.reload()
        self.assertEqual(self.server.fetch("GET", "/rooms/tea", {"Cookie": cookie}).status, 200)
        self.assertEqual(self.post("/logout", "", cookie).status, 303)
        self.assert_problem(self.server.fetch("GET", "/rooms/tea/members", {"Cookie": cookie}), 401)


if __name__ == "__main__":
    unittest.main()
