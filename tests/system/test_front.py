"""lua/app.lua, the first app that anybody opens."""

import re
import unittest

from browser import browse
from harness import ROOT, ServerCase, run_perigee

LUA = ROOT / "lua"
FILES = {str(path.relative_to(LUA)): path.read_text()
         for path in [LUA / "source.lua", *(LUA / "templates").iterdir(), *(LUA / "public").iterdir()]}


class Front(ServerCase):
    APP = (LUA / "app.lua").read_text()
    FILES = FILES
    WORKERS = 2

    def test_two_browsers_see_each_other_come_and_nothing_comes_from_elsewhere(self):
        found = browse("browse_front.mjs", "http://{}:{}".format(*self.server.address))
        self.assertGreaterEqual(found["before"], 1)
        self.assertEqual(found["wide"], 400, "the page is wider than a phone")
        self.assertIn('app:channel("/visitors"', found["source"])
        self.assertEqual(found["routes"], len(self.server.get("/").text.split('class="method"')) - 1)

    def test_the_page_lists_what_the_command_lists(self):
        page = self.server.get("/").text
        table = run_perigee("routes", "--app", LUA / "app.lua").stdout
        for line in table.splitlines():
            self.assertIn(f">{line.split()[1]}<", page)

    def test_every_link_leads_somewhere(self):
        links = re.findall(r'<a href="(/[^"]*)" data-try', self.server.get("/").text)
        self.assertIn("/public/", links)
        for path in links:
            self.assertEqual(self.server.fetch("HEAD", path).status, 200, path)

    def test_the_other_routes(self):
        self.assertEqual(self.server.get("/hello").text, "Hello, World!\n")
        self.assertEqual(self.server.get("/json").json(), {"message": "Hello, World!"})
        self.assertEqual(self.server.get("/users/7?color=green").json(), {"id": 7, "color": "green"})
        self.assert_problem(self.server.get("/users/seven"), 400)
        self.assert_problem(self.server.get("/users/7?color=%22"), 400)
        self.assertEqual(self.server.get("/healthz").text, "ok\n")
        self.assertEqual(self.server.get("/slow").status, 200)
        self.assertTrue(self.server.get("/public/page.css").header("content-type").startswith("text/css"))

    def test_the_count_outlives_a_reload(self):
        self.server.get("/")
        before = self.server.get("/visitors/now").json()["total"]
        self.server.reload()
        self.assertEqual(self.server.get("/visitors/now").json()["total"], before)


if __name__ == "__main__":
    unittest.main()
