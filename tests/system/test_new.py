"""`perigee new`: what it makes works as it is."""

import subprocess
import unittest

from folder_case import FolderCase
from harness import BINARY, Client, Output, parse_address, run_perigee


class New(FolderCase):
    def make(self):
        result = self.perigee("new", "my-app")
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.folder / "my-app", result.stdout

    def serve(self, folder, *arguments):
        process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--admin", "off", *arguments], cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        output = Output(process.stderr)
        return Client(parse_address(output.wait(r"listening on (\S+)").group(1))), output

    def test_a_new_project_is_checked_listed_and_served_as_it_is(self):
        project, said = self.make()
        self.assertIn("cd my-app", said)
        self.assertIn("perigee serve --dev", said)
        checked = run_perigee("check", cwd=project)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        tested = run_perigee("test", cwd=project)
        self.assertEqual((tested.returncode, tested.stderr), (0, ""), tested.stdout)
        self.assertIn("/items/{id:integer}", run_perigee("routes", cwd=project).stdout)
        client, _ = self.serve(project)
        with client:
            page = client.get("/?name=<Ada>")
            self.assertEqual(page.header("content-type"), "text/html; charset=utf-8")
            self.assertIn("<h1>Hello, &lt;Ada&gt;!</h1>", page.text)
            self.assertIn("<title>Hello, world!</title>", client.get("/").text)
            self.assertEqual(client.get("/items/7").json(), {"id": 7, "name": "item 7"})
            self.assertEqual(client.get("/items/seven").status, 400)

    def test_a_project_in_this_folder_needs_no_cd(self):
        here = self.folder / "here"
        here.mkdir()
        made = run_perigee("new", ".", cwd=here)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertNotIn("cd ", made.stdout)
        self.assertTrue((here / "lua/app.lua").is_file())

    def test_an_editor_finds_the_annotations(self):
        project, _ = self.make()
        self.assertIn(".perigee/meta", (project / ".luarc.json").read_text())
        self.assertIn("---@class", (project / ".perigee/meta/perigee.lua").read_text())

    def test_a_folder_that_is_not_empty_is_refused_and_left_alone(self):
        kept = self.folder / "kept.txt"
        kept.write_text("mine")
        result = self.perigee("new", ".")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(result.stderr, "perigee: '.' is not empty: name a new folder\n")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["kept.txt"])

    def test_the_folder_must_be_named(self):
        result = self.perigee("new")
        self.assertEqual(result.returncode, 1)
        self.assertIn("folder", result.stderr)


if __name__ == "__main__":
    unittest.main()
